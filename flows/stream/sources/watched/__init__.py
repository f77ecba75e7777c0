"""Places that clips are dropped into."""
