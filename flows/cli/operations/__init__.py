"""Commands of whoever operates an installation."""
