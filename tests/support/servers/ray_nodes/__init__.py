"""Rays of several nodes for tests, what their nodes share, and what they write."""
