"""The control service: the one way in for the command line, the API and the app."""
