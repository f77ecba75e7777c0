"""One Ray for the tests of a session that work on one in their own process."""

from contextlib import ExitStack

_running = ExitStack()
_is_up = False


def start() -> None:
    """Start Ray, unless it runs."""
    global _is_up
    if not _is_up:
        from flows.runtime.ray_cluster import local_ray  # Ray takes seconds: only where needed

        _running.enter_context(local_ray())
        _is_up = True


def stop() -> None:
    """Stop Ray if it runs: a command that starts its own in this process finds none."""
    global _is_up
    _is_up = False
    _running.close()
