"""The challenger's application while it is loaded, and its process while it answers."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from streetloop.errors import RegistryError

_MAX_LOAD_S = 180.0
_RETRY_S = 5.0
_DESCRIBE_EVERY_S = 2.0


class Challenger:
    """What this process knows of the challenger. Times are monotonic, in seconds.

    Attributes:
        crashes: Deaths of its process.
        memory_mb: Memory of its process in MB.
    """

    def __init__(self) -> None:
        self.loading: Future[None] | None = None
        self.crashes = 0
        self.memory_mb = 0.0
        self._loading_since: float | None = None
        self._retry_at = 0.0
        self._describing: Future[dict[str, Any]] | None = None
        self._described_at = 0.0
        self._processes: set[int] = set()

    @property
    def is_up(self) -> bool:
        """True if it answers."""
        return self.loading is not None and self.loading.done() and self.loading.exception() is None

    @property
    def futures(self) -> tuple[Future[Any] | None, ...]:
        """Work that was begun for it."""
        return (self.loading, self._describing)

    def load_when_due(self, begin: Callable[[], Future[None]], now: float) -> None:
        """Start loading it unless that has started, or failed a moment ago.

        Args:
            begin: Starts loading.
            now: Monotonic time in seconds.
        """
        if self.loading is not None or now < self._retry_at:
            return
        self.loading = begin()
        if self._loading_since is None:
            self._loading_since = now

    def retry_after_outage(self, now: float) -> RegistryError | None:
        """Schedule another attempt if the registry did not answer.

        Args:
            now: Monotonic time in seconds.

        Returns:
            The registry's error; None if there was none.
        """
        if self.loading is None or not self.loading.done() or self._is_late(now):
            return None
        error = self.loading.exception()
        if not isinstance(error, RegistryError):
            return None
        self.loading, self._retry_at = None, now + _RETRY_S
        return error

    def load_failure(self, now: float) -> str | None:
        """Why it cannot be loaded; None if it is up, or still may come up.

        Args:
            now: Monotonic time in seconds.
        """
        if self.loading is None:
            return None
        if not self.loading.done():
            return f"it was not loaded within {_MAX_LOAD_S:.0f} s" if self._is_late(now) else None
        error = self.loading.exception()
        return None if error is None else f"it cannot be loaded: {error}"

    def watch_process(self, begin: Callable[[], Future[dict[str, Any]]], now: float) -> None:
        """Ask for its processes and memory every few seconds.

        A process that died comes back by itself, under another id.

        Args:
            begin: Asks for both.
            now: Monotonic time in seconds.
        """
        if self._describing is not None and self._describing.done():
            if self._describing.exception() is None:
                self._note_process(self._describing.result())
            self._describing = None
        if self._describing is None and now - self._described_at >= _DESCRIBE_EVERY_S:
            self._described_at = now
            self._describing = begin()

    def _note_process(self, description: dict[str, Any]) -> None:
        self.memory_mb = float(description["memory_mb"])
        processes = set(description["processes"])
        if self._processes:
            # As many as are more now were started on purpose.
            started = max(0, len(processes) - len(self._processes))
            self.crashes += max(0, len(processes - self._processes) - started)
            # One that is missing has died, and is counted once another is in its place.
            kept = self._processes if len(processes) < len(self._processes) else set()
            processes |= kept
        self._processes = processes

    def _is_late(self, now: float) -> bool:
        return self._loading_since is not None and now - self._loading_since > _MAX_LOAD_S
