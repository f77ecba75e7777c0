"""``streetloop drift compare``: compares two recordings of a camera."""

import re
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from rich.console import Console
from rich.table import Table

from drift.comparison import DetectionPolicy
from drift.measurement.view_change import ViewChange
from drift.period_log import cameras_in, read_periods
from drift.series import Series, SeriesVerdict, compare_series, gather, gather_periods
from flows.reports.pictures import pictures_of
from streetloop.errors import ConfigError, SourceError
from streetloop.host.paths import PathKind, kind_of
from streetloop.local_time import from_local
from streetloop.storage.store import ObjectStore

_HISTORY = re.compile(r"(?P<camera>[A-Za-z0-9][A-Za-z0-9._-]{0,63})@(?P<start>[^/]+)/(?P<end>[^/]+)")


def compare_recordings(reference: str, window: str, store: ObjectStore, zone: tzinfo = UTC) -> SeriesVerdict:
    """Compare two recordings of a camera.

    Args:
        reference: A clip, a folder of images, a ``sim://`` URI with ``frames=``, or a part of
            the history of a watched camera: ``a40@2026-11-21T08:00/2026-11-21T09:00``.
        window: The later recording, given the same way.
        store: Holds the histories of watched cameras.
        zone: The time zone of times without an offset.

    Raises:
        ConfigError: One of them cannot be read; the message names it.
    """
    before, since = (_measure(name, store, zone) for name in (reference, window))
    return compare_series(before, since, DetectionPolicy())


def print_verdict(console: Console, verdict: SeriesVerdict) -> None:
    """Print the comparison as a table, and the likely causes of a difference."""
    if not verdict.enough:
        console.print(f"not enough yet: {verdict.missing} more are needed")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("feature", "change", "statistic", "p value", "effect", "alarm from", ""):
        table.add_column(name, justify="left" if name in {"feature", ""} else "right")
    for name, answer in verdict.results.items():
        if not answer.enough:
            continue
        table.add_row(
            name,
            f"{answer.change:+.3f}",
            f"{answer.statistic:.2f}",
            f"{answer.p_value:.3f}",
            f"{answer.effect_size:.2f}",
            f"{answer.threshold:.2f}",
            "[bold red]alarm[/]" if answer.alarm else "",
        )
    console.print(table)
    if not verdict.causes:
        console.print("no drift")
        return
    console.print("[bold]drift[/]; likely causes:")
    for cause in verdict.causes:
        console.print(f"  {cause}: {', '.join(cause.evidence) or 'nothing in particular'}")
    if verdict.view.has_moved:
        console.print(f"  the view moved: {_movement(verdict.view)}", soft_wrap=True)


def _movement(view: ViewChange) -> str:
    """How the view moved, in words."""
    if view.mirrored:
        return "it is mirrored"
    return (
        f"{view.displacement:.1%} of the width, rolled by {view.roll_deg:+.1f} degrees, "
        f"zoomed by {view.zoom:.2f}, perspective {view.perspective:.2f}"
    )


def _measure(name: str, store: ObjectStore, zone: tzinfo) -> Series:
    past = _HISTORY.fullmatch(name)
    if past is not None and kind_of(Path(name), ConfigError) is PathKind.NOTHING:
        return _past(past["camera"], past["start"], past["end"], store, zone)
    try:
        return gather(pictures_of(name))
    except SourceError as error:
        raise ConfigError(str(error)) from error


def _past(camera: str, start: str, end: str, store: ObjectStore, zone: tzinfo) -> Series:
    begin, finish = _moment(start, zone), _moment(end, zone)
    if finish <= begin:
        raise ConfigError(f"{camera}@{start}/{end}: the period does not end after it begins")
    series = gather_periods(read_periods(store, camera, begin, finish))
    if not len(series):
        known = ", ".join(cameras_in(store)) or "none was watched yet"
        raise ConfigError(f"nothing is known of {camera} from {start} to {end}; cameras: {known}")
    return series


def _moment(text: str, zone: tzinfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return from_local(moment, zone) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ConfigError(f"{text[:40]!r} is no time; write 2026-11-21T08:00 ({zone})") from None
