"""The outbox and real receivers: away, back, and a process killed between write and send."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.event_sinks.deliveries import EventDeliveries
from streetloop.alerting.sink_config import parse_sinks
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.alerts.event_changes import list_changes
from streetloop.ledger.alerts.outbox import sink_states
from streetloop.ledger.events import begin_event
from tests.support.servers import event_receivers
from tests.support.servers.event_receivers import RECEIVERS, HttpReceiver, KafkaReceiver, Receiver
from tests.support.stream_flow.fakes import eventually

pytestmark = pytest.mark.broker

_EVENTS = 300
_BACK_S = 60.0
_NOW = datetime.now(UTC)
_DYING = """
import sys, threading
from flows.event_sinks.deliveries import EventDeliveries
from streetloop.alerting.sink_config import parse_sinks
sinks = parse_sinks({"ops": {"type": "webhook", "url": sys.argv[2]}})
EventDeliveries(sinks, (), sys.argv[1], "UTC", print).start()
threading.Event().wait()
"""


@pytest.fixture(params=RECEIVERS)
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Receiver]:
    receiver = event_receivers.start(request.param, tmp_path)
    yield receiver
    receiver.kill()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


def deliveries(receiver: Receiver, folder: Path) -> EventDeliveries:
    config = {**receiver.config, "timeout_s": 5}
    if config["type"] == "email":
        config["rate_limit"] = 6000
    url = f"sqlite:///{folder / 'ledger.db'}"
    return EventDeliveries(parse_sinks({"ops": config}), (), url, "UTC", lambda _: None)


def waiting(ledger: Ledger) -> int:
    (state,) = sink_states(ledger)
    return state.waiting


def test_events_of_a_sink_that_was_away_arrive_in_order_and_once(
    receiver: Receiver, ledger: Ledger, tmp_path: Path
) -> None:
    told = deliveries(receiver, tmp_path)
    receiver.kill()
    told.start()
    for number in range(_EVENTS):
        begin_event(ledger, "queue", _NOW, ("a40", "m4")[number % 2])
    eventually(lambda: sink_states(ledger)[0].error is not None)
    receiver.start()
    began = time.monotonic()
    eventually(lambda: waiting(ledger) == 0, _BACK_S, 0.05)
    print(f"{_EVENTS} events in {time.monotonic() - began:.1f} s", file=sys.stderr)
    told.close()
    sent = [one.message["id"] for one in list_changes(ledger, 0, 2 * _EVENTS) if one.kind == "queue"]
    eventually(lambda: len(receiver.ids()) >= len(sent))
    if isinstance(receiver, KafkaReceiver):  # ordered by camera, not over the partitions
        for key in ("a40", "m4"):
            got = [value["number"] for camera, value in receiver.records() if camera == key]
            assert got == sorted(set(got))
        assert sorted(receiver.ids()) == sorted(sent)
    else:
        assert receiver.ids() == sent


def test_what_a_killed_process_did_not_see_confirmed_is_sent_at_the_next_start(
    ledger: Ledger, tmp_path: Path
) -> None:
    receiver = HttpReceiver()
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    command = [sys.executable, "-c", _DYING, url, receiver.config["url"]]
    with receiver.frozen():
        process = subprocess.Popen(command)
        try:
            eventually(lambda: bool(sink_states(ledger)))
            for _ in range(5):
                begin_event(ledger, "queue", _NOW, "a40")
            eventually(lambda: receiver.asked > 0)
        finally:
            process.kill()
            process.wait(60)
    assert waiting(ledger) == 5
    told = deliveries(receiver, tmp_path)
    told.start()
    eventually(lambda: waiting(ledger) == 0)
    told.close()
    receiver.kill()
    sent = [one.message["id"] for one in list_changes(ledger, 0, 9)]
    got = receiver.ids()
    assert list(dict.fromkeys(got)) == sent
    assert len(got) <= 6, "only the one under way may come twice"
