"""Detections in pictures that are sent: what comes in, and in which format they go out."""
