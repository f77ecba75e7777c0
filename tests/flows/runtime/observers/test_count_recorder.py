"""Counts reach the ledger once, whatever happens to it meanwhile."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.runtime.observers import count_recorder
from flows.runtime.observers.count_recorder import CountRecorder
from streetloop.errors import LedgerError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.line_counts import (
    CountKey,
    CoverageKey,
    LineCounts,
    add_line_counts,
    minute_of,
    read_line_counts,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def cars(count: int) -> LineCounts:
    minute = minute_of(NOON)
    return LineCounts(
        Counter({CountKey("a", minute, "gate", "in", "car"): count}),
        covered_ms=Counter({CoverageKey("a", minute, "gate"): 10 * count}),
    )


class Disk:
    """A ledger that may be full.

    Attributes:
        is_full: Whether a write fails; it fails before anything is written.
        writes: How often one was tried.
        now_s: The monotonic clock.
        told: What people were told.
    """

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url = f"sqlite:///{path / 'ledger.db'}"
        self.is_full, self.writes, self.now_s = False, 0, 0.0
        self.told: list[str] = []
        monkeypatch.setattr(count_recorder, "add_line_counts", self._write)

    def _write(self, ledger: Ledger, found: LineCounts) -> None:
        self.writes += 1
        if self.is_full:
            raise LedgerError("database or disk is full")
        add_line_counts(ledger, found)

    def recorder(self) -> CountRecorder:
        return CountRecorder(self.url, self.told.append, 2.0, lambda: self.now_s)

    def cars(self) -> int:
        ledger = open_ledger(self.url)
        found = read_line_counts(ledger, "a", NOON, NOON + timedelta(hours=1))
        ledger.close()
        assert sum(found.covered_ms.values()) == 10 * found.crossings.total()
        return found.crossings.total()


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(tmp_path, monkeypatch)


def test_counts_are_written_every_two_seconds_and_at_the_end(disk: Disk) -> None:
    recorder = disk.recorder()
    recorder.take(cars(1))
    assert (disk.cars(), disk.writes) == (1, 1)
    for _ in range(3):
        disk.now_s += 0.5
        recorder.take(cars(1))
    assert (disk.cars(), disk.writes) == (1, 1)
    disk.now_s += 0.5
    recorder.take(LineCounts())
    assert (disk.cars(), disk.writes) == (4, 2)
    recorder.take(cars(1))
    recorder.close()
    assert (disk.cars(), recorder.faults, disk.told) == (5, [], [])


def test_a_full_disk_loses_no_count(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    recorder = disk.recorder()
    recorder.take(cars(1))
    disk.is_full = True
    for _ in range(3):
        disk.now_s += 2
        recorder.take(cars(1))
    assert disk.cars() == 1
    assert len(caplog.records) == 3, "each failure is an error that the metric counts"
    disk.is_full = False
    disk.now_s += 2
    recorder.take(LineCounts())
    assert disk.cars() == 4
    recorder.close()
    assert recorder.faults == []
    assert disk.told == [
        "line counts are kept until the ledger can be written: database or disk is full",
        "line counts are written again; none is lost",
    ]


def test_counts_that_cannot_be_written_at_the_end_are_a_fault_of_the_run(disk: Disk) -> None:
    recorder = disk.recorder()
    disk.is_full = True
    recorder.take(cars(1))
    recorder.close()
    assert recorder.faults == ["line counts of 1 camera minutes are lost: database or disk is full"]


def test_without_counts_no_ledger_is_opened(disk: Disk, tmp_path: Path) -> None:
    recorder = disk.recorder()
    recorder.take(LineCounts())
    recorder.close()
    assert list(tmp_path.iterdir()) == []
