"""Tracks and line counts on streets of the simulated city, beside the tracker library's.

    python -m benchmarks.tracks

The demo's four streets, 90 s at 10 frames a second by day, detected once by the shipped baseline.
The same detections go through our analysis and through the trackers of the library, at its defaults
and without camera motion; then through ours at lower rates, with frames dropped, each for itself or
in bursts of a second, behind the gate, and on a mast that sways. ``--size`` is the model's input,
``--seconds`` the length, ``--fps`` the rate, ``--condition`` such as ``dusk`` or ``night`` in place
of day, ``--model`` another model, and ``--seed`` another traffic. Detections are kept in
build/tracks.
"""

import argparse
import hashlib
import math
import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import supervision as sv
from rich.console import Console
from rich.table import Table
from trackers import BoTSORTTracker, ByteTrackTracker, CBIoUTracker

from benchmarks.report import finish, new_parser, parse_options
from flows.demo.scenario import CAMERAS
from flows.reports.tracks.counts import Geometry, count_tracks
from flows.reports.tracks.mot_files import DISTRACTOR, NO_CLASS, TARGET, MotTracks
from flows.reports.tracks.track_scores import TrackScores, score_tracks
from flows.stream.analysis.camera_analysis import CameraAnalysis
from flows.stream.ingest.motion_gate import MotionGate
from flows.stream.tracking.appearance import brightness
from flows.stream.tracking.tracker import CameraTracker
from streetloop.cameras.camera_file import Camera, parse_camera
from streetloop.city.address import parse_address
from streetloop.city.view import View
from streetloop.settings import BASELINE, Settings
from streetloop.types import UNCONFIRMED, ArrayPicture, Detections, Frame, Image, Ints
from train.model.model_file import ModelFile, open_model
from train.model.predictor import Predictor

SEED = 901
_RATES = (25.0, 10.0, 5.0, 3.0)
_BURST_S = 1.0
_CACHE = Path("build/tracks")
_BLANK = np.zeros((360, 640, 3), np.uint8)

Follow = Callable[[Detections, float], Ints]
"""Assigns track ids, `UNCONFIRMED` for none, to the detections of a moment in seconds."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What a camera showed, and what the model found.

    Attributes:
        camera: The camera.
        truth: True boxes of all frames.
        found: Detections of each frame.
        names: Class names of the model.
        fps: Frames a second.
    """

    camera: Camera
    truth: MotTracks
    found: Sequence[Detections]
    names: tuple[str, ...]
    fps: float


