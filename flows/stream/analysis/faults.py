"""Faults: what fails beside a stream, how often, and whether it still does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from streetloop.clock import Clock

UNKNOWN_CLASS = "unknown_class"
TOO_FAST = "too_fast"
FLOW_FAILED = "flow_failed"
STORE_FAILED = "store_failed"
SINK_FAILED = "sink_failed"
RECORDING_FAILED = "recording_failed"
UPLOAD_FAILED = "upload_failed"

_SHARED = frozenset({STORE_FAILED, SINK_FAILED})  # many workers fail at one server
_MAX_KINDS = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    Attributes:
        kind: Such as ``store_failed``.
        text: What failed last, one sentence without credentials.
        first_at: When it failed first (UTC).
        last_at: When it failed last (UTC).
        count: How often it failed.
        is_over: True if it has not failed for so long that it is taken to work again.
    """

    kind: str
    text: str
    first_at: datetime
    last_at: datetime
    count: int = 1
    is_over: bool = False

    def __str__(self) -> str:
        """The sentence; of a fault that is over also how often and until when."""
        if not self.is_over:
            return self.text
        times = "once" if self.count == 1 else f"{self.count} times"
        return f"{self.text} ({times}, the last at {self.last_at:%H:%M:%S} UTC)"


def joined(faults: Iterable[Fault]) -> list[Fault]:
    """The faults of several workers: what they share is one, with the newest sentence.

    Args:
        faults: Of all cameras; one of a worker may come with each of its cameras.
    """
    found: list[Fault] = []
    shared: dict[tuple[str, bool], Fault] = {}
    for fault in sorted(set(faults), key=lambda one: (one.last_at, one.text)):
        if fault.kind not in _SHARED:
            found.append(fault)
            continue
        before = shared.get((fault.kind, fault.is_over))
        if before is not None:
            first_at = min(before.first_at, fault.first_at)
            fault = replace(fault, first_at=first_at, count=before.count + fault.count)
        shared[fault.kind, fault.is_over] = fault
    return [*found, *shared.values()]


class FaultBook:
    """Keeps the faults of a worker, one of each kind.

    Args:
        clock: Time.
        quiet_s: A fault that does not come again for so many seconds is over. Lower than the time
            between two attempts ends faults that go on.
    """

    def __init__(self, clock: Clock, quiet_s: float) -> None:
        self._clock, self._quiet = clock, timedelta(seconds=quiet_s)
        self._faults: dict[str, Fault] = {}

    def note(self, kind: str, text: str) -> bool:
        """Count a failure; true if its kind is new or was over."""
        now, before = self._clock.now(), self._faults.get(kind)
        if before is None and len(self._faults) >= _MAX_KINDS:
            return False
        if before is None or self._is_over(before, now):
            self._faults[kind] = Fault(kind, text, now, now)
            return True
        self._faults[kind] = replace(before, text=text, last_at=now, count=before.count + 1)
        return False

    def faults(self) -> Sequence[Fault]:
        """All faults so far; of a kind that came again after it was over, the newest."""
        now = self._clock.now()
        return [replace(fault, is_over=self._is_over(fault, now)) for fault in list(self._faults.values())]

    def _is_over(self, fault: Fault, now: datetime) -> bool:
        return now - fault.last_at > self._quiet
