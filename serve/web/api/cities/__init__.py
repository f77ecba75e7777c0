"""Endpoints of groups of cameras."""
