"""``streetloop counts``: what crossed a camera's lines, by time, direction and class."""

import csv
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from flows.cli.context import control_of
from flows.cli.output import Json, borderless, plain, print_json, results

if TYPE_CHECKING:
    from rich.console import Console

    from streetloop.cameras.speed_summary import SpeedSummary
    from streetloop.control.history.count_view import CountView

app = typer.Typer()

_COLUMNS = ("start", "end", "line", "direction", "class", "count", "inferred", "coverage")
_SPEEDS = ("timed", "mean_kmh", "p85_kmh")


@app.command()
def counts(
    context: typer.Context,
    camera: Annotated[str, typer.Argument(metavar="CAMERA", help="Id of the camera.")],
    since: Annotated[
        str, typer.Option(metavar="T", help="A date, a time, or a duration before now, such as 2h or 7d.")
    ] = "1d",
    bin_name: Annotated[
        str, typer.Option("--bin", metavar="BIN", help="Length of a bin: 1m, 5m, 15m, 1h or 1d.")
    ] = "15m",
    line: Annotated[str | None, typer.Option(metavar="NAME", help="Show only this line.")] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Time zone, such as Europe/Berlin.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="CAMERAS.YAML", help="Camera file of the streams.")
    ] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV on standard output, and nothing else.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show how many crossed the lines of a camera, by time, direction and class."""
    from streetloop.errors import ConfigError, NotFound

    if as_csv and as_json:
        raise ConfigError("give --csv or --json, not both")
    try:
        views = _control(context, file, timezone).line_counts(camera, since, bin_name, line)
    except NotFound as error:
        raise ConfigError(f"{error}; give --file if it is one of a camera file") from None
    if as_json:
        print_json(views)
    elif as_csv:
        _print_csv(plain(views))
    else:
        print_counts(results(), views)


def _control(context: typer.Context, file: Path | None, timezone: str | None) -> Any:
    """The control service; a flag goes before the settings of the camera file."""
    from streetloop.cameras.camera_file import load_cameras

    if file is None:
        return control_of(context, timezone=timezone)
    content = load_cameras(file, may_be_empty=True)
    changes = {**content.settings, **({} if timezone is None else {"timezone": timezone})}
    return control_of(context, content.cameras, **changes)


def _print_csv(rows: list[dict[str, Any]]) -> None:
    speeds = [row.pop("speed", {}) for row in rows]
    columns = (*_COLUMNS, *_SPEEDS) if any(speeds) else _COLUMNS
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, **speed} for row, speed in zip(rows, speeds, strict=True))


def print_counts(console: "Console", views: "Iterable[CountView]") -> None:
    """Print a row for each bin, line and direction in which the camera was looked at."""
    table = borderless("from", "line", "direction", numbers=("count", "inferred", "coverage"))
    table.columns[0].no_wrap = True
    table.add_column("by class", overflow="fold")
    views, unseen = list(views), 0
    if any(view.speed is not None for view in views):
        table.add_column("mean km/h (V85)", overflow="fold")
    for (start, line, direction), group in groupby(views, _row):
        found = list(group)
        total, coverage = sum(view.count for view in found), found[0].coverage
        if not total and not coverage:
            unseen += 1
            continue
        classes = ", ".join(f"{v.class_name or 'unknown'} {v.count}" for v in found if v.count)
        numbers = str(total), str(sum(view.inferred for view in found)), f"{coverage:.0%}"
        speeds = ", ".join(f"{v.class_name or 'unknown'} {_speed(v.speed)}" for v in found if v.speed)
        cells = escape(line), direction, *numbers, escape(classes), escape(speeds)
        table.add_row(f"{start:%Y-%m-%d %H:%M %Z}", *cells[: len(table.columns) - 1])
    if table.row_count:
        console.print(table)
    if unseen:
        console.print(f"{unseen} rows are not shown: the camera was not looked at", style="dim")


def _speed(speed: "SpeedSummary") -> str:
    return f"{speed.mean_kmh:.0f} ({speed.p85_kmh})"


def _row(view: "CountView") -> tuple[Any, ...]:
    return view.start, view.line, view.direction
