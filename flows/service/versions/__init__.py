"""What the control service says of versions of the registry."""
