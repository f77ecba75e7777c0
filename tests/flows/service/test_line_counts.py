"""Counts in bins: what was counted, and what nobody looked at."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flows.service.line_counts import line_counts
from streetloop.cameras.camera_file import Camera, parse_camera
from streetloop.cameras.speed_summary import SpeedSummary
from streetloop.control.history.count_view import CountView
from streetloop.errors import ConfigError, NotFound
from tests.support.control_service import FILE, Content
from tests.support.samples.old_home import Old

NOW = datetime(2026, 11, 1, 12, 20, tzinfo=UTC)
HALF_PAST = NOW + timedelta(seconds=30)
BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
A40, CROSSING = (parse_camera(one) for one in FILE)  # the first has a line "in", the second none


@pytest.fixture
def content(tmp_path: Path) -> Iterator[Content]:
    content = Content(tmp_path / "home")
    yield content
    content.ledger.close()


def counted(
    content: Content,
    since: str = "2026-11-01T12:00",
    bin_name: str = "15m",
    *,
    camera: Camera | None = A40,
    camera_id: str = "a40",
    line: str | None = None,
    zone: ZoneInfo = UTC_ZONE,
    now: datetime = NOW,
) -> list[CountView]:
    return line_counts(content.ledger, camera_id, camera, since, bin_name, line, zone, now)


def table(views: list[CountView], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(getattr(view, name) for name in names) for view in views]


def test_counts_by_bin_direction_and_class(content: Content) -> None:
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    car, bus = ("gate", "in", "car"), ("gate", "out", "bus")
    content.add_counts(noon, {car: 3}, {"gate": 60}, inferred=1)
    content.add_counts(noon + timedelta(minutes=14), {car: 2, bus: 1}, {"gate": 30})
    content.add_counts(noon + timedelta(minutes=15), {bus: 4}, {"gate": 60})
    content.add_counts(noon, {car: 99}, {"gate": 60}, camera_id="b")
    views = counted(content)
    assert table(views, "line", "direction", "class_name", "count", "inferred", "coverage") == [
        ("gate", "in", "bus", 0, 0, 0.1),
        ("gate", "in", "car", 5, 1, 0.1),
        ("gate", "out", "bus", 1, 0, 0.1),
        ("gate", "out", "car", 0, 0, 0.1),
        ("gate", "in", "bus", 0, 0, 0.0667),
        ("gate", "in", "car", 0, 0, 0.0667),
        ("gate", "out", "bus", 4, 0, 0.0667),
        ("gate", "out", "car", 0, 0, 0.0667),
    ]
    assert {(view.start, view.end) for view in views} == {
        (noon, noon + timedelta(minutes=15)),
        (noon + timedelta(minutes=15), noon + timedelta(minutes=30)),
    }


def test_nothing_crossed_is_not_the_same_as_nobody_looked(content: Content) -> None:
    content.add_counts(NOW - timedelta(minutes=2), {}, {"gate": 60, "bridge": 60})
    content.add_counts(NOW - timedelta(minutes=2), {("bridge", "in", "car"): 1})
    views = counted(content, "3m", "1m")
    assert table([v for v in views if v.line == "gate"], "direction", "class_name", "count", "coverage") == [
        ("in", None, 0, 0.0),
        ("out", None, 0, 0.0),
        ("in", None, 0, 1.0),
        ("out", None, 0, 1.0),
        ("in", None, 0, 0.0),
        ("out", None, 0, 0.0),
        ("in", None, 0, 0.0),
        ("out", None, 0, 0.0),
    ]
    assert [v.class_name for v in views if v.line == "bridge"] == ["car"] * 8


def test_a_track_whose_class_is_unknown_is_counted(content: Content) -> None:
    content.add_counts(NOW, {("gate", "in", ""): 2, ("gate", "in", "car"): 1}, {"gate": 60})
    assert table(counted(content, "30s", "1m", now=HALF_PAST), "direction", "class_name", "count") == [
        ("in", None, 2),
        ("in", "car", 1),
        ("out", None, 0),
        ("out", "car", 0),
    ]


def test_a_line_that_was_not_there_yet_is_not_covered(content: Content) -> None:
    content.add_counts(NOW - timedelta(minutes=1), {}, {"gate": 60})
    content.add_counts(NOW, {}, {"gate": 60, "newer": 60})
    newer = [v.coverage for v in counted(content, "1m", "1m") if v.line == "newer"]
    assert newer == [0.0, 0.0, 1.0, 1.0]


def test_more_than_the_whole_is_the_whole(content: Content) -> None:
    content.add_counts(NOW, {}, {"gate": 61})
    assert {v.coverage for v in counted(content, "30s", "1m", now=HALF_PAST)} == {1.0}


# The clock changes


@pytest.mark.parametrize(
    ("day", "hours", "twice"),
    [("2026-03-29", 23, False), ("2026-10-25", 25, True), ("2026-10-26", 24, False)],
)
def test_the_bins_of_a_day_hold_all_of_it_once(content: Content, day: str, hours: int, twice: bool) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=BERLIN).astimezone(UTC)
    for quarter in range(4 * hours):
        minute = start + timedelta(minutes=15 * quarter + 7)
        content.add_counts(minute, {("gate", "in", "car"): 1}, {"gate": 60})
    end = start + timedelta(hours=hours) - timedelta(seconds=1)
    for bin_name, bins, each in (("1d", 1, 4 * hours), ("1h", hours, 4), ("15m", 4 * hours, 1)):
        found = [v for v in counted(content, day, bin_name, zone=BERLIN, now=end) if v.direction == "in"]
        assert [v.count for v in found] == [each] * bins
        assert {v.coverage for v in found} == {0.0667}
        starts = [v.model_dump(mode="json")["start"] for v in found]
        assert len(set(starts)) == bins
        assert starts[0].startswith(f"{day}T00:00:00+0")
        clock = [text[11:16] for text in starts]
        assert (clock.count("02:00") == 2) == (twice and bins > 1)


def test_times_have_the_offset_that_holds_then(content: Content) -> None:
    content.add_counts(NOW, {}, {"gate": 60})
    now = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    found = counted(content, "2026-03-29T02:30", "1h", zone=BERLIN, now=now)[0].model_dump(mode="json")
    assert found["start"] == "2026-03-29T03:00:00+02:00"
    assert found["end"] == "2026-03-29T04:00:00+02:00"
    now = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    hours = {
        v.model_dump(mode="json")["start"]
        for v in counted(content, "2026-10-25T02:30", "1h", zone=BERLIN, now=now)
    }
    assert hours == {"2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"}


# What cannot be answered


def test_a_camera_without_lines_says_how_to_add_one(content: Content) -> None:
    with pytest.raises(ConfigError, match=r"has no counting lines; `streetloop camera edit crossing --line"):
        counted(content, camera=CROSSING, camera_id="crossing")


def test_a_camera_that_was_not_looked_at_has_its_lines(content: Content) -> None:
    assert table(counted(content, "1s"), "line", "direction", "class_name", "count", "coverage") == [
        ("in", "in", None, 0, 0.0),
        ("in", "out", None, 0, 0.0),
    ]


def test_a_camera_that_was_removed_keeps_its_counts(content: Content) -> None:
    content.add_counts(NOW, {("gate", "in", "car"): 1}, {"gate": 60}, camera_id="gone")
    assert sum(v.count for v in counted(content, camera=None, camera_id="gone")) == 1


def test_an_unknown_camera(content: Content) -> None:
    with pytest.raises(NotFound, match="there is no camera 'nobody'"):
        counted(content, camera=None, camera_id="nobody")


def test_one_line_of_several(content: Content) -> None:
    content.add_counts(NOW, {}, {"gate": 60, "bridge": 60})
    assert {v.line for v in counted(content, line="bridge")} == {"bridge"}
    with pytest.raises(ConfigError, match="camera 'a40' has no line 'bridgo'; it has bridge, gate, in"):
        counted(content, line="bridgo")


@pytest.mark.parametrize("bin_name", ["", "15", "2m", "15M", "-1m"])
def test_a_bin_that_is_none(content: Content, bin_name: str) -> None:
    with pytest.raises(ConfigError, match=r"there is no bin '.*'; bins are 1m, 5m, 15m, 1h, 1d"):
        counted(content, bin_name=bin_name)


def test_the_future_and_too_many_bins_are_refused(content: Content) -> None:
    with pytest.raises(ConfigError, match="is in the future"):
        counted(content, "2026-11-01T12:21")
    assert len(counted(content, "7d", "1m")) > 2 * 7 * 24 * 60
    with pytest.raises(ConfigError, match="more than 12000 bins; begin later, or take a longer bin"):
        counted(content, "30d", "1m")


# The control service


def test_the_service_counts_in_the_time_zone_of_the_settings(tmp_path: Path) -> None:
    content = Content(tmp_path / "home", timezone="Asia/Kathmandu")
    content.add_counts(datetime.now(UTC), {("in", "in", "car"): 2}, {"in": 60})
    views = content.service.line_counts("a40", "1m", "1h")
    assert sum(view.count for view in views) == 2
    plain = views[0].model_dump(mode="json", by_alias=True)
    assert list(plain) == ["start", "end", "line", "direction", "class", "count", "inferred", "coverage"]
    assert plain["start"].endswith(":00:00+05:45")
    content.ledger.close()


def test_a_home_of_an_older_version_counts_from_now_on(tmp_path: Path) -> None:
    old = Old(tmp_path)
    camera = next(one for one in old.service.cameras() if one.lines)
    views = old.service.line_counts(camera.id, "1h", "1h")
    assert {(view.count, view.coverage) for view in views} == {(0, 0.0)}
    assert {view.line for view in views} == set(camera.lines)
    old.ledger.close()


def test_speeds_of_a_bin_are_those_of_its_minutes(content: Content) -> None:
    noon, car = datetime(2026, 11, 1, 12, tzinfo=UTC), ("gate", "in", "car")
    content.add_counts(noon, {car: 3}, {"gate": 60}, speeds={(*car, 48): 2, (*car, 60): 1})
    content.add_counts(noon + timedelta(minutes=9), {car: 2}, {"gate": 60}, speeds={(*car, 48): 1})
    found = {(view.start.minute, view.direction): view.speed for view in counted(content)}
    assert found == {
        (0, "in"): SpeedSummary(4, 51.0, 60),
        (0, "out"): None,
        (15, "in"): None,
        (15, "out"): None,
    }
    plain = [view.model_dump(mode="json", by_alias=True) for view in counted(content)]
    assert plain[0]["speed"] == {"timed": 4, "mean_kmh": 51.0, "p85_kmh": 60}
    assert "speed" not in plain[1]
