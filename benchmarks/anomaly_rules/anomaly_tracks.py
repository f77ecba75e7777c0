"""Tracks for `benchmarks.anomalies`: true boxes through error model and tracker, kept on disk.

Rules are changed more often than boxes: whoever changes one measures again without tracking again.
"""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.anomaly_plan import TUNED_ON, Piece
from benchmarks.anomaly_streets import FPS, NAMES, Recording, recording
from benchmarks.detector_errors import Answer, ErrorModel, FaultyDetector, fit
from flows.stream.analysis.camera_analysis import strongest_of_doubles
from flows.stream.anomalies.scene import Objects, objects_of, role_of
from flows.stream.tracking.association import Tuning
from flows.stream.tracking.tracker import CameraTracker
from streetloop.city.address import parse_address
from streetloop.city.render.shapes import CLASSES
from streetloop.city.view import View
from streetloop.settings import BASELINE, Settings
from train.model.model_file import open_model
from train.model.predictor import Predictor

SIZE = (640, 360)
HOURS = {"day": "", "dusk": "&condition=dusk"}
_FITTED_S = 24.0
_DOUBLE_IOU = 0.6
_LEAST_VISIBLE = 0.25
_FOLDER = Path("build/anomalies/tracks")
_ERRORS = Path("build/anomalies/errors-2.pickle")
_ROLES = np.array([int(role) if (role := role_of(name)) is not None else -1 for name in NAMES])


@dataclass(frozen=True, slots=True)
class Tracked:
    """The tracks of a piece.

    Attributes:
        pts: (F,) media time of each frame that was not lost.
        first: (F + 1,) where the objects of each frame begin.
        objects: The objects of all frames, one after another.
    """

    pts: NDArray[np.float64]
    first: NDArray[np.int64]
    objects: Objects

    def scenes(self) -> Iterator[tuple[float, Objects]]:
        """Media time and objects of each frame."""
        columns = [getattr(self.objects, name) for name in Objects.__slots__]
        for pts, start, end in zip(self.pts.tolist(), self.first[:-1], self.first[1:], strict=True):
            yield pts, Objects(*(column[start:end] for column in columns))


def tracked(piece: Piece, dropped: float) -> Tracked:
    """The tracks of a piece, cached.

    Args:
        piece: What is recorded.
        dropped: Share of the frames that are lost, 0 to 1.
    """
    camera = piece.camera.replace("/", "-")
    file = _FOLDER / f"{camera}-{piece.kind or 'clean'}-{piece.seed}-{piece.seconds:g}s-{dropped:g}.npz"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part.npz")
        pts, objects = _track(piece, dropped)
        columns = {
            name: np.concatenate([getattr(one, name) for one in objects]) for name in Objects.__slots__
        }
        counts = [len(one.track_id) for one in objects]
        np.savez_compressed(part, pts=np.array(pts), first=np.cumsum([0, *counts]), **columns)
        part.rename(file)
    with np.load(file) as stored:
        objects_of_all = Objects(*(stored[name] for name in Objects.__slots__))
        return Tracked(stored["pts"], stored["first"], objects_of_all)


def _track(piece: Piece, dropped: float) -> tuple[list[float], list[Objects]]:
    shown = recording(piece.camera, piece.kind, piece.seed, piece.seconds)
    hour = list(HOURS)[piece.seed % len(HOURS)]
    rng = np.random.default_rng([piece.seed, round(dropped * 100)])
    detector = FaultyDetector(error_models()[hour], rng)
    tracker = CameraTracker(len(NAMES), 1, Tuning.of(Settings().confidence))
    times, found = [], []
    for frame, rows in enumerate(_visible_rows(shown)):
        boxes = shown.xyxy[rows] * np.array([*SIZE, *SIZE], np.float32)
        ids = shown.track[rows].tolist()
        answer = detector.answer(ids, boxes, shown.class_id[rows], shown.visible[rows])
        if rng.random() < dropped:
            continue
        answer = answer.take(strongest_of_doubles(answer, _DOUBLE_IOU))
        pts = frame / FPS
        tracker.update(answer, pts, *SIZE)
        times.append(pts)
        found.append(objects_of(tracker.seen, _ROLES, pts))
    return times, found


def _visible_rows(shown: Recording) -> Iterator[NDArray[np.intp]]:
    """Rows of the boxes of each frame that a detector might find."""
    visible = shown.clear & (shown.visible >= _LEAST_VISIBLE)
    first = np.searchsorted(shown.frame, np.arange(len(shown.event) + 1))
    for start, end in zip(first[:-1].tolist(), first[1:].tolist(), strict=True):
        yield start + np.flatnonzero(visible[start:end])


@cache
def error_models() -> dict[str, ErrorModel]:
    """The model fitted to the shipped detector on `TUNED_ON`, by hour; kept on disk."""
    if not _ERRORS.exists():
        predictor = Predictor(open_model(BASELINE, Path("build/tracks")), image_size=640)
        models = {}
        for hour, condition in HOURS.items():
            addresses = [f"sim://{name}?fps={FPS:g}&seed=77&size=640x360{condition}" for name in TUNED_ON]
            models[hour] = fit([list(_answers(predictor, one)) for one in addresses], len(CLASSES))
        _ERRORS.parent.mkdir(parents=True, exist_ok=True)
        _ERRORS.write_bytes(pickle.dumps(models))
    found: dict[str, ErrorModel] = pickle.loads(_ERRORS.read_bytes())
    return found


def _answers(predictor: Predictor, uri: str) -> Iterator[Answer]:
    view = View(parse_address(uri))
    for frame in range(100, 100 + round(_FITTED_S * FPS)):
        truth = view.truth(frame)
        clear = truth.clear()
        boxes = truth.detections()
        yield Answer(
            [one.track_id for one in clear],
            boxes.xyxy,
            boxes.class_id,
            np.array([one.visible for one in clear], np.float32),
            truth.unclear().xyxy,
            predictor.predict(view.render(frame), Settings().track_floor),
        )
