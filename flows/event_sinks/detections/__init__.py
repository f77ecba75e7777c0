"""Detections as a stream for others."""
