"""What happened, at an address of its own."""
