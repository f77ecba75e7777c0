"""Speeds along lines of known length on streets of the simulated city, vehicle by vehicle.

    python -m benchmarks.speeds

In each of the demo's four streets, by day, every lane that shows enough of itself gets a line along
it. What the shipped baseline finds at 10 frames a second goes through the analysis of a running
camera. A passage is compared with the vehicle that passed the line's end at about the same time:
the city knows where each was at every moment.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.report import finish, new_parser, parse_options
from benchmarks.tracks import Recording, record
from flows.demo.scenario import CAMERAS
from flows.stream.analysis.camera_analysis import CameraAnalysis
from flows.stream.analysis.counting_lines import Crossing
from streetloop.cameras.counting_line import CountingLine
from streetloop.city.address import parse_address
from streetloop.city.view import View
from streetloop.city.world.camera_model import CameraModel
from streetloop.city.world.roads import Stream
from streetloop.settings import BASELINE, Settings
from streetloop.types import ArrayPicture, Frame

_SEED = 902  # the reach to the side was chosen on 901
LENGTH_M, _NEAR_M, _FAR_M, _STEP_M = 25.0, 4.0, 70.0, 1.0
_EDGE = 0.06  # of the picture, in which vehicles are cut off
_SAME_S = 1.0  # between the moments at which a passage and a vehicle reach the end of a line


@dataclass(frozen=True, slots=True)
class Lane:
    """A line along a lane.

    Attributes:
        stream: Name of the lane in the city.
        start: Metres along its way at which the line starts.
        line: The line.
    """

    stream: str
    start: float
    line: CountingLine


@dataclass(frozen=True, slots=True)
class Passed:
    """A vehicle that reached the end of a line: when, and its mean speed along it in km/h."""

    at: float
    speed_kmh: float


def lanes_of(view: View) -> Iterator[Lane]:
    """Lines along the lanes of one way of which the camera sees enough."""
    address = view.address
    model = CameraModel(address.place.cameras[address.camera], address.width, address.height)
    for stream, _ in view.lanes(0.0):
        if len(stream.routes) == 1 and (start := _start(stream, model)) is not None:
            begin, end = (_spot(stream, model, s)[0] for s in (start, start + LENGTH_M))
            yield Lane(stream.name, start, CountingLine(points=(begin, end), length_m=LENGTH_M))


def _start(stream: Stream, model: CameraModel) -> float | None:
    """Where the nearest stretch begins that is in the picture, in metres along the lane."""
    path = stream.routes[0][0]
    marks = np.arange(0.0, path.length - LENGTH_M, _STEP_M).tolist()
    ends = [[_spot(stream, model, s + more) for more in (0.0, LENGTH_M / 2, LENGTH_M)] for s in marks]
    seen = [
        (max(depth for _, depth in spots), s)
        for s, spots in zip(marks, ends, strict=True)
        if all(_is_seen(point, depth) for point, depth in spots)
    ]
    return min(seen)[1] if seen else None


def _spot(stream: Stream, model: CameraModel, s: float) -> tuple[tuple[float, float], float]:
    """Where a point of a lane is in the picture, in fractions, and how far away in metres."""
    pose = stream.routes[0][0].at(s)
    pixels, depth = model.project(np.array([pose.x, pose.y, 0.0]))
    return (round(float(pixels[0]) / model.width, 4), round(float(pixels[1]) / model.height, 4)), float(depth)


def _is_seen(point: tuple[float, float], depth: float) -> bool:
    return _NEAR_M < depth < _FAR_M and all(_EDGE < part < 1 - _EDGE for part in point)


def true_speeds(view: View, lane: Lane, seconds: float, fps: float = 25.0) -> list[Passed]:
    """Every vehicle that reaches the end of a line."""
    begun: dict[int, float] = {}
    found = []
    moments = [view.address.second(0) + k / fps for k in range(round(seconds * fps))]
    places = [
        {a.track_id: a.walked for s, on in view.lanes(t) if s.name == lane.stream for a in on}
        for t in moments
    ]
    for (before, now), t in zip(pairwise(places), moments, strict=False):
        for vehicle in before.keys() & now.keys():
            was, is_ = before[vehicle], now[vehicle]
            for mark in (lane.start, lane.start + LENGTH_M):
                if not was < mark <= is_:
                    continue
                at = t - moments[0] + (mark - was) / (is_ - was) / fps
                if mark == lane.start:
                    begun[vehicle] = at
                elif vehicle in begun:
                    found.append(Passed(at, 3.6 * LENGTH_M / (at - begun[vehicle])))
    return found


def measured(recording: Recording, lanes: Sequence[Lane]) -> dict[str, list[Crossing]]:
    """What a running camera would find, by lane."""
    lines = {lane.stream: lane.line for lane in lanes}
    camera = recording.camera.model_copy(update={"lines": lines})
    analysis = CameraAnalysis(camera, Settings(), 0, recording.names)
    found: dict[str, list[Crossing]] = {lane.stream: [] for lane in lanes}
    address = parse_address(camera.uri.reveal())
    blank = ArrayPicture(np.zeros((address.height, address.width, 3), np.uint8))
    for number, detections in enumerate(recording.found):
        pts = number / recording.fps
        frame = Frame(camera.id, number, pts, datetime.now(UTC), pts, blank)
        for crossing in analysis.update(frame, detections, "").crossings:
            found[crossing.line].append(crossing)
    return found


def errors(true: Sequence[Passed], found: Sequence[Crossing]) -> list[tuple[float, float]]:
    """True and found speeds of the passages that a vehicle belongs to, each vehicle once."""
    pairs, left = [], list(true)
    for crossing in found:
        if crossing.speed_kmh is None or not left:
            continue
        nearest = min(left, key=lambda one: abs(one.at - crossing.pts))
        if abs(nearest.at - crossing.pts) <= _SAME_S:
            left.remove(nearest)
            pairs.append((nearest.speed_kmh, crossing.speed_kmh))
    return pairs


def main() -> None:
    """Measure and print."""
    parser = new_parser(__doc__)
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=_SEED, help="of the traffic")
    options = parse_options(parser)
    choice = argparse.Namespace(**vars(options), condition="", model=BASELINE)
    console = Console()
    figures: dict[str, dict[str, float | None]] = {}
    table = Table(
        "",
        "lanes",
        "vehicles",
        "timed",
        "matched",
        "mean, true",
        "mean",
        "median error",
        "p90 error",
        box=None,
    )
    for street in CAMERAS:
        view = View(
            parse_address(
                f"{CAMERAS[street][0].partition('?')[0]}?seed={options.seed}&live=0&fps={options.fps:g}"
            )
        )
        lanes = list(lanes_of(view))
        with console.status(f"{street}: {len(lanes)} lanes"):
            found = measured(record(street, choice), lanes)
            true = {lane.stream: true_speeds(view, lane, options.seconds) for lane in lanes}
        pairs = [pair for lane in lanes for pair in errors(true[lane.stream], found[lane.stream])]
        figures[street] = _figures(len(lanes), true, found, pairs)
        table.add_row(street, *(str(value) for value in figures[street].values()))
    console.print(table)
    finish(options, figures)


def _figures(
    lanes: int,
    true: dict[str, list[Passed]],
    found: dict[str, list[Crossing]],
    pairs: Sequence[tuple[float, float]],
) -> dict[str, float | None]:
    off = [100 * abs(measured / real - 1) for real, measured in pairs]
    return {
        "lanes": lanes,
        "vehicles": sum(map(len, true.values())),
        "timed": sum(c.speed_kmh is not None for some in found.values() for c in some),
        "matched": len(pairs),
        "true_mean_kmh": round(float(np.mean([real for real, _ in pairs])), 1) if pairs else None,
        "mean_kmh": round(float(np.mean([one for _, one in pairs])), 1) if pairs else None,
        "median_error_percent": round(float(np.median(off)), 1) if pairs else None,
        "p90_error_percent": round(float(np.percentile(off, 90)), 1) if pairs else None,
    }


if __name__ == "__main__":
    main()
