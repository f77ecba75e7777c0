"""Bounds how often somebody may try tokens at the login."""

from collections import OrderedDict, deque

from streetloop.clock import Clock

_MAX_CLIENTS = 10_000


class LoginAttempts:
    """Counts wrong tokens by client and of all clients, over the last minute.

    All together are bounded, too: whoever passes on what a client says of its own address gives it
    as many addresses as it likes.

    Args:
        clock: Time.
        limit: Wrong tokens of a client in a period; more have to wait.
        period_s: Length of the period in seconds.
        limit_of_all: Wrong tokens of all clients in a period.
    """

    def __init__(
        self, clock: Clock, limit: int = 10, period_s: float = 60.0, limit_of_all: int = 300
    ) -> None:
        self._clock, self._limit, self._period_s = clock, limit, period_s
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()
        self._of_all: deque[float] = deque(maxlen=limit_of_all)

    def wait_s(self, client: str) -> float:
        """Seconds until a client may try again; 0 if it may now."""
        now, waits = self._clock.monotonic(), [0.0]
        if len(times := self._recent(client)) >= self._limit:
            waits.append(times[0] + self._period_s - now)
        if len(self._of_all) == self._of_all.maxlen:
            waits.append(self._of_all[0] + self._period_s - now)
        return max(waits)

    def note_wrong(self, client: str) -> None:
        """Note a wrong token of a client."""
        self._of_all.append(self._clock.monotonic())
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
