"""Time, as something that can be handed in."""

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the flows ask of time."""

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean anything."""

    def now(self) -> datetime:
        """Wall-clock time, aware, UTC."""

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait for an event; True if it is set.

        Args:
            event: The event.
            timeout_s: Longest wait in seconds.
        """


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """See `Clock.wait`."""
        return event.wait(max(0.0, timeout_s))
