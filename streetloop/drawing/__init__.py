"""Draws boxes and text into pictures."""
