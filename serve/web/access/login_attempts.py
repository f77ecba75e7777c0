"""Bounds how often somebody may try tokens at the login."""

from collections import OrderedDict, deque

from streetloop.clock import Clock

_MAX_CLIENTS = 10_000


class LoginAttempts:
    """Counts wrong tokens by client, over the last minute.

    Args:
        clock: Time.
        limit: Wrong tokens of a client in a period; more have to wait.
        period_s: Length of the period in seconds.
    """

    def __init__(self, clock: Clock, limit: int = 10, period_s: float = 60.0) -> None:
        self._clock, self._limit, self._period_s = clock, limit, period_s
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, client: str) -> float:
        """Seconds until a client may try again; 0 if it may now."""
        times = self._recent(client)
        if len(times) < self._limit:
            return 0.0
        return times[0] + self._period_s - self._clock.monotonic()

    def note_wrong(self, client: str) -> None:
        """Note a wrong token of a client."""
        times = self._recent(client)
        times.append(self._clock.monotonic())
        self._wrong[client] = times
        self._wrong.move_to_end(client)
        if len(self._wrong) > _MAX_CLIENTS:
            self._wrong.popitem(last=False)

    def _recent(self, client: str) -> deque[float]:
        times = self._wrong.get(client, deque())
        while times and times[0] <= self._clock.monotonic() - self._period_s:
            times.popleft()
        return times
