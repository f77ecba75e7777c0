"""Cameras behind HTTP: recordings, HLS, MJPEG and single pictures."""
