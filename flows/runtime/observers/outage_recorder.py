"""Writes outages of cameras, processes and sinks into the ledger as events."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from flows.runtime.workers.stream_fleet import FleetReport, Restart
from flows.stream.analysis.faults import (
    FLOW_FAILED,
    RECORDING_FAILED,
    SINK_FAILED,
    STORE_FAILED,
    TOO_FAST,
    UNKNOWN_CLASS,
    UPLOAD_FAILED,
)
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.camera_state import CameraState
from streetloop.clock import Clock
from streetloop.errors import LedgerError
from streetloop.host.polling import SayOnce
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import begin_event, end_event, end_open_events

_log = logging.getLogger(__name__)

CAMERA_LOST = "camera_lost"
DETECTOR_FAILED = "detector_failed"
_OF_CAMERA = (CAMERA_LOST, TOO_FAST, UNKNOWN_CLASS, RECORDING_FAILED)
_OF_ALL = (DETECTOR_FAILED, STORE_FAILED, SINK_FAILED, FLOW_FAILED, UPLOAD_FAILED)


class _Subject(NamedTuple):
    kind: str
    camera_id: str | None


@dataclass(frozen=True, slots=True)
class _Outage:
    since: datetime
    cause: str
    model: str | None


class OutageRecorder:
    """Keeps the open events of the ledger equal to what fails now.

    What the ledger does not take is tried again with the next report. Events that a run before left
    open end when this one begins.

    Args:
        ledger: URL of the ledger; it is opened at the first write.
        clock: Time.
        tell: Called with a sentence once the ledger cannot be written.
    """

    def __init__(self, ledger: str, clock: Clock, tell: Callable[[str], None]) -> None:
        self._url, self._clock, self._tell = ledger, clock, SayOnce(tell)
        self._ledger: Ledger | None = None
        self._restarts: list[Restart] = []
        self._open: dict[_Subject, int] = {}
        self._is_fresh = True

    def take(self, report: FleetReport) -> None:
        """Write what fails now, and what was restarted; a failing ledger stops nothing."""
        self._restarts += report.restarts
        self._write(dict(_outages(report.statuses.values(), self._clock.now())))

    def leave(self, cameras: Collection[str]) -> None:
        """End the outages of cameras that were removed."""
        self._write({}, [subject for subject in self._open if subject.camera_id in cameras])

    def close(self) -> None:
        """End all outages."""
        self._write({})
        if self._ledger is not None:
            self._ledger.close()

    def _write(self, wanted: Mapping[_Subject, _Outage], ended: Collection[_Subject] | None = None) -> None:
        """Bring the ledger up to date.

        Args:
            wanted: What fails now.
            ended: What is over; None for all that is not in ``wanted``.
        """
        ended = self._open.keys() - wanted.keys() if ended is None else ended
        begun = wanted.keys() - self._open.keys()
        if not (self._is_fresh or begun or ended or self._restarts):
            return
        try:
            self._update(self._ledger or open_ledger(self._url), begun, ended, wanted)
        except LedgerError as error:
            _log.error("outages are not written, and are kept: %s", error)
            self._tell(f"outages are kept until the ledger can be written: {error}")

    def _update(
        self,
        ledger: Ledger,
        begun: Collection[_Subject],
        ended: Collection[_Subject],
        wanted: Mapping[_Subject, _Outage],
    ) -> None:
        self._ledger = ledger
        if self._is_fresh:
            end_open_events(ledger, (*_OF_CAMERA, *_OF_ALL), self._clock.now())
            self._is_fresh = False
        self._end(ledger, ended)
        for subject in begun:
            self._begin(ledger, subject, wanted[subject])
        while self._restarts:
            self._note(ledger, self._restarts[0])
            del self._restarts[0]

    def _begin(self, ledger: Ledger, subject: _Subject, outage: _Outage) -> None:
        coverage = 0.0 if subject.kind == CAMERA_LOST else None
        self._open[subject] = begin_event(
            ledger, subject.kind, outage.since, subject.camera_id, outage.model, coverage, cause=outage.cause
        )

    def _end(self, ledger: Ledger, subjects: Iterable[_Subject]) -> None:
        for subject in list(subjects):
            end_event(ledger, self._open[subject], self._clock.now())
            del self._open[subject]

    def _note(self, ledger: Ledger, restart: Restart) -> None:
        detail = {"process": restart.process, "cameras": list(restart.cameras)}
        begin_event(ledger, restart.kind, restart.at, detail=detail, cause=restart.cause, ended_at=restart.at)


def _outages(statuses: Iterable[CameraStatus], now: datetime) -> Iterable[tuple[_Subject, _Outage]]:
    """What fails now; a fault that cameras of a worker share is one."""
    for status in statuses:
        if status.state in {CameraState.LOST, CameraState.FAILED}:
            since, cause = status.last_at or now, status.error or "it does not answer"
            yield _Subject(CAMERA_LOST, status.camera_id), _Outage(since, cause, status.model)
        if status.detector_error is not None:
            # Of no camera: those of an application fail together.
            yield _Subject(DETECTOR_FAILED, None), _Outage(now, status.detector_error, status.model)
        for fault in status.faults:
            if not fault.is_over:
                camera = status.camera_id if fault.kind in _OF_CAMERA else None
                outage = _Outage(fault.first_at, fault.text, status.model)
                yield _Subject(fault.kind, camera), outage
