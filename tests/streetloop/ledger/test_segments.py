from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table

from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import begin_event, end_event, times_of_events
from streetloop.ledger.history.recorded_hours import RecordedHour, find_hours, hour_number
from streetloop.ledger.segments import (
    Segment,
    add_segment,
    find_segment,
    find_segments,
    recorded_cameras,
    remove_segments,
)
from streetloop.sqlite_url import sqlite_url
from tests.support.samples.older_ledger import older_ledger
from tests.support.stream_flow.build import NOON

_MINUTE = timedelta(minutes=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(sqlite_url(tmp_path / "ledger.db"))
    yield ledger
    ledger.close()


def _segment(minute: int, camera: str = "a") -> Segment:
    start = NOON + minute * _MINUTE
    gap = start + timedelta(seconds=5), start + timedelta(seconds=9)
    key = f"archive/{camera}/{minute}.mp4"
    return Segment(
        key, camera, start, start + _MINUTE, 10, "f" * 64, "h264", 64, 48, (gap,), 0.5, 0.1, "r", 7, 2.5
    )


def test_segments_come_back_as_they_were_and_once(ledger: Ledger) -> None:
    add_segment(ledger, _segment(0))
    add_segment(ledger, replace(_segment(0), bytes=99))
    assert find_segments(ledger) == [_segment(0)]
    assert find_segment(ledger, _segment(0).key) == _segment(0)
    assert find_segment(ledger, "nothing") is None


def test_those_of_a_camera_that_overlap_a_period_are_found_in_order(ledger: Ledger) -> None:
    for minute in (3, 1, 2, 0):
        add_segment(ledger, _segment(minute))
    add_segment(ledger, _segment(1, "b"))
    half = timedelta(seconds=30)
    found = find_segments(ledger, "a", NOON + _MINUTE + half, NOON + 2 * _MINUTE + half)
    assert found == [_segment(1), _segment(2)]
    assert find_segments(ledger, "a", NOON + _MINUTE, NOON + 2 * _MINUTE) == [_segment(1)]
    assert recorded_cameras(ledger) == {"a": 40, "b": 10}


def test_removed_segments_are_gone(ledger: Ledger) -> None:
    for minute in range(3):
        add_segment(ledger, _segment(minute))
    remove_segments(ledger, [_segment(minute).key for minute in range(1, 1200)])
    assert find_segments(ledger) == [_segment(0)]


def test_events_of_a_camera_are_found_by_time_and_count_for_ten_minutes(ledger: Ledger) -> None:
    number = begin_event(ledger, "stopped_vehicle", NOON, "a")
    begin_event(ledger, "store_failed", NOON)
    begin_event(ledger, "stopped_vehicle", NOON, "b")
    assert times_of_events(ledger, "a", NOON, NOON + _MINUTE) == [(NOON, NOON + _MINUTE)]
    end_event(ledger, number, NOON + 60 * _MINUTE)
    assert times_of_events(ledger, "a", NOON, NOON + 30 * _MINUTE) == [(NOON, NOON + 10 * _MINUTE)]
    assert times_of_events(ledger, "a", NOON + 11 * _MINUTE, NOON + 12 * _MINUTE) == []


def test_the_hours_of_a_camera_follow_its_segments(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    for minute in (59, 0, 1, 0):
        add_segment(ledger, _segment(minute))
    late = replace(_segment(59, "b"), started_at=NOON + timedelta(minutes=59.5))
    add_segment(ledger, replace(late, ended_at=NOON + timedelta(minutes=60.5), gaps=(), motion=None))
    hour = hour_number(NOON)
    runs = [[0.0, 5.0, 1], [9.0, 65.0, 1], [69.0, 120.0, 1], [3540.0, 3545.0, 1], [3549.0, 3600.0, 1]]
    assert _day(ledger) == {
        "a": [RecordedHour("a", hour, 3, 30, runs)],
        "b": [
            RecordedHour("b", hour, 1, 10, [[3570.0, 3600.0, 0]]),
            RecordedHour("b", hour + 1, 0, 0, [[0.0, 30.0, 0]]),
        ],
    }
    remove_segments(ledger, [_segment(minute, camera).key for camera in "ab" for minute in (1, 59)])
    assert _day(ledger) == {"a": [RecordedHour("a", hour, 1, 10, [runs[0], [9.0, 60.0, 1]])]}
    ledger.close()


def test_a_ledger_from_before_the_hours_gets_them(empty_url: str) -> None:
    engine = older_ledger(empty_url, "v20")
    old = Table("segments", MetaData(), autoload_with=engine)
    made = [_segment(minute, camera) for camera in "ab" for minute in (0, 59, 60)]
    with engine.begin() as connection:
        for one in made:
            gaps = [[start.isoformat(), end.isoformat()] for start, end in one.gaps]
            connection.execute(old.insert().values(asdict(one) | {"gaps": gaps}))
    engine.dispose()
    ledger = open_ledger(empty_url)
    found = _day(ledger)
    remove_segments(ledger, [one.key for one in made])
    for one in made:
        add_segment(ledger, one)
    assert found == _day(ledger)
    assert [hour.segments for hour in found["b"]] == [2, 1]
    ledger.close()


def _day(ledger: Ledger) -> dict[str, list[RecordedHour]]:
    return find_hours(ledger, NOON, NOON + timedelta(hours=12))
