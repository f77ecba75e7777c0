"""What happens between reports is added to its minute; a gap stays a gap."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from flows.runtime.observers import minute_recorder
from flows.runtime.observers.minute_recorder import MinuteRecorder
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import Account
from flows.stream.ingest.camera_state import CameraState
from streetloop.errors import LedgerError
from streetloop.ledger import open_ledger
from streetloop.ledger.history.camera_minutes import CameraMinute, read_camera_minutes
from streetloop.ledger.line_counts import minute_of
from tests.support.stream_flow.fakes import FakeClock

LIVE = CameraStatus("a", CameraState.LIVE, lag_p95_s=0.2)


class Recording:
    """A recorder on a clock that a test moves."""

    def __init__(self, path: Path) -> None:
        self.url, self.told = f"sqlite:///{path / 'ledger.db'}", list[str]()
        self.clock = FakeClock()
        self.began: datetime = self.clock.now()
        self.recorder = MinuteRecorder(self.url, self.clock, self.told.append)

    def take(self, status: CameraStatus, after_s: float) -> None:
        self.clock.advance(after_s)
        self.recorder.take({"a": status})

    def minutes(self) -> dict[int, CameraMinute]:
        ledger = open_ledger(self.url)
        found = read_camera_minutes(ledger, "a", self.began, self.began + timedelta(hours=2))
        ledger.close()
        return {minute - minute_of(self.began): one for minute, one in found.items()}


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path)


def status(decoded: int, detected: int, cars: int = 0, **reasons: int) -> CameraStatus:
    account = Account(decoded, detected, reasons=reasons)
    return replace(LIVE, account=account, objects_by_class={"car": cars} if cars else {})


def test_differences_are_added_to_the_minute_of_the_later_report(recording: Recording) -> None:
    recording.take(status(10, 5), 0)
    recording.take(status(30, 15, cars=2, stale=4), 5)
    recording.take(status(50, 20, cars=3, stale=4), 6)
    recording.recorder.close()
    (found,) = recording.minutes().values()
    assert found == CameraMinute(11_000, 50, 20, 3, 200, {"stale": 4}, {"car": 3})


def test_a_lost_camera_leaves_a_gap(recording: Recording) -> None:
    recording.take(status(10, 5), 0)
    lost = replace(status(10, 5), state=CameraState.LOST)
    for _ in range(30):
        recording.take(lost, 6)
    recording.take(status(20, 10), 6)
    recording.recorder.close()
    found = recording.minutes()
    assert sum(one.decoded for one in found.values()) == 20
    assert len(found) == 2
    assert max(found) - min(found) >= 2


def test_a_process_that_counts_anew_takes_nothing_away(recording: Recording) -> None:
    recording.take(status(100, 50), 0)
    recording.take(status(10, 5), 5)
    recording.recorder.leave(["a"])
    recording.take(status(7, 5), 5)
    recording.recorder.close()
    assert sum(one.decoded for one in recording.minutes().values()) == 117


def test_what_the_ledger_does_not_take_is_kept(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise LedgerError("database or disk is full")

    with monkeypatch.context() as full:
        full.setattr(minute_recorder, "add_camera_minutes", refuse)
        recording.take(status(10, 5), 0)
        recording.take(status(20, 9), 11)
        recording.take(status(30, 12), 11)
    assert len(recording.told) == 1
    assert "disk is full" in recording.told[0]
    recording.recorder.close()
    assert sum(one.decoded for one in recording.minutes().values()) == 30
