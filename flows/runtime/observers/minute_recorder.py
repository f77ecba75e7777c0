"""Writes how each camera's stream fares, by minute, into the ledger."""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC

from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.camera_state import CameraState
from streetloop.clock import Clock
from streetloop.errors import LedgerError
from streetloop.host.polling import SayOnce
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.history.camera_minutes import CameraMinute, add_camera_minutes
from streetloop.ledger.line_counts import minute_of

_log = logging.getLogger(__name__)

_WRITE_EVERY_S = 10.0
_MAX_STEP_S = 10.0  # between two reports: a longer silence was not watched
_MAX_WAITING = 100_000  # camera minutes; a day of 64 cameras


class MinuteRecorder:
    """Adds what happened between two reports to the minute in which the later one came.

    A minute in which no stream was there has no row. What the ledger does not take is kept for the
    next write, the newest day of 64 cameras at most.

    Args:
        ledger: URL of the ledger; it is opened at the first write.
        clock: Time.
        tell: Called with a sentence once the ledger cannot be written.
        write_every_s: Time between two writes. Higher writes less often; a process that is killed
            loses the figures of at most this time.
    """

    def __init__(
        self, ledger: str, clock: Clock, tell: Callable[[str], None], write_every_s: float = _WRITE_EVERY_S
    ) -> None:
        self._url, self._clock, self._tell = ledger, clock, SayOnce(tell)
        self._write_every_s = write_every_s
        self._ledger: Ledger | None = None
        self._before: dict[str, CameraStatus] = {}
        self._waiting: dict[tuple[str, int], CameraMinute] = {}
        self._seen_s: float | None = None
        self._due_s = clock.monotonic() + write_every_s

    def take(self, statuses: Mapping[str, CameraStatus]) -> None:
        """Take the state of all cameras; a ledger that cannot be written stops nothing."""
        now_s = self._clock.monotonic()
        step_s = 0.0 if self._seen_s is None else min(now_s - self._seen_s, _MAX_STEP_S)
        self._seen_s = now_s
        minute = minute_of(self._clock.now().astimezone(UTC))
        for name, status in statuses.items():
            found = _between(self._before.get(name), status, step_s)
            self._before[name] = status
            if found.watched_ms or found.decoded:
                key = (name, minute)
                self._waiting[key] = self._waiting.get(key, CameraMinute()) + found
        if now_s >= self._due_s:
            self._write()

    def leave(self, cameras: Collection[str]) -> None:
        """Forget cameras that were removed: one of the same name begins anew."""
        for name in cameras:
            self._before.pop(name, None)

    def close(self) -> None:
        """Write what waits."""
        self._write()
        if self._ledger is not None:
            self._ledger.close()

    def _write(self) -> None:
        self._due_s = self._clock.monotonic() + self._write_every_s
        if not self._waiting:
            return
        try:
            if self._ledger is None:
                self._ledger = open_ledger(self._url)
            add_camera_minutes(self._ledger, self._waiting)
        except LedgerError as error:
            _log.error("how the cameras fare is not written, and is kept: %s", error)
            self._tell(f"how the cameras fare is kept until the ledger can be written: {error}")
            self._waiting = dict(list(self._waiting.items())[-_MAX_WAITING:])
        else:
            self._waiting = {}


def _between(before: CameraStatus | None, now: CameraStatus, step_s: float) -> CameraMinute:
    """What happened between two states of a camera; all of the later one if counting began anew."""
    if before is None or now.account.decoded < before.account.decoded:
        before = CameraStatus(now.camera_id)
    is_there = now.state is CameraState.LIVE
    classes = _more(before.objects_by_class, now.objects_by_class)
    return CameraMinute(
        round(1000 * step_s) if is_there else 0,
        max(0, now.account.decoded - before.account.decoded),
        max(0, now.account.detected - before.account.detected),
        sum(classes.values()),
        round(1000 * now.lag_p95_s) if is_there else 0,
        _more(before.account.reasons, now.account.reasons),
        classes,
    )


def _more(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    grown = {name: count - before.get(name, 0) for name, count in now.items()}
    return {name: count for name, count in grown.items() if count > 0}
