"""Charts over time: what they show, and who is asked."""
