"""Versions of the registry over HTTP: compared, and registered."""
