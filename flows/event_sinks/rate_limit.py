"""A limit of sends a minute: what comes faster waits."""


class RateLimit:
    """A token bucket: a burst of `_BURST` sends or those of a second, then evenly.

    Args:
        per_minute: Sends a minute; None for no limit.
        now_s: The monotonic clock at the start.
    """

    _BURST = 10.0

    def __init__(self, per_minute: float | None, now_s: float) -> None:
        self._per_s = None if per_minute is None else per_minute / 60
        # Never more at once than a minute has, and never less than one.
        burst = 1.0 if per_minute is None else max(self._BURST, per_minute / 60)
        self._room = burst if per_minute is None else max(1.0, min(burst, per_minute))
        self._tokens, self._at_s = self._room, now_s

    def allowed(self, now_s: float) -> int | None:
        """How many sends are allowed now; None for any number."""
        if self._per_s is None:
            return None
        self._tokens = min(self._room, self._tokens + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        return int(self._tokens)

    def take(self, sends: int) -> None:
        """Note that something was sent."""
        if self._per_s is not None:
            self._tokens -= sends
