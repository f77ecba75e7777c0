"""Who sits at the command line."""

import getpass


def current_user() -> str:
    """The name of whoever asks, as the system knows it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
