"""The delivery of a sink, step by step and on its thread, with sinks that behave as scripted."""

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from flows.event_sinks.deliveries import OUTBOX_OVERFLOW, EventDeliveries
from flows.event_sinks.delivery import SINK_AWAY, Delivery
from flows.event_sinks.event_sink import EventSink
from flows.event_sinks.rate_limit import RateLimit
from flows.stream.sources.backoff import Backoff
from streetloop.alerting.sink_config import EventSinkConfig, parse_sinks
from streetloop.errors import EventSinkError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.alerts.event_changes import EventChange
from streetloop.ledger.alerts.outbox import AWAY, SinkRecord, list_sinks, sink_states
from streetloop.ledger.events import begin_event, list_events
from tests.support.stream_flow.fakes import FakeClock, eventually


class ScriptedSink:
    """Takes everything but what `refuses` says.

    Attributes:
        got: Kinds of the changes that it took.
        refuses: How many changes of the next calls it takes before it fails; None for all.
        called: Set by each call.
        hold: Calls wait for it.
    """

    batch_size = 3

    def __init__(self, batches: bool = False) -> None:
        self.batches = batches
        self.got: list[str] = []
        self.calls = 0
        self.refuses: list[int | None] = []
        self.called = threading.Event()
        self.hold = threading.Event()
        self.hold.set()
        self.closed = False

    def send(self, changes: Sequence[EventChange]) -> None:
        self.called.set()
        self.hold.wait(60)
        self.calls += 1
        most = self.refuses.pop(0) if self.refuses else None
        self.got += [one.kind for one in changes[:most]]
        if most is not None:
            raise EventSinkError("cannot be reached", most)

    def close(self) -> None:
        self.closed = True


class Bench:
    """A ledger with one sink, and its delivery."""

    def __init__(self, folder: Path, rate: float | None = None, batches: bool = False) -> None:
        self.ledger: Ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
        list_sinks(self.ledger, [SinkRecord("ops", "webhook", "https://host")])
        self.clock, self.sink = FakeClock(), ScriptedSink(batches)
        self.said: list[str] = []
        self.delivery = Delivery(
            "ops",
            self.sink,
            self.ledger,
            RateLimit(rate, 0.0),
            self.clock,
            self.said.append,
            Backoff(0.01, 0.02),
        )

    def happen(self, *kinds: str) -> None:
        for kind in kinds:
            begin_event(self.ledger, kind, self.clock.now(), "a40")

    def steps(self, count: int = 1) -> list[float]:
        return [self.delivery.step() for _ in range(count)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.ledger.close()


def test_what_waits_is_sent_in_order_and_once(bench: Bench) -> None:
    bench.happen("a", "b", "c", "d")
    assert bench.steps(2) == [0.0, 0.0]
    assert bench.sink.got == ["a", "b", "c", "d"]
    (idle_s,) = bench.steps()
    assert idle_s > 0
    assert bench.sink.calls == 2


def test_what_was_not_taken_is_sent_again_and_nothing_else(bench: Bench) -> None:
    bench.happen("a", "b", "c")
    bench.sink.refuses = [1, 0, None]
    assert all(wait_s > 0 for wait_s in bench.steps(2))
    (state,) = sink_states(bench.ledger)
    assert (state.waiting, state.delivered, state.error) == (2, 1, "cannot be reached")
    bench.steps()
    assert bench.sink.got == ["a", "b", "c"]
    assert sink_states(bench.ledger)[0].failing_since is None
    assert bench.said == ["sink ops: events wait: cannot be reached", "sink ops: events are sent again"]


def test_a_sink_that_is_away_for_long_is_an_event_that_ends_with_its_return(bench: Bench) -> None:
    bench.happen("a")
    bench.sink.refuses = [0, 0, 0]
    bench.steps()
    assert list_events(bench.ledger, kind=SINK_AWAY) == []
    since = bench.clock.now()
    bench.clock.advance(AWAY.total_seconds())
    bench.steps(2)
    (event,) = list_events(bench.ledger, kind=SINK_AWAY)
    assert (event.started_at, event.ended_at, event.detail) == (since, None, {"sink": "ops"})
    bench.steps()
    (event,) = list_events(bench.ledger, kind=SINK_AWAY)
    assert event.ended_at == bench.clock.now()
    bench.steps(2)
    assert bench.sink.got[0] == "a"
    assert bench.sink.got[1:] == [SINK_AWAY, SINK_AWAY]


def test_what_is_faster_than_the_rate_limit_waits(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rate=2)
    bench.happen(*"abcdef")
    bench.steps(4)
    assert bench.sink.got == ["a", "b"]
    bench.clock.advance(60)
    bench.steps(4)
    assert bench.sink.got == ["a", "b", "c", "d"]


def test_a_send_of_many_counts_as_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rate=1, batches=True)
    bench.happen(*"abcd")
    bench.steps(4)
    assert bench.sink.got == ["a", "b", "c"]
    bench.clock.advance(60)
    bench.steps(4)
    assert bench.sink.got == ["a", "b", "c", "d"]


