"""The deliveries of a run: one a sink, and the bounds of the outbox."""

import logging
import time
from collections.abc import Callable, Sequence

from flows.event_sinks.delivery import SINK_AWAY, Delivery
from flows.event_sinks.event_sink import EventSink
from flows.event_sinks.open_sink import open_sink
from flows.event_sinks.rate_limit import RateLimit
from streetloop.alerting.mute import Mute
from streetloop.alerting.sink_config import EventSinkConfig, EventSinks
from streetloop.clock import Clock, SystemClock
from streetloop.host.polling import PollingThread, SayOnce
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.alerts.mutes import set_file_mutes
from streetloop.ledger.alerts.outbox import SinkRecord, list_sinks, trim_outbox
from streetloop.ledger.events import begin_event, end_open_events

_log = logging.getLogger(__name__)

OUTBOX_OVERFLOW = "outbox_overflow"
_TRIM_S = 60.0
_CLOSE_S = 3.0  # the end of a process must not hang
_MAILS_PER_MINUTE = 2.0


class EventDeliveries:
    """Tells all sinks of events while streams run, on threads of its own.

    Args:
        sinks: The sinks, with the values of their variables.
        mutes: Of the camera file.
        ledger: URL of the ledger.
        zone: IANA time zone of the mutes' hours and days.
        say: Called with a sentence when a sink fails, and when it is well again.
        make: Makes a sink.
        clock: Time.

    Raises:
        LedgerError: The ledger cannot be opened or written.
    """

    def __init__(
        self,
        sinks: EventSinks,
        mutes: Sequence[Mute],
        ledger: str,
        zone: str,
        say: Callable[[str], None],
        make: Callable[[EventSinkConfig], EventSink] = open_sink,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._ledger: Ledger = open_ledger(ledger)
        list_sinks(self._ledger, [_record(name, sink) for name, sink in sinks.items()])
        set_file_mutes(self._ledger, mutes, zone, self._clock.now())
        end_open_events(self._ledger, (SINK_AWAY,), self._clock.now())
        self._deliveries = [
            Delivery(name, make(sink), self._ledger, _rate(sink), self._clock, say)
            for name, sink in sinks.items()
        ]
        self._trimming = PollingThread("outbox", self.trim, _TRIM_S, _log, SayOnce(say))

    def start(self) -> None:
        """Start the threads."""
        for delivery in self._deliveries:
            delivery.start()
        self._trimming.start()

    def trim(self) -> None:
        """Keep the outbox in its bounds; what is dropped is counted, and an event."""
        now = self._clock.now()
        for sink, count in trim_outbox(self._ledger, now).items():
            _log.error("sink %s: %d changes of events are dropped", sink, count)
            detail, cause = {"sink": sink, "dropped": count}, f"{sink} was away for too long"
            begin_event(self._ledger, OUTBOX_OVERFLOW, now, detail=detail, cause=cause, ended_at=now)

    def close(self) -> None:
        """Stop the threads; what waits is sent at the next start."""
        end = time.monotonic() + _CLOSE_S
        for delivery in self._deliveries:
            delivery.close(max(0.0, end - time.monotonic()))
        self._trimming.close(max(0.0, end - time.monotonic()))
        self._ledger.close()


def _record(name: str, sink: EventSinkConfig) -> SinkRecord:
    return SinkRecord(name, sink.type, str(sink.url), sink.kinds, sink.cameras)


def _rate(sink: EventSinkConfig) -> RateLimit:
    usual = _MAILS_PER_MINUTE if sink.type == "email" else None
    return RateLimit(sink.rate_limit or usual, time.monotonic())
