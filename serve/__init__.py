"""Serving: the detector behind Ray Serve, and the HTTP API beside it."""