def test_a_process_that_ends_sends_what_waits_and_one_that_is_killed_leaves_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.sink.hold.clear()
    bench.happen("a", "b")
    bench.delivery.start()
    assert bench.sink.called.wait(60)
    bench.happen("c")
    bench.delivery.close(0.05)  # like a kill: the send under way never returns
    assert sink_states(bench.ledger)[0].waiting == 3
    bench.sink.hold.set()
    eventually(lambda: bench.sink.closed)
    again = Bench(tmp_path)
    again.delivery.start()
    again.delivery.close(10)
    assert again.sink.got[-1] == "c"
    assert again.sink.closed
    assert sink_states(again.ledger)[0].waiting == 0


def test_a_step_that_fails_for_any_reason_is_tried_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.happen("a")
    bench.sink.refuses = ["x", None]  # type: ignore[list-item]
    bench.delivery.start()
    eventually(lambda: bench.sink.got == ["a"])
    bench.delivery.close(10)
    assert "sink ops: a step failed" in caplog.text


SINKS = parse_sinks({name: {"type": "webhook", "url": f"http://{name}"} for name in ("slow", "quick")})


class Deliveries:
    """All deliveries of two sinks."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'ledger.db'}"
        self.sinks = {"http://slow": ScriptedSink(), "http://quick": ScriptedSink()}
        self.clock = FakeClock()
        self.all = EventDeliveries(SINKS, (), self.url, "UTC", lambda _: None, self._make, self.clock)
        self.ledger = open_ledger(self.url)

    def _make(self, config: EventSinkConfig) -> EventSink:
        return self.sinks[config.url.reveal()]


def test_a_slow_sink_does_not_slow_another(tmp_path: Path) -> None:
    deliveries = Deliveries(tmp_path)
    slow, quick = deliveries.sinks.values()
    slow.hold.clear()
    deliveries.all.start()
    for kind in "abcde":
        begin_event(deliveries.ledger, kind, deliveries.clock.now())
    eventually(lambda: quick.got == list("abcde"))
    assert slow.got == []
    slow.hold.set()
    eventually(lambda: slow.got == list("abcde"))
    deliveries.all.close()


def test_what_is_dropped_is_an_event_of_its_sink(tmp_path: Path) -> None:
    deliveries = Deliveries(tmp_path)
    begin_event(deliveries.ledger, "a", deliveries.clock.now())
    deliveries.clock.advance(timedelta(days=3650).total_seconds())
    deliveries.all.trim()
    found = list_events(deliveries.ledger, kind=OUTBOX_OVERFLOW)
    assert sorted(event.detail["sink"] for event in found) == ["quick", "slow"]
    assert {event.detail["dropped"] for event in found} == {1}
    assert all(event.ended_at == event.started_at for event in found)
