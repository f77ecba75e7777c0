"""Tracks and counts against what is true: ``streetloop evaluate-tracks`` and ``export-tracks``."""
