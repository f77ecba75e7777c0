"""An evaluation of tracks as JSON, as tables, and as MOT files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.reports.tracks.counts import Counts, compare_counts
from flows.reports.tracks.mot_files import MotTracks, write_mot
from flows.reports.tracks.track_scores import TrackScores
from flows.stream.analysis.line_totals import DIRECTIONS
from streetloop.errors import ConfigError


@dataclass(frozen=True, slots=True)
class TrackComparison:
    """One camera's tracks beside the true ones.

    Attributes:
        truth: True boxes of the frames that are compared.
        found: Tracked boxes of the same frames.
        true: True objects and line crossings.
        counted: Those that were found.
    """

    truth: MotTracks
    found: MotTracks
    true: Counts
    counted: Counts


@dataclass(frozen=True, slots=True)
class TrackReport:
    """An evaluation of tracks.

    Attributes:
        overall: Scores of all cameras as one.
        cameras: Scores by camera.
        comparisons: What they come from, by camera.
    """

    overall: TrackScores
    cameras: Mapping[str, TrackScores]
    comparisons: Mapping[str, TrackComparison]

    def as_json(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        cameras = {
            name: {**scores.as_json(), **compare_counts(one.true, one.counted)}
            for (name, scores), one in zip(self.cameras.items(), self.comparisons.values(), strict=True)
        }
        return {"all": self.overall.as_json(), "cameras": cameras}


def write_report(report: TrackReport, folder: Path) -> None:
    """Write ``gt.txt`` and ``found.txt`` of each camera into a folder of its name.

    Raises:
        ConfigError: The folder cannot be written to.
    """
    try:
        for name, one in report.comparisons.items():
            write_mot(folder / name / "gt.txt", one.truth)
            write_mot(folder / name / "found.txt", one.found)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror}") from error


def print_report(console: Console, report: TrackReport) -> None:
    """Print a report for people."""
    table = _table("camera", *report.overall.as_json(), "objects", "true")
    for name, scores in report.cameras.items():
        one = report.comparisons[name]
        table.add_row(Text(name), *_cells(scores), str(one.counted.objects), str(one.true.objects))
    found = sum(one.counted.objects for one in report.comparisons.values())
    true = sum(one.true.objects for one in report.comparisons.values())
    table.add_row("all", *_cells(report.overall), str(found), str(true), style="bold")
    console.print(table)
    crossings = _table("camera", "line", *(cell for name in DIRECTIONS for cell in (name, "true")))
    for name, one in report.comparisons.items():
        for line, counts in one.true.lines.items():
            pairs = [(one.counted.lines[line][d], counts[d]) for d in DIRECTIONS]
            crossings.add_row(Text(name), Text(line), *(str(n) for pair in pairs for n in pair))
    if crossings.row_count:
        console.print()
        console.print(crossings)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="left" if name in {"camera", "line"} else "right")
    return table


def _cells(scores: TrackScores) -> list[str]:
    return [f"{n:.1f}" if isinstance(n, float) else str(n) for n in scores.as_json().values()]
