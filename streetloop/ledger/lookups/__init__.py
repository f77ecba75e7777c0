"""Frames and events that were kept, found by what other records say of them."""
