"""A Label Studio server on this machine."""
