"""Who is told of events: sinks, mutes, and the stream of changes."""

import threading
import time
from datetime import UTC, datetime

from flows.service.parts.state import ServiceState
from streetloop.alerting.mute import Mute
from streetloop.control.alert_views import ChangeView, MuteView, SinkTestView, SinkView
from streetloop.errors import NotFound
from streetloop.ledger.alerts.event_changes import EventChange, last_change_number, list_changes, note_test
from streetloop.ledger.alerts.mutes import MuteRecord, add_mute, list_mutes, remove_mute
from streetloop.ledger.alerts.outbox import AWAY, SinkState, sink_states, still_waits

_TEST_S = 15.0
_LOOK_S = 0.2


class AlertService(ServiceState):
    """See `streetloop.control.port.Control`."""

    def sinks(self) -> list[SinkView]:
        """See `Control.sinks`."""
        now = datetime.now(UTC)
        return [sink_view(state, now) for state in sink_states(self._ledger)]

    def test_sink(self, name: str) -> SinkTestView:
        """See `Control.test_sink`."""
        found = [one.name for one in self.sinks() if one.state != "gone"]
        if name not in found:
            known = f"there are {', '.join(found)}" if found else "the newest run had none"
            raise NotFound(f"there is no sink {name!r}; {known}")
        number = note_test(self._ledger, name, datetime.now(UTC))
        end, never = time.monotonic() + _TEST_S, threading.Event()
        while still_waits(self._ledger, name, number):
            if time.monotonic() > end:
                return SinkTestView(sink=name, delivered=False, error=self._why_it_waits(name))
            never.wait(_LOOK_S)
        return SinkTestView(sink=name, delivered=True)

    def mutes(self) -> list[MuteView]:
        """See `Control.mutes`."""
        return [_mute_view(one) for one in list_mutes(self._ledger, datetime.now(UTC))]

    def mute(self, mute: Mute, author: str) -> MuteView:
        """See `Control.mute`."""
        zone = self._settings.timezone
        return _mute_view(add_mute(self._ledger, mute, zone, author, datetime.now(UTC)))

    def unmute(self, number: int) -> None:
        """See `Control.unmute`."""
        if not remove_mute(self._ledger, number):
            raise NotFound(f"there is no mute {number}")

    def event_changes(self, after: int | None, limit: int, camera_id: str | None = None) -> list[ChangeView]:
        """See `Control.event_changes`."""
        if after is None:
            after = last_change_number(self._ledger) - 1
        return [_change_view(one) for one in list_changes(self._ledger, after, limit, camera_id)]

    def _why_it_waits(self, name: str) -> str:
        (state,) = sink_states(self._ledger, [name])
        return state.error or "it waits in the outbox; `streetloop run` and `up` send it"


def sink_view(state: SinkState, now: datetime) -> SinkView:
    """How a sink fares.

    Args:
        state: As the ledger has it.
        now: Now (UTC).
    """
    word = "well" if state.failing_since is None else "failing"
    if state.failing_since is not None and now - state.failing_since >= AWAY:
        word = "away"
    sink, oldest = state.sink, state.oldest_at
    return SinkView(
        name=sink.name,
        type=sink.type,
        address=sink.address,
        state=word if state.listed else "gone",
        kinds=None if sink.kinds is None else list(sink.kinds),
        cameras=None if sink.cameras is None else list(sink.cameras),
        waiting=state.waiting,
        oldest_age_s=None if oldest is None else max(0.0, (now - oldest).total_seconds()),
        delivered=state.delivered,
        dropped=state.dropped,
        delivered_at=state.delivered_at,
        failing_since=state.failing_since,
        error=state.error,
    )


def _mute_view(record: MuteRecord) -> MuteView:
    return MuteView(
        id=record.id, zone=record.zone, author=record.author, at=record.at, **record.mute.model_dump()
    )


def _change_view(change: EventChange) -> ChangeView:
    return ChangeView(number=change.number, change=change.change, message=dict(change.message))
