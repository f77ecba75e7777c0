"""The delivery of one sink: a thread that empties its part of the outbox, in order."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from flows.event_sinks.event_sink import EventSink
from flows.event_sinks.rate_limit import RateLimit
from flows.stream.sources.backoff import Backoff
from streetloop.clock import Clock
from streetloop.errors import EventSinkError, LedgerError
from streetloop.ledger import Ledger
from streetloop.ledger.alerts.event_changes import EventChange
from streetloop.ledger.alerts.outbox import AWAY, next_changes, note_delivered, note_failing
from streetloop.ledger.events import begin_event, end_event

_log = logging.getLogger(__name__)

SINK_AWAY = "sink_away"

_IDLE_S = 0.5
_LIMIT_S = 20.0  # of the wait between attempts: a sink that is back is noticed by then


class _SinkOutage(NamedTuple):
    since: datetime
    error: str


class Delivery:
    """Sends what waits for one sink, at least once and in order, until it is closed.

    A change leaves the outbox after the sink confirmed it: a process that dies between sends it
    again, with the same id. A sink that fails is tried again for as long as it takes.

    Args:
        name: Name of the sink.
        sink: The sink; `close` closes it.
        ledger: Holds the outbox.
        rate: How many sends a minute are allowed.
        clock: Time.
        say: Called with a sentence when the sink fails, and when it is well again.
        backoff: Waits between attempts.
    """

    def __init__(
        self,
        name: str,
        sink: EventSink,
        ledger: Ledger,
        rate: RateLimit,
        clock: Clock,
        say: Callable[[str], None],
        backoff: Backoff | None = None,
    ) -> None:
        self._name, self._sink, self._ledger = name, sink, ledger
        self._rate, self._clock, self._say = rate, clock, say
        self._backoff = backoff or Backoff(1.0, _LIMIT_S)
        self._outage: _SinkOutage | None = None
        self._event: int | None = None
        self._closing, self._given_up = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sink-{name}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Send what waits if the sink takes it, and end; the rest is sent at the next start.

        Args:
            timeout_s: Longest wait in seconds.
        """
        self._closing.set()
        self._thread.join(timeout_s)
        self._given_up.set()

    def step(self) -> float:
        """Send a batch; how long to wait before the next step, in seconds."""
        try:
            changes = next_changes(self._ledger, self._name, self._sink.batch_size)
            allowed = self._rate.allowed(self._clock.monotonic())
            batch = changes if allowed is None or self._sink.batches else changes[:allowed]
            if not batch or allowed == 0:
                return _IDLE_S
            wait_s = self._send(batch)
            self._follow_outage()
        except LedgerError as error:
            _log.error("sink %s: the outbox is not read or written: %s", self._name, error)
            return self._backoff.next_s()
        return wait_s

    def _send(self, batch: Sequence[EventChange]) -> float:
        error: EventSinkError | None = None
        try:
            self._sink.send(batch)
        except EventSinkError as failed:
            error = failed
        taken = len(batch) if error is None else error.taken
        self._rate.take(1 if self._sink.batches else max(taken, 1))
        if taken:
            note_delivered(self._ledger, self._name, [one.number for one in batch[:taken]], self._clock.now())
        if error is None:
            self._backoff.reset()
            self._recovered()
            return 0.0
        self._failed(str(error))
        return self._backoff.next_s()

    def _failed(self, error: str) -> None:
        if self._outage is not None and self._outage.error == error:
            return
        if self._outage is None:
            self._say(f"sink {self._name}: events wait: {error}")
        since = self._clock.now() if self._outage is None else self._outage.since
        self._outage = _SinkOutage(since, error)
        note_failing(self._ledger, self._name, error, since)

    def _recovered(self) -> None:
        if self._outage is None:
            return
        note_failing(self._ledger, self._name, None, None)
        self._outage = None
        self._say(f"sink {self._name}: events are sent again")

    def _follow_outage(self) -> None:
        """Begin or end the event of a sink that is away for long."""
        now = self._clock.now()
        if self._outage is None and self._event is not None:
            end_event(self._ledger, self._event, now)
            self._event = None
        elif self._outage is not None and self._event is None and now - self._outage.since >= AWAY:
            since, error = self._outage
            self._event = begin_event(
                self._ledger, SINK_AWAY, since, detail={"sink": self._name}, cause=error
            )

    def _run(self) -> None:
        while not self._given_up.is_set():
            was_closing = self._closing.is_set()
            try:
                wait_s = self.step()
            except Exception:  # noqa: BLE001 - the boundary of the thread: a sink must not end for good
                _log.exception("sink %s: a step failed", self._name)
                wait_s = self._backoff.next_s()
            if was_closing and wait_s > 0:
                break
            self._closing.wait(wait_s)
        self._sink.close()
