"""Endpoints that stay open: events as they come, and moving pictures."""
