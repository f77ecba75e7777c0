"""The user at the command line."""

import getpass


def current_user() -> str:
    """The user's name as the system knows it; ``somebody`` if it knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
