"""Work on another thread that is begun again some seconds after it failed."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

_RETRY_S = 5.0


class RetriedWork:
    """One step of a rollout that must succeed at some time.

    Attributes:
        future: The attempt under way; None between attempts.
        error: Why the last attempt failed; None if it did not.
    """

    def __init__(self) -> None:
        self.future: Future[Any] | None = None
        self.error: BaseException | None = None
        self._retry_at = 0.0

    def poll(self, begin: Callable[[], Future[Any]], now: float) -> bool:
        """True once an attempt has succeeded; never waits.

        Args:
            begin: Begins an attempt.
            now: Monotonic time in seconds.
        """
        if self.future is None:
            if now < self._retry_at:
                return False
            self.future = begin()
        if not self.future.done():
            return False
        self.error = self.future.exception()
        if self.error is not None:
            self.future, self._retry_at = None, now + _RETRY_S
        return self.error is None
