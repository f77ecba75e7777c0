"""Endpoints of what was measured over time."""
