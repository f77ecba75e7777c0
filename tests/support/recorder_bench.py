"""A recorder of events over a real ledger, for tests."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

from flows.runtime.workers.stream_fleet import FleetReport
from streetloop.clock import Clock
from streetloop.ledger import open_ledger
from streetloop.ledger.events import Event, begin_event, list_events
from tests.support.stream_flow.build import NOON
from tests.support.stream_flow.fakes import FakeClock


class Recorder(Protocol):
    """What the recorders of anomalies and of outages have in common."""

    def take(self, report: FleetReport) -> None: ...

    def leave(self, cameras: Collection[str]) -> None: ...

    def close(self) -> None: ...


class RecorderBench:
    """A recorder, and the events that it has written.

    Attributes:
        url: URL of the ledger.
        clock: The recorder's clock.
        told: What people were told.
        recorder: The recorder.
    """

    def __init__(self, make: Callable[[str, Clock, Callable[[str], None]], Recorder], folder: Path) -> None:
        self.url, self.clock = f"sqlite:///{folder / 'ledger.db'}", FakeClock()
        self.told: list[str] = []
        self.recorder = make(self.url, self.clock, self.told.append)

    def events(self) -> list[Event]:
        """All of them, the oldest first."""
        ledger = open_ledger(self.url)
        found = list_events(ledger)
        ledger.close()
        return sorted(found, key=lambda event: event.id)

    def began_before(self, *kinds: str) -> None:
        """A run before has left open events of camera a."""
        ledger = open_ledger(self.url)
        for kind in kinds:
            begin_event(ledger, kind, NOON, "a")
        ledger.close()

    def open_kinds(self) -> list[str]:
        """Kinds of the events that are not over."""
        ledger = open_ledger(self.url)
        found = [event.kind for event in list_events(ledger, only_open=True)]
        ledger.close()
        return found
