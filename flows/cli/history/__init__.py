"""What was seen and what happened: counts, events, tracks."""
