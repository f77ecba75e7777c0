"""What a new installation is led through."""
