"""Minutes of cameras add up, on every database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.history.camera_minutes import (
    CameraMinute,
    add_camera_minutes,
    read_camera_minutes,
    sum_camera_minutes,
)
from streetloop.ledger.line_counts import minute_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


def test_parts_of_a_minute_add_up_and_the_highest_lag_stays(ledger: Ledger) -> None:
    now = minute_of(NOON)
    add_camera_minutes(ledger, {})
    add_camera_minutes(ledger, {("a", now): CameraMinute(500, 10, 4, 1, 90, {"stale": 2}, {"car": 1})})
    more = CameraMinute(500, 10, 6, 2, 40, {"stale": 1, "still": 3}, {"bus": 2})
    add_camera_minutes(ledger, {("a", now): more, ("b", now): CameraMinute(1000, 5)})
    found = read_camera_minutes(ledger, "a", NOON, NOON + HOUR)
    assert found == {now: CameraMinute(1000, 20, 10, 3, 90, {"stale": 3, "still": 3}, {"car": 1, "bus": 2})}
    assert read_camera_minutes(ledger, "a", NOON + HOUR, NOON + 2 * HOUR) == {}


def test_minutes_are_summed_by_camera_and_step(ledger: Ledger) -> None:
    now = minute_of(NOON)
    rows = {
        (name, now + k): CameraMinute(60_000, 600, 60 * (k + 1), 1, k) for name in "ab" for k in range(10)
    }
    add_camera_minutes(ledger, rows)
    found = sum_camera_minutes(ledger, NOON, NOON + HOUR, 5)
    assert set(found) == {("a", now), ("a", now + 5), ("b", now), ("b", now + 5)}
    assert found["a", now] == CameraMinute(300_000, 3000, 60 * 15, 5, 4)
    assert set(sum_camera_minutes(ledger, NOON, NOON + HOUR, 5, "b")) == {("b", now), ("b", now + 5)}


def test_more_keys_than_a_statement_takes(ledger: Ledger) -> None:
    now = minute_of(NOON)
    rows = {("a", now + k): CameraMinute(1000, 1) for k in range(700)}
    add_camera_minutes(ledger, rows)
    add_camera_minutes(ledger, rows)
    found = read_camera_minutes(ledger, "a", NOON, NOON + 20 * HOUR)
    assert len(found) == 700
    assert {one.decoded for one in found.values()} == {2}
