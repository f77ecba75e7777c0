"""Anomalies on the street: rules over tracks and zones, and the watch that asks them."""
