"""Datasets: manifest, formats, labels, validation."""
