"""Line counts on recorded streets, beside those of people who watched them.

    python -m benchmarks.street_counts [--peers] [--json]

Three clips with five lines, on which people counted 29 vehicles; yolov8n at 640 pixels, vehicles
alone, gate on. A crossing that is missed or found too often is a wrong one. At lower rates the
camera's ``fps`` leaves frames out. ``--peers`` adds Ultralytics' trackers, at their defaults on the
same model and classes, with the line counter of supervision (`pip install -e '.[bench]'`).
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import supervision as sv
from rich.console import Console
from rich.table import Table

from benchmarks.material import DATA, WEIGHTS
from benchmarks.report import finish, new_parser, parse_options
from flows.reports.tracks.camera_run import local_detector, run_camera
from streetloop.cameras.camera_file import parse_camera
from streetloop.settings import Settings

_RATES = (None, 10.0, 5.0, 3.0)
_VEHICLES = {name: (name,) for name in ("car", "motorcycle", "bus", "truck")}
_SECONDS = 900.0
_PEERS = {"Ultralytics BoT-SORT": "botsort.yaml", "Ultralytics ByteTrack": "bytetrack.yaml"}


def wrong_crossings(clip: str, counted: dict[str, Any], fps: float | None, settings: Settings) -> int:
    """How many crossings of a clip are missed, or found too often.

    Args:
        clip: Name of the file.
        counted: Lines of the clip, and crossings by line and direction.
        fps: Frames a second that are analysed; None for all.
        settings: Name the model.
    """
    document = {
        "id": "street",
        "uri": f"file://{DATA / 'videos' / clip}",
        "fps": fps,
        "lines": counted["lines"],
    }
    with local_detector(settings) as (detector, contract):
        found = run_camera(parse_camera(document), detector, settings, _SECONDS, contract=contract)
    lines = found.counts.lines
    return sum(
        abs(lines[line][way] - true) for line, ways in counted["counts"].items() for way, true in ways.items()
    )


def peer_wrong_crossings(clip: str, counted: dict[str, Any], tracker: str) -> int:
    """The same of Ultralytics' tracker with supervision's counter, at all frames.

    Supervision calls one side of a line in and the other out; the assignment that is wrong less
    often counts.

    Args:
        clip: Name of the file.
        counted: As `wrong_crossings`.
        tracker: Ultralytics' configuration of a tracker.
    """
    from ultralytics import YOLO

    model = YOLO(str(WEIGHTS))
    classes = [number for number, name in model.names.items() if name in _VEHICLES]
    zones: dict[str, sv.LineZone] = {}
    video, how = str(DATA / "videos" / clip), {"imgsz": 640, "classes": classes, "verbose": False}
    for result in model.track(video, stream=True, persist=True, tracker=tracker, **how):
        height, width = result.orig_shape
        zones = zones or {
            line: sv.LineZone(
                *(sv.Point(x * width, y * height) for x, y in ends), triggering_anchors=[sv.Position.CENTER]
            )
            for line, ends in counted["lines"].items()
        }
        found = sv.Detections.from_ultralytics(result)
        if found.tracker_id is not None:
            for zone in zones.values():
                zone.trigger(found)
    wrong = 0
    for line, true in counted["counts"].items():
        one, other = zones[line].in_count, zones[line].out_count
        ways = ((one, other), (other, one))
        wrong += min(abs(a - true["in"]) + abs(b - true["out"]) for a, b in ways)
    return wrong


def main() -> None:
    """Measure and print."""
    parser = new_parser(__doc__)
    parser.add_argument("--peers", action="store_true", help="also count with Ultralytics' trackers")
    options = parse_options(parser)
    console = Console()
    clips = json.loads((DATA / "videos" / "hand_counts.json").read_text())
    true = {clip: sum(sum(ways.values()) for ways in one["counts"].values()) for clip, one in clips.items()}
    table = Table("clip", "counted by eye", *(_name(fps) for fps in _RATES), box=None)
    figures: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as home, console.status("streets are played"):
        settings = Settings(home=Path(home), model=str(WEIGHTS), classes=_VEHICLES)
        for clip, counted in clips.items():
            wrong = {_name(fps): wrong_crossings(clip, counted, fps, settings) for fps in _RATES}
            figures[clip] = {"counted by eye": true[clip], **wrong}
            table.add_row(clip, str(true[clip]), *(str(one) for one in wrong.values()))
    total = {name: sum(one[name] for one in figures.values()) for name in next(iter(figures.values()))}
    table.add_row("all", *(str(one) for one in total.values()))
    console.print("crossings that are wrong, by frames a second that are analysed")
    console.print(table)
    peers: dict[str, int] = {}
    for name, tracker in _PEERS.items() if options.peers else ():
        peers[name] = sum(peer_wrong_crossings(clip, one, tracker) for clip, one in clips.items())
        console.print(f"{name} with supervision, all frames: {peers[name]} wrong")
    finish(options, {"clips": figures, "all": total, "peers, all frames": peers})


def _name(fps: float | None) -> str:
    return "all frames" if fps is None else f"{fps:g} fps"


if __name__ == "__main__":
    main()
