"""Counts in the ledger: what is added twice is there twice, and nothing else is."""

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from streetloop.errors import LedgerError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.line_counts import (
    CountKey,
    CoverageKey,
    LineCounts,
    SpeedKey,
    add_line_counts,
    counted_lines,
    minute_of,
    read_line_counts,
)
from tests.support.samples.older_ledger import older_ledger

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
M = minute_of(NOON)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


def cars(count: int, minute: int = M, camera_id: str = "a", inferred: int = 0) -> LineCounts:
    key = CountKey(camera_id, minute, "gate", "in", "car")
    return LineCounts(
        Counter({key: count}),
        Counter({key: inferred}),
        Counter({CoverageKey(camera_id, minute, "gate"): 1000 * count}),
        Counter({SpeedKey(*key, 50): count}),
    )


def read(ledger: Ledger, camera_id: str = "a", minutes: int = 1) -> LineCounts:
    return read_line_counts(ledger, camera_id, NOON, NOON + HOUR, minutes)


def test_parts_of_a_minute_add_up(ledger: Ledger) -> None:
    add_line_counts(ledger, cars(2))
    add_line_counts(ledger, cars(3, inferred=1))
    assert read(ledger) == cars(5, inferred=1)


def test_cameras_lines_directions_and_classes_stay_apart(ledger: Ledger) -> None:
    keys = [
        CountKey("a", M, "gate", "in", "car"),
        CountKey("a", M, "gate", "in", ""),
        CountKey("a", M, "gate", "out", "car"),
        CountKey("a", M, "bridge", "in", "car"),
        CountKey("a", M + 1, "gate", "in", "car"),
        CountKey("b", M, "gate", "in", "car"),
    ]
    found = Counter({key: number + 1 for number, key in enumerate(keys)})
    add_line_counts(ledger, LineCounts(found))
    assert read(ledger).crossings == Counter({key: found[key] for key in keys[:5]})
    assert read(ledger, "b").crossings == Counter({keys[5]: 6})


def test_minutes_are_summed_from_multiples_of_their_number(ledger: Ledger) -> None:
    for minute in (0, 14, 15, 59, 60, -1):
        add_line_counts(ledger, cars(1, M + minute))
    found = read(ledger, minutes=15)
    assert {key.minute - M: count for key, count in found.crossings.items()} == {0: 2, 15: 1, 45: 1}
    assert {key.minute - M: ms for key, ms in found.covered_ms.items()} == {0: 2000, 15: 1000, 45: 1000}


def test_a_line_that_nothing_crossed_is_known(ledger: Ledger) -> None:
    assert counted_lines(ledger, "a") == []
    add_line_counts(ledger, LineCounts(covered_ms=Counter({CoverageKey("a", M, "quiet"): 1})))
    add_line_counts(ledger, cars(1))
    add_line_counts(ledger, cars(1, camera_id="b"))
    assert counted_lines(ledger, "a") == ["gate", "quiet"]


def test_what_fails_leaves_nothing(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        connection.execute(text("alter table line_coverage rename to gone"))
    with pytest.raises(LedgerError, match="line_coverage"):
        add_line_counts(ledger, cars(1))
    with ledger.transaction() as connection:
        connection.execute(text("alter table gone rename to line_coverage"))
    assert not read(ledger)


def _add_ten(url: str) -> None:
    ledger = open_ledger(url)
    for _ in range(10):
        add_line_counts(ledger, cars(1))
    ledger.close()


def test_processes_that_write_at_once_lose_nothing(ledger_url: str, ledger: Ledger) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_add_ten, args=(ledger_url,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert read(ledger) == cars(20)


def test_a_ledger_from_before_there_were_counts_gets_them(empty_url: str) -> None:
    older_ledger(empty_url, "v5").dispose()
    newer = open_ledger(empty_url)
    add_line_counts(newer, cars(1))
    assert read(newer) == cars(1)
    newer.close()


def test_sums_know_their_minutes_and_whether_there_is_anything() -> None:
    assert not LineCounts()
    assert not cars(0) + cars(0)
    whole = cars(1) + cars(1, M + 1) + cars(1, camera_id="b")
    assert whole
    assert whole.minutes == 3
