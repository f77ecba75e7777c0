"""Carrying a rollout out: the controller, its ports, and what it does in the background."""
