"""Writes the anomalies that workers find into the ledger as events."""

import logging
from collections.abc import Callable, Collection
from typing import NamedTuple

from flows.runtime.workers.stream_fleet import WORKER_RESTARTED, FleetReport
from flows.stream.anomalies.anomaly_watch import Anomaly
from streetloop.cameras.anomaly_parameters import AnomalyKind
from streetloop.clock import Clock
from streetloop.errors import LedgerError
from streetloop.host.polling import SayOnce
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import begin_event, conclude_event, end_event, end_open_events

_log = logging.getLogger(__name__)


class _Name(NamedTuple):
    camera_id: str
    key: str


class AnomalyRecorder:
    """Keeps the anomalies of the ledger as the workers tell them.

    What the ledger does not take is tried again with the next report. Anomalies that a run before
    left open end when this one begins. Those of a camera end when it is removed or its worker dies.

    Args:
        ledger: URL of the ledger; it is opened at the first write.
        clock: Time.
        tell: Called with a sentence once the ledger cannot be written.
    """

    def __init__(self, ledger: str, clock: Clock, tell: Callable[[str], None]) -> None:
        self._url, self._clock, self._tell = ledger, clock, SayOnce(tell)
        self._ledger: Ledger | None = None
        self._waiting: list[Callable[[Ledger], None]] = [self._end_those_before]
        self._open: dict[_Name, int] = {}

    def take(self, report: FleetReport) -> None:
        """Write what began and what is over; a failing ledger stops nothing."""
        for restart in report.restarts:
            if restart.kind == WORKER_RESTARTED:
                self._leave(restart.cameras)
        self._waiting += [self._written(anomaly) for anomaly in report.anomalies]
        self._write()

    def leave(self, cameras: Collection[str]) -> None:
        """End the anomalies of cameras that were removed."""
        self._leave(cameras)
        self._write()

    def close(self) -> None:
        """End all anomalies."""
        self._leave({name.camera_id for name in self._open})
        self._write()
        if self._ledger is not None:
            self._ledger.close()

    def _written(self, anomaly: Anomaly) -> Callable[[Ledger], None]:
        return lambda ledger: self._record(ledger, anomaly)

    def _leave(self, cameras: Collection[str]) -> None:
        gone, now = set(cameras), self._clock.now()

        def end(ledger: Ledger) -> None:
            for name in [name for name in self._open if name.camera_id in gone]:
                end_event(ledger, self._open[name], now)
                del self._open[name]

        self._waiting.append(end)

    def _write(self) -> None:
        try:
            while self._waiting:
                self._ledger = self._ledger or open_ledger(self._url)
                self._waiting[0](self._ledger)
                del self._waiting[0]
        except LedgerError as error:
            _log.error("anomalies are not written, and are kept: %s", error)
            self._tell(f"anomalies are kept until the ledger can be written: {error}")

    def _end_those_before(self, ledger: Ledger) -> None:
        end_open_events(ledger, tuple(AnomalyKind), self._clock.now())

    def _record(self, ledger: Ledger, anomaly: Anomaly) -> None:
        name = _Name(anomaly.camera_id, anomaly.key)
        detail = {**anomaly.detail, **({} if anomaly.box is None else {"box": list(anomaly.box)})}
        if anomaly.ended_at is None:
            self._open[name] = begin_event(
                ledger,
                anomaly.kind.value,
                anomaly.started_at,
                anomaly.camera_id,
                anomaly.model_version,
                anomaly.coverage,
                detail,
                certainty=anomaly.certainty,
                evidence=anomaly.evidence,
                rule_version=anomaly.rule_version,
            )
        elif name in self._open:
            number = self._open[name]
            conclude_event(ledger, number, anomaly.ended_at, anomaly.coverage, anomaly.certainty, detail)
            del self._open[name]
