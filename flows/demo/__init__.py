"""The demo: four simulated streets, nightfall, and the loop that closes."""
