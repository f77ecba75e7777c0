"""Groups of cameras."""
