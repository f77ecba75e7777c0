"""The detector: its Ray Serve deployment, its clients, its applications."""
