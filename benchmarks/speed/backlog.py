"""How soon a sink that was away has all events that wait for it.

    python -m benchmarks.backlog [--events 10000] [--json]

Events of ten cameras are written while the receiver is down: a real webhook, a mosquitto, and a
broker of Kafka's protocol where they are installed. Deliveries go on trying for ``--away`` seconds,
by which they wait longest between attempts, as after ten minutes. Then the receiver returns.
"""

import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.report import finish, new_parser, parse_options
from flows.event_sinks.deliveries import EventDeliveries
from streetloop.alerting.sink_config import parse_sinks
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.alerts.event_changes import EventChange, list_changes
from streetloop.ledger.alerts.outbox import sink_states
from streetloop.ledger.events import begin_event
from tests.support.servers import event_receivers
from tests.support.servers.event_receivers import Receiver

_KINDS = ("webhook", "mqtt", "kafka")
_CAMERAS = 10
_PATIENCE_S = 300.0


def measure(kind: str, count: int, away_s: float, folder: Path) -> dict[str, Any]:
    """Figures of one kind of sink.

    Args:
        kind: Of `event_receivers.RECEIVERS`.
        count: Events that wait.
        away_s: Seconds for which the receiver is away.
        folder: Where ledger and receiver keep their files.
    """
    receiver = event_receivers.start(kind, folder)
    url = f"sqlite:///{folder / 'ledger.db'}"
    sinks = parse_sinks({"ops": {**receiver.config, "timeout_s": 5}})
    told = EventDeliveries(sinks, (), url, "UTC", lambda _: None)
    ledger = open_ledger(url)
    receiver.kill()
    left = time.monotonic()
    told.start()
    now = datetime.now(UTC)
    for number in range(count):
        begin_event(ledger, "queue", now, f"camera-{number % _CAMERAS}", ended_at=now)
    while time.monotonic() - left < away_s:
        time.sleep(0.1)
    waited = _waiting(ledger)
    began = time.monotonic()
    receiver.start()
    _wait_until_empty(ledger, began)
    took = time.monotonic() - began
    told.close()
    ids = _all_ids(receiver, waited)
    receiver.kill()
    found = {
        "waited": waited,
        "arrived": len(set(ids)),
        "twice": len(ids) - len(set(ids)),
        "in_order": _in_order(ids, ledger, count),
        "seconds_after_return": round(took, 1),
    }
    ledger.close()
    return found


def _all_ids(receiver: Receiver, count: int) -> list[str]:
    """What came; what the broker confirmed may be on its way to its subscriber."""
    end = time.monotonic() + 30.0
    while len(receiver.ids()) < count and time.monotonic() < end:
        time.sleep(0.2)
    return receiver.ids()


def _wait_until_empty(ledger: Ledger, began: float) -> None:
    while _waiting(ledger) and time.monotonic() - began < _PATIENCE_S:
        time.sleep(0.1)


def _waiting(ledger: Ledger) -> int:
    (state,) = sink_states(ledger)
    return state.waiting


def _in_order(ids: Sequence[str], ledger: Ledger, count: int) -> bool:
    """True if each camera's messages came as they were written."""
    place = {change.message["id"]: (change.camera_id, change.number) for change in _changes(ledger, count)}
    last: dict[str | None, int] = {}
    for one in dict.fromkeys(ids):
        camera, number = place.get(one, (None, 0))
        if camera is not None and number < last.get(camera, 0):
            return False
        last[camera] = number
    return True


def _changes(ledger: Ledger, count: int) -> Sequence[EventChange]:
    return list_changes(ledger, 0, 2 * count)


def main() -> None:
    """Measure and print."""
    parser = new_parser(__doc__)
    parser.add_argument("--events", type=int, default=10_000, help="events that wait")
    parser.add_argument("--away", type=float, default=60.0, help="seconds for which the receiver is away")
    options = parse_options(parser)
    figures: dict[str, Any] = {}
    for kind in _KINDS:
        with tempfile.TemporaryDirectory() as folder:
            figures[kind] = measure(kind, options.events, options.away, Path(folder))
    table = Table("sink", *next(iter(figures.values())), box=None)
    for kind, row in figures.items():
        table.add_row(kind, *(str(value) for value in row.values()))
    Console().print(table)
    finish(options, figures)


if __name__ == "__main__":
    main()
