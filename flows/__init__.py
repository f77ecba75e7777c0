"""The roof: the flows, their Ray actors and the command line. Everything is wired here."""
