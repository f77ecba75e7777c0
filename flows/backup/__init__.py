"""A running system's state, copied elsewhere and back."""
