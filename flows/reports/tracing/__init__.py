"""The way of a frame: through its logs to events, a label, a dataset, versions and rollouts."""
