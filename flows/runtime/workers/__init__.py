"""The workers of a run: planned, started, asked, and started again."""
