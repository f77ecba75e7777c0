"""Exponential backoff between attempts to reconnect."""

import random


class Backoff:
    """Exponential backoff with jitter: a thousand cameras do not reconnect at the same moment.

    Reference: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

    Args:
        first_s: Upper bound of the first wait in seconds.
        limit_s: Upper bound of every wait in seconds. Higher spares a server that is down for
            long; its return is noticed later.
        rng: Source of the jitter.
    """

    def __init__(self, first_s: float = 1.0, limit_s: float = 30.0, rng: random.Random | None = None) -> None:
        self._first_s = first_s
        self._limit_s = limit_s
        self._rng = rng or random.Random()
        self._attempts = 0

    def next_s(self) -> float:
        """The next wait in seconds, in [bound / 2, bound]; the bound doubles each time."""
        bound = min(self._limit_s, self._first_s * 2.0 ** min(self._attempts, 30))
        self._attempts += 1
        return bound * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Start over from the first wait; called after an attempt that succeeded."""
        self._attempts = 0
