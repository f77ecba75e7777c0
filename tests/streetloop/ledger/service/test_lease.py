"""One process at a time runs the application of a ledger."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from streetloop.errors import ConfigError, LeaseLost, LedgerError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import begin_event, list_events
from streetloop.ledger.schema.tables import leases
from streetloop.ledger.service import lease as module
from streetloop.ledger.service.lease import Holder, Lease, hold_lease, holder_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

_HOLD = """
import sys
from streetloop.ledger import open_ledger
from streetloop.ledger.service.lease import hold_lease
with hold_lease(open_ledger(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BEAT_S", 0.05)
    monkeypatch.setattr(module, "_LOOK_S", 0.02)


def held_by(ledger: Ledger, **values: object) -> None:
    """Say that another holds the lease."""
    with ledger.transaction() as connection:
        connection.execute(update(leases).values(**values))


def test_a_second_application_is_refused_and_told_who_runs(ledger: Ledger) -> None:
    with hold_lease(ledger), pytest.raises(ConfigError, match="in use by process") as caught:
        hold_lease(ledger).__enter__()
    assert str(Holder.here()) in str(caught.value)
    assert holder_of(ledger) is None
    with hold_lease(ledger) as again:
        assert again.token == 2
        assert holder_of(ledger) == Holder.here()


def test_the_lease_of_a_process_that_was_killed_is_taken_at_once(ledger_url: str, ledger: Ledger) -> None:
    command = [sys.executable, "-c", _HOLD, ledger_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match=f"process {process.pid} on"):
            hold_lease(ledger).__enter__()
        process.kill()
        # A zombie until it is waited for, which counts as dead.
        with hold_lease(ledger, silent_s=1e9) as lease:
            assert lease.token == 2


def test_a_machine_that_is_silent_loses_it_and_may_not_write(ledger: Ledger) -> None:
    lost = threading.Event()
    with hold_lease(ledger) as old:
        old.on_loss(lost.set)
        begin_event(ledger, "drift", NOON)
        held_by(ledger, token=7, host="elsewhere")
        with pytest.raises(LeaseLost, match=r"process .* on elsewhere runs"):
            begin_event(ledger, "drift", NOON)
        assert lost.wait(60)
        assert len(list_events(ledger)) == 1
    assert holder_of(ledger) is not None, "the end of the old one does not touch the new one's"
    with hold_lease(ledger, silent_s=0.1) as new:
        assert new.token == 8
        begin_event(ledger, "drift", NOON)


def test_of_many_that_start_together_one_runs(ledger: Ledger) -> None:
    with hold_lease(ledger):
        pass
    start, held = threading.Barrier(4), []

    def run(_: int) -> str:
        start.wait()
        try:
            lease = Lease(ledger, module._take(ledger, Holder.here(), 60.0))
        except ConfigError as error:
            return str(error)
        lease.start()
        held.append(lease)
        return str(lease.token)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(run, range(4)))
    assert [one for one in found if one.isdigit()] == ["2"], found
    assert sum("in use by process" in one for one in found) == 3
    for lease in held:
        lease.close()


def test_a_lease_given_back_while_another_waits_is_taken(ledger: Ledger) -> None:
    with hold_lease(ledger):
        pass
    held_by(ledger, host="elsewhere")
    giving = threading.Timer(0.2, held_by, (ledger,), {"host": None})
    giving.start()
    with hold_lease(ledger, silent_s=1e9) as lease:
        assert lease.token == 2
    giving.join()


def test_a_ledger_that_is_away_does_not_end_the_lease(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    with hold_lease(ledger) as lease:
        change = lease._change

        def fail(**values: object) -> None:
            asked.set()
            monkeypatch.setattr(lease, "_change", change)
            raise LedgerError("the server is being restarted")

        monkeypatch.setattr(lease, "_change", fail)
        assert asked.wait(60)
        with pytest.raises(ConfigError):
            hold_lease(ledger).__enter__()
        assert not lease.is_lost
