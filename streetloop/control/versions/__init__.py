"""Answers about versions of the registry beside each other."""
