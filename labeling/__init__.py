"""Labeling: which frames to ask people about, and their answers."""
