"""Local time: what people write and read, across changes of summer time."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from streetloop.errors import ConfigError

BINS = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "1d": 24 * 60}
"""Minutes by the name of a bin. A bin of a day is a local day: 23, 24 or 25 hours."""

_DAY = BINS["1d"]
_MINUTE = timedelta(minutes=1)
_DURATION = re.compile(r"(?P<count>\d{1,6})(?P<unit>[smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MAX_AGE = timedelta(days=36_500)


def open_zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        ValueError: There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("is no IANA time zone; write a name such as Europe/Berlin or UTC") from None


def from_local(local: datetime, zone: tzinfo) -> datetime:
    """The moment (UTC) of a local time without offset.

    A time that comes twice, as the clock goes back, is the first of the two. A time that is
    skipped, as the clock goes forward, is the moment of the change.

    >>> from_local(datetime(2026, 3, 29, 2, 30), ZoneInfo("Europe/Berlin")).isoformat()
    '2026-03-29T01:00:00+00:00'
    """
    moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    return _change(local.replace(tzinfo=zone, fold=1).astimezone(UTC), moment, zone)


def parse_moment(text: str, now: datetime, zone: tzinfo, *, future: bool = False) -> datetime:
    """A moment (UTC) as people write it.

    Args:
        text: An ISO 8601 date or time, or a duration before now such as ``90m``, ``2h``, ``1d``.
            A time without offset is of the zone, see `from_local`; a date is its first moment.
        now: The current time.
        zone: The time zone.
        future: True if it may be in the future.

    >>> berlin, now = ZoneInfo("Europe/Berlin"), datetime(2026, 7, 2, 9, tzinfo=UTC)
    >>> [parse_moment(text, now, berlin).isoformat() for text in ("2h", "2026-07-01")]
    ['2026-07-02T07:00:00+00:00', '2026-06-30T22:00:00+00:00']

    Raises:
        ConfigError: It is neither, a duration of 0, in the future, or more than a hundred years
            ago.
    """
    moment = _moment(text.strip(), now, zone)
    if moment is None:
        raise ConfigError(
            f"{text[:40]!r} is no time; write 2026-07-01, 2026-07-01T08:00, 2026-07-01T08:00+02:00, "
            "or a duration such as 90m, 2h or 1d"
        )
    if not future and moment == now and _DURATION.fullmatch(text.strip()):
        raise ConfigError(f"{text[:40]!r} is a period without length; write a duration such as 90m, 2h or 1d")
    if moment > now and not future:
        raise ConfigError(f"{text[:40]!r} is in the future; it is {now.astimezone(zone):%Y-%m-%dT%H:%M%z}")
    return moment


def _moment(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    found = _DURATION.fullmatch(text)
    if found is not None:
        age = timedelta(**{_UNITS[found["unit"]]: int(found["count"])})
        return now - age if age <= _MAX_AGE else None
    try:
        moment = datetime.fromisoformat(text)
        moment = from_local(moment, zone) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if now - moment <= _MAX_AGE else None


def bin_edges(start: datetime, end: datetime, minutes: int, zone: tzinfo) -> Iterator[datetime]:
    """Edges of the bins that hold a period, in UTC.

    Bins shorter than a day begin at multiples of their length after local midnight, and each time
    at a change of the offset. Of the hour that comes twice in autumn, each has its own bins.

    Args:
        start: The first edge is this or before.
        end: The last edge is this or later.
        minutes: Length of a bin, one of `BINS`.
        zone: The time zone.
    """
    edge = _bin_start(start.astimezone(UTC), minutes, zone)
    yield edge
    while edge < end:
        edge = _bin_end(edge, minutes, zone)
        yield edge


def _bin_start(moment: datetime, minutes: int, zone: tzinfo) -> datetime:
    local = moment.astimezone(zone)
    if minutes == _DAY:
        return _midnight(local.date(), zone)
    start = moment - timedelta(
        minutes=_minutes_of(local) % minutes, seconds=local.second, microseconds=local.microsecond
    )
    return _first_with_offset_of(moment, start, zone)


def _bin_end(start: datetime, minutes: int, zone: tzinfo) -> datetime:
    local = start.astimezone(zone)
    if minutes == _DAY:
        return _midnight(local.date() + timedelta(days=1), zone)
    end = start + timedelta(minutes=minutes - _minutes_of(local) % minutes)
    last = end - _MINUTE
    return end if _same_offset(start, last, zone) else _change(start, last, zone)


def _first_with_offset_of(moment: datetime, earliest: datetime, zone: tzinfo) -> datetime:
    return earliest if _same_offset(earliest, moment, zone) else _change(earliest, moment, zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return from_local(datetime.combine(day, time()), zone)


def _minutes_of(local: datetime) -> int:
    return local.hour * 60 + local.minute


def _same_offset(one: datetime, other: datetime, zone: tzinfo) -> bool:
    return one.astimezone(zone).utcoffset() == other.astimezone(zone).utcoffset()


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The moment, to the minute, from which on the offset is that of ``after``."""
    while after - before > _MINUTE:
        middle = before + (after - before) // 2
        middle -= timedelta(seconds=middle.second, microseconds=middle.microsecond)
        if middle <= before:
            break
        if _same_offset(middle, before, zone):
            before = middle
        else:
            after = middle
    return after.replace(second=0, microsecond=0)
