"""Anomalies on simulated streets: recall, false alarms and onset of each rule.

    python -m benchmarks.anomalies [--json]

True boxes of simulated cameras pass through an error model of the shipped detector, which was
fitted to its answers on other cameras, then through tracker and rules. Thresholds were chosen on
the cameras of ``--tuning``. ``--events`` a kind and ``--rounds`` of a quarter of an hour of
ordinary traffic a camera are measured. Boxes, tracks and outcomes are kept in build/anomalies: a
run that was stopped goes on.
"""

from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.anomaly_figures import Outcome, figures
from benchmarks.anomaly_plan import CLEAN_S, MEASURED_ON, TUNED_ON, Piece, clean, events
from benchmarks.anomaly_play import outcomes
from benchmarks.anomaly_tracks import error_models, tracked
from benchmarks.report import finish, new_parser, parse_options


def _prepare(piece: Piece, dropped: float) -> None:
    piece.record()
    tracked(piece, dropped)


def _measure(camera: str, pieces: list[Piece], dropped: float) -> list[Outcome]:
    return list(outcomes(camera, pieces, dropped))


def measure(pieces: list[Piece], dropped: float, workers: int) -> list[Outcome]:
    """Outcomes of pieces of several cameras.

    Args:
        pieces: Each camera's first is clean.
        dropped: Share of the frames that are lost, 0 to 1.
        workers: Processes.
    """
    error_models()
    by_camera: dict[str, list[Piece]] = defaultdict(list)
    for piece in pieces:
        by_camera[piece.camera].append(piece)
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(partial(_prepare, dropped=dropped), pieces))
        parts = pool.map(partial(_measure, dropped=dropped), by_camera.keys(), by_camera.values())
        return [one for part in parts for one in part]


def main() -> None:
    """Run the benchmark."""
    parser = new_parser(__doc__)
    parser.add_argument("--events", type=int, default=100, help="events of each kind")
    parser.add_argument(
        "--rounds", type=int, default=54, help="quarters of an hour of ordinary traffic a camera"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--dropped", type=float, nargs="+", default=[0.0, 0.2], help="shares of lost frames")
    parser.add_argument("--recorded", action="store_true", help="leave out what is not recorded yet")
    parser.add_argument("--tuning", action="store_true", help="measure the cameras of the thresholds")
    parser.add_argument("--verbose", action="store_true", help="print every miss and false alarm")
    options = parse_options(parser)
    cameras, seeds = (TUNED_ON, (100, 10_000)) if options.tuning else (MEASURED_ON, (500, 50_000))
    pieces = [*clean(cameras, options.rounds, seeds[0]), *events(cameras, options.events, seeds[1])]
    if options.recorded:
        pieces = [piece for piece in pieces if piece.is_there()]
    result: dict[str, Any] = {"cameras": list(cameras), "clean_piece_s": CLEAN_S}
    for dropped in options.dropped:
        name = f"5 fps, {dropped:.0%} dropped"
        found = measure(pieces, dropped, options.workers)
        result[name] = figures(found)
        _print(name, result[name])
        if options.verbose:
            _print_faults(name, found)
    finish(options, result)


def _print_faults(name: str, found: list[Outcome]) -> None:
    for one in found:
        if one.seen is not None and one.hit() is None:
            print(name, "missed", one.piece, one.seen, one.alarms)
        if one.seen is None and one.alarms:
            print(name, "false", one.piece, *one.alarms, sep="\n    ")


def _print(name: str, found: dict[str, Any]) -> None:
    table = Table(
        title=f"{name}: {found['camera_hours']} camera-hours of ordinary traffic", title_justify="left"
    )
    columns = ("kind", *next(iter(found["kinds"].values())))
    for column in columns:
        table.add_column(column)
    for kind, row in found["kinds"].items():
        table.add_row(kind, *("-" if value is None else f"{value:g}" for value in row.values()))
    console = Console(width=140)
    console.print(table)
    console.print({key: value for key, value in found.items() if key != "kinds"})


if __name__ == "__main__":
    main()