@dataclass(frozen=True, slots=True)
class Losses:
    """Which frames a tracker does not get.

    Attributes:
        dropped: Share of the frames.
        in_bursts: Whether they are dropped a second at a time.
        gated: Whether the gate keeps those back in which nothing moves.
        sway_px: How far the mast sways the picture to each side, in pixels.
    """

    dropped: float = 0.0
    in_bursts: bool = False
    gated: bool = False
    sway_px: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one way to follow objects did on all streets.

    Attributes:
        scores: Of each street.
        objects: True and found objects of each street.
        crossings: True and found crossings, line by line and direction by direction.
    """

    scores: Sequence[TrackScores]
    objects: Sequence[tuple[int, int]]
    crossings: Sequence[tuple[int, int]]

    @property
    def hota(self) -> float:
        """Mean over the streets in %."""
        return float(np.mean([score.hota for score in self.scores]))

    def as_json(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        return {
            "HOTA": [round(score.hota, 1) for score in self.scores],
            "IDF1": [round(score.idf1, 1) for score in self.scores],
            "IDSW": [score.id_switches for score in self.scores],
            "objects": [list(pair) for pair in self.objects],
            "crossings": [list(pair) for pair in self.crossings],
        }


def record(street: str, choice: argparse.Namespace) -> Recording:
    """Play a street and detect on it, or take what was kept of the same."""
    model = open_model(choice.model, _CACHE)
    made_of = (street, choice.seed, choice.fps, choice.condition, choice.size, choice.seconds, model.version)
    file = _CACHE / f"{hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]}.pickle"
    if not file.exists():
        file.write_bytes(pickle.dumps(_record(street, choice, model)))
    return cast("Recording", pickle.loads(file.read_bytes()))


def _record(street: str, choice: argparse.Namespace, model: ModelFile) -> Recording:
    uri, lines = CAMERAS[street]
    uri = f"{uri.partition('?')[0]}?seed={choice.seed}&live=0&fps={choice.fps:g}"
    uri += f"&condition={choice.condition}" if choice.condition else ""
    camera = parse_camera({"id": street, "uri": uri, "lines": lines})
    predictor, view = Predictor(model, image_size=choice.size), View(parse_address(uri))
    rows: list[list[float]] = []
    found = []
    for frame in range(round(choice.seconds * choice.fps)):
        for one in view.truth(frame).seen:
            left, top, right, bottom = one.xyxy
            role = (1, TARGET) if one.clear else (0, DISTRACTOR)
            rows.append([frame + 1, one.track_id, left, top, right - left, bottom - top, *role])
        found.append(predictor.predict(view.render(frame), Settings().track_floor))
    return Recording(camera, MotTracks.of(rows), found, model.names, choice.fps)


class Ours:
    """The analysis of a running camera, as a `Follow`."""

    def __init__(self, recording: Recording) -> None:
        self._analysis = CameraAnalysis(recording.camera, Settings(), 0, recording.names)
        self._fps = recording.fps
        self._picture = _BLANK

    def see(self, picture: Image) -> None:
        """What the next frame shows; else nothing."""
        self._picture = picture

    @property
    def moving(self) -> bool:
        """Whether a track that was just seen moves."""
        return self._analysis.moving

    def __call__(self, detections: Detections, pts: float) -> Ints:
        frame = Frame("a", round(pts * self._fps), pts, datetime.now(UTC), pts, ArrayPicture(self._picture))
        result = self._analysis.update(frame, detections, "")
        ids = np.full(len(detections), UNCONFIRMED, np.int64)
        rows = {tuple(box): k for k, box in enumerate(detections.xyxy.tolist())}
        for box, track in zip(result.tracked.detections.xyxy.tolist(), result.tracked.track_id, strict=True):
            ids[rows[tuple(box)]] = track
        return ids


def library(make: Callable[..., Any], recording: Recording) -> Follow:
    """A tracker of the library."""
    tracker = make(frame_rate=recording.fps)

    def follow(detections: Detections, pts: float) -> Ints:
        given = sv.Detections(
            xyxy=detections.xyxy,
            confidence=detections.confidence,
            class_id=detections.class_id,
            data={"index": np.arange(len(detections))},
        )
        answer = tracker.update(given, timestamp=pts)
        ids = np.full(len(detections), UNCONFIRMED, np.int64)
        if len(answer):
            ids[answer.data["index"]] = answer.tracker_id
        return ids

    return follow


WAYS: dict[str, Callable[[Recording], Follow]] = {
    "streetloop": Ours,
    "BoT-SORT": partial(library, partial(BoTSORTTracker, enable_cmc=False)),
    "C-BIoU": partial(library, CBIoUTracker),
    "ByteTrack": partial(library, ByteTrackTracker),
}


LOSSES = {
    "20 % dropped": Losses(0.2),
    "20 % dropped in bursts": Losses(0.2, in_bursts=True),
    "behind the gate": Losses(gated=True),
    "mast sways by 5 pixels": Losses(sway_px=5.0),
}


def play(
    recordings: Sequence[Recording], way: Callable[[Recording], Follow], fps: float, losses: Losses = Losses()
) -> Outcome:
    """Follow the objects of all streets at a frame rate, without the frames that are lost."""
    pairs, objects, crossings = [], [], []
    for recording in recordings:
        follow = way(recording)
        rows: list[list[float]] = []
        kept = []
        street = View(parse_address(recording.camera.uri.reveal()))
        gate = Gate(street) if losses.gated else None
        for number in _kept(recording, fps, losses):
            pts, detections = number / recording.fps, recording.found[number]
            if gate is not None and not gate.is_open(number, pts):
                continue
            kept.append(number + 1)
            x, y = _sway(pts, losses.sway_px)
            if losses.sway_px:
                detections = _moved(detections, x, y)
            if isinstance(follow, Ours):
                follow.see(_shown(street.render(number), x, y))
            ids = follow(detections, pts)
            if gate is not None and isinstance(follow, Ours) and follow.moving:
                gate.keep_open(pts)
            boxes = recording.found[number].xyxy.tolist()
            for (x1, y1, x2, y2), track in zip(boxes, ids, strict=True):
                if track != UNCONFIRMED:
                    rows.append([number + 1, int(track), x1, y1, x2 - x1, y2 - y1, 1.0, NO_CLASS])
        truth, tracks = recording.truth, MotTracks.of(rows)
        pairs.append((truth.take(np.isin(truth.frame, kept)), tracks))
        objects.append((truth.targets().objects(), tracks.objects()))
        crossings += _crossings(recording, tracks)
    return Outcome(score_tracks(pairs)[1], objects, crossings)


def _sway(pts: float, pixels: float) -> tuple[float, float]:
    """How far a mast that sways in the wind has moved the picture: two oscillations."""
    return pixels * math.sin(2 * math.pi * 1.3 * pts), 0.5 * pixels * math.sin(2 * math.pi * 2.1 * pts + 1)


def _shown(picture: Image, x: float, y: float) -> Image:
    """The picture of a mast that was moved by so many pixels."""
    if not (x or y):
        return picture
    moved = cv2.warpAffine(picture, np.array([[1, 0, x], [0, 1, y]]), picture.shape[1::-1])
    return np.asarray(moved, np.uint8)


def _moved(detections: Detections, x: float, y: float) -> Detections:
    xyxy = detections.xyxy + np.array([x, y, x, y], np.float32)
    return Detections(xyxy, detections.confidence, detections.class_id)


class Gate:
    """The gate of a running camera, on the pictures of a recording."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._gate = MotionGate(Settings().keyframe_s)

    def is_open(self, number: int, pts: float) -> bool:
        """Whether a frame is for the detector."""
        luma = cv2.cvtColor(self._view.render(number), cv2.COLOR_BGR2GRAY)
        return self._gate.is_open(luma.astype(np.uint8, copy=False), pts)

    def keep_open(self, pts: float) -> None:
        """See `MotionGate.keep_open`."""
        self._gate.keep_open(pts)


