"""Local time: bins, and what people write, on the days when the clock changes."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from streetloop.errors import ConfigError
from streetloop.local_time import BINS, bin_edges, from_local, open_zone, parse_moment

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


def edges(start: str, end: str, bin_name: str, zone: ZoneInfo = BERLIN) -> list[str]:
    """Local times of the edges."""
    found = bin_edges(datetime.fromisoformat(start), datetime.fromisoformat(end), BINS[bin_name], zone)
    return [edge.astimezone(zone).isoformat(timespec="minutes") for edge in found]


def test_the_hour_that_is_skipped_in_spring_has_no_bin() -> None:
    assert edges("2026-03-29T01:10+01:00", "2026-03-29T03:10+02:00", "1h") == [
        "2026-03-29T01:00+01:00",
        "2026-03-29T03:00+02:00",
        "2026-03-29T04:00+02:00",
    ]


def test_the_hour_that_comes_twice_in_autumn_has_bins_of_its_own() -> None:
    assert edges("2026-10-25T01:30+02:00", "2026-10-25T03:00+01:00", "1h") == [
        "2026-10-25T01:00+02:00",
        "2026-10-25T02:00+02:00",
        "2026-10-25T02:00+01:00",
        "2026-10-25T03:00+01:00",
    ]
    quarters = edges("2026-10-25T02:00+02:00", "2026-10-25T03:00+01:00", "15m")
    assert len(quarters) == 9
    assert quarters[3:6] == ["2026-10-25T02:45+02:00", "2026-10-25T02:00+01:00", "2026-10-25T02:15+01:00"]


@pytest.mark.parametrize(
    ("day", "offset", "hours"), [("2026-03-29", 1, 23), ("2026-10-25", 2, 25), ("2026-07-01", 2, 24)]
)
def test_a_day_is_a_local_day(day: str, offset: int, hours: int) -> None:
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=BERLIN)
    midnight = datetime.fromisoformat(f"{day}T00:00+0{offset}:00")
    end = midnight + timedelta(hours=hours)
    assert list(bin_edges(noon, end, BINS["1d"], BERLIN)) == [midnight, end]


@pytest.mark.parametrize(
    "zone",
    [
        "UTC",
        "Europe/Berlin",
        "Australia/Lord_Howe",  # half an hour of summer time
        "America/Havana",  # midnight is skipped
        "Asia/Kathmandu",  # three quarters of an hour
        "America/St_Johns",
    ],
)
@pytest.mark.parametrize("bin_name", BINS)
def test_bins_follow_each_other_and_are_made_of_whole_quarters(zone: str, bin_name: str) -> None:
    """Counts are read in sums of 15 minutes of UTC, which no bin of 15 minutes and more may cut."""
    minutes = BINS[bin_name]
    for month in (3, 4, 10, 11):
        start = datetime(2026, month, 1, tzinfo=UTC)
        found = list(bin_edges(start, start + timedelta(days=32), minutes, ZoneInfo(zone)))
        assert found[0] <= start < found[1]
        assert found[-2] < start + timedelta(days=32) <= found[-1]
        lengths = [after - before for before, after in pairwise(found)]
        assert min(lengths) > timedelta()
        assert max(lengths) <= timedelta(minutes=minutes) * 1.1
        assert all(edge.timestamp() % (60 * min(minutes, 15)) == 0 for edge in found)


def test_a_bin_begins_anew_where_half_an_hour_is_skipped() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    assert edges("2026-10-04T01:10+10:30", "2026-10-04T03:00+11:00", "1h", zone) == [
        "2026-10-04T01:00+10:30",
        "2026-10-04T02:30+11:00",
        "2026-10-04T03:00+11:00",
    ]


@pytest.mark.parametrize(
    ("local", "moment"),
    [
        ("2026-03-29T01:59", "2026-03-29T00:59Z"),
        ("2026-03-29T02:00", "2026-03-29T01:00Z"),  # is skipped: the moment of the change
        ("2026-03-29T02:30", "2026-03-29T01:00Z"),
        ("2026-03-29T03:00", "2026-03-29T01:00Z"),
        ("2026-10-25T02:30", "2026-10-25T00:30Z"),  # comes twice: the first
        ("2026-10-25T03:00", "2026-10-25T02:00Z"),
    ],
)
def test_local_times_that_are_skipped_or_come_twice(local: str, moment: str) -> None:
    wanted = datetime.fromisoformat(moment)
    assert from_local(datetime.fromisoformat(local), BERLIN) == wanted
    assert parse_moment(local, NOW, BERLIN) == wanted


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", "2026-11-01T09:28:30Z"),
        ("90m", "2026-11-01T08:00Z"),
        ("2h", "2026-11-01T07:30Z"),
        ("7d", "2026-10-25T09:30Z"),  # 168 hours, whatever the clock did
        ("1w", "2026-10-25T09:30Z"),
        ("2026-10-31", "2026-10-30T23:00Z"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30Z"),
        ("2026-10-25T02:30Z", "2026-10-25T02:30Z"),
        (" 2026-10-31 08:00 ", "2026-10-31T07:00Z"),
    ],
)
def test_moments_as_people_write_them(text: str, moment: str) -> None:
    assert parse_moment(text, NOW, BERLIN) == datetime.fromisoformat(moment)


@pytest.mark.parametrize("text", ["", "yesterday", "-2h", "2 h", "2y", "2026-02-30", "999999d", "1800-01-01"])
def test_what_is_no_time_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no time; write 2026-07-01, .*2h or 1d"):
        parse_moment(text, NOW, BERLIN)


@pytest.mark.parametrize("text", ["0m", "00d", " 0s "])
def test_a_period_without_length_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is a period without length; write a duration such as 90m"):
        parse_moment(text, NOW, BERLIN)
    assert parse_moment(text, NOW, BERLIN, future=True) == NOW


@pytest.mark.parametrize("text", ["2026-11-01T10:31", "2027-01-01", "9999-12-31"])
def test_the_future_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is in the future; it is 2026-11-01T10:30\+0100"):
        parse_moment(text, NOW, BERLIN)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "UTC+1", "Europe", "\0"]
)
def test_a_zone_that_is_none(name: str) -> None:
    with pytest.raises(ValueError, match="is no IANA time zone"):
        open_zone(name)
