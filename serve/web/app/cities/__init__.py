"""The tab of groups of cameras."""
