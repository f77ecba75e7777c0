"""Reports on drift, rollouts and models."""
