"""Servers that a camera is read from."""