def _kept(recording: Recording, fps: float, losses: Losses) -> list[int]:
    """Numbers of the frames that are due at a rate and not dropped."""
    rng, due, kept = np.random.default_rng(7), 0.0, []
    lost = rng.random(round(len(recording.found) / recording.fps / _BURST_S) + 1) < losses.dropped
    for number in range(len(recording.found)):
        pts = number / recording.fps
        if pts < due - 1e-6:
            continue
        due += 1 / fps
        is_lost = lost[int(pts / _BURST_S)] if losses.in_bursts else rng.random() < losses.dropped
        if not is_lost:
            kept.append(number)
    return kept


def cost_ms(objects: int = 30, frames: int = 300) -> float:
    """Processor time of tracker and appearance for a frame of 720p with so many objects, in ms."""
    rng, tracker, spent = np.random.default_rng(0), CameraTracker(80), 0.0
    start, speed = rng.uniform(100, 1100, (objects, 2)), rng.normal(0, 60, (objects, 2))
    half = rng.uniform(10, 30, (objects, 1))
    luma = rng.integers(0, 255, (720, 1280), np.uint8)
    for frame in range(frames):
        centre = (start + speed * frame / 10) % 1000
        noise = rng.normal(0, 0.5, (objects, 4))
        xyxy = (np.hstack([centre - half, centre + half]) + noise).astype(np.float32)
        confidence = rng.uniform(0.2, 0.95, objects).astype(np.float32)
        found = Detections(xyxy, confidence, rng.integers(0, 4, objects))
        began = time.thread_time()
        tracker.update(found, frame / 10, 1280, 720, brightness(luma, found.xyxy))
        spent += time.thread_time() - began
    return 1000 * spent / frames


def _crossings(recording: Recording, tracks: MotTracks) -> list[tuple[int, int]]:
    address = parse_address(recording.camera.uri.reveal())
    geometry = Geometry(address.width, address.height, recording.fps)
    true, found = (
        count_tracks(t, recording.camera.lines, geometry) for t in (recording.truth.targets(), tracks)
    )
    return [(true.lines[line][way], found.lines[line][way]) for line in true.lines for way in ("in", "out")]


def main() -> None:
    """Measure and print."""
    parser = new_parser(__doc__)
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--condition", default="")
    parser.add_argument("--model", default=BASELINE)
    parser.add_argument("--seed", type=int, default=SEED, help="of the traffic")
    options = parse_options(parser)
    console = Console()
    with console.status("the streets are played and detected"):
        recordings = [record(street, options) for street in CAMERAS]
    outcomes = {name: play(recordings, way, options.fps) for name, way in WAYS.items()}
    for fps in (rate for rate in _RATES if rate < options.fps):
        outcomes[f"streetloop, {fps:g} frames/s"] = play(recordings, Ours, fps)
    for name, losses in LOSSES.items():
        outcomes[f"streetloop, {name}"] = play(recordings, Ours, options.fps, losses)
    table = Table("", "mean HOTA", "HOTA", "id switches", "objects", "crossings off", box=None)
    for name, one in outcomes.items():
        off, true = sum(abs(t - f) for t, f in one.crossings), sum(t for t, _ in one.crossings)
        table.add_row(
            name,
            f"{one.hota:.1f}",
            " ".join(f"{score.hota:.1f}" for score in one.scores),
            " ".join(str(score.id_switches) for score in one.scores),
            " ".join(f"{found}/{t}" for t, found in one.objects),
            f"{off} of {true}",
        )
    console.print(table)
    cost = cost_ms()
    console.print(f"{cost:.2f} ms of a core for a frame with 30 objects")
    figures = {name: one.as_json() for name, one in outcomes.items()}
    at = [f"{options.size}", options.condition, f"{options.fps:g}" if options.fps != 10 else ""]
    finish(options, {"ways": figures, "cost_ms": round(cost, 3)}, "-".join(filter(None, at)))


if __name__ == "__main__":
    main()
