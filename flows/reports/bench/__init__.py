"""The fastest accurate way to run a model here."""
