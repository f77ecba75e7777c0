"""From one camera's detections to tracks, object counts and line crossings."""

import statistics
from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime
from functools import partial

import numpy as np
from numpy.typing import NDArray

from flows.stream.analysis.camera_lines import CameraLines
from flows.stream.analysis.counting_lines import Crossing
from flows.stream.analysis.faults import TOO_FAST, UNKNOWN_CLASS, Fault
from flows.stream.analysis.line_totals import LineTotals
from flows.stream.analysis.rate_check import RateCheck
from flows.stream.analysis.results import Result
from flows.stream.analysis.status import Lags
from flows.stream.anomalies.anomaly_watch import AnomalyWatch
from flows.stream.ingest.sway import SwayMeter
from flows.stream.tracking.appearance import brightness
from flows.stream.tracking.association import Tuning
from flows.stream.tracking.tracker import CameraTracker, Track
from streetloop.boxes import iou
from streetloop.cameras.camera_file import Camera
from streetloop.counted_classes import CountedClasses
from streetloop.settings import Settings
from streetloop.types import UNCONFIRMED, Detections, Frame, Tracked

_IDS_PER_GENERATION = 10_000_000
_DOUBLE_IOU = 0.6  # of two boxes whatever their classes: both are of one object
_GAP_S, _GAP_PERIODS = 0.5, 2.5  # without a track, from which its crossing is inferred
_STEPS = 15  # between frames, whose median is the frame period
_UNNAMED = 1000  # class ids that may come where nobody knows the names


class CameraAnalysis:
    """The analysis of one camera's detections.

    Args:
        camera: The camera; its counting lines are in fractions of the image.
        settings: ``confidence`` decides what is reported, and twice of it what starts a track;
            higher reports fewer false positives and misses more objects. ``classes`` are counted
            unless the camera says otherwise.
        generation: How many workers that hosted the camera have died; keeps track ids unique over
            restarts.
        names: Class names of the model by class id; without them classes are counted by number.

    Attributes:
        lags: Times from decoding to result.
        model: Version of the model that answered last; None before the first answer.
        first_at: When the first frame was captured (UTC); None before it.
        last_at: When the newest frame was captured (UTC).
        objects_by_class: Objects so far by class.
        anomalies: Looks for the camera's anomalies.
    """

    def __init__(
        self, camera: Camera, settings: Settings, generation: int = 0, names: Sequence[str] = ()
    ) -> None:
        names = names or [str(number) for number in range(_UNNAMED)]
        groups = camera.classes if camera.classes is not None else settings.classes
        self._classes = CountedClasses(names, groups)
        own = {n: CountedClasses(names, line.classes) for n, line in camera.lines.items() if line.classes}
        self._line_classes = {name: own.get(name, self._classes) for name in camera.lines}
        self._tracked = np.maximum.reduce([one.of_class >= 0 for one in (self._classes, *own.values())])
        self._confidence = settings.confidence
        self._tracker = CameraTracker(
            len(names), 1 + generation * _IDS_PER_GENERATION, Tuning.of(settings.confidence)
        )
        self._sway = SwayMeter()
        self._lines = CameraLines(camera.lines)
        self._ended: Counter[str] = Counter()
        self._steps: deque[float] = deque(maxlen=_STEPS)
        self._pts: float | None = None
        self.lags = Lags()
        self.model: str | None = None
        self.first_at: datetime | None = None
        self.last_at: datetime | None = None
        self.objects_by_class: dict[str, int] = {}
        self._unknown = sorted({name for one in (self._classes, *own.values()) for name in one.unknown})
        self._rate_check = RateCheck(camera.fps)
        self._camera = camera
        self.anomalies = AnomalyWatch(camera, names, generation)

    @property
    def faults(self) -> list[Fault]:
        """Why this camera's counts are not what they seem, one fault of each kind."""
        if self.first_at is None or self.last_at is None:
            return []
        texts = {}
        if self._unknown:
            texts[UNKNOWN_CLASS] = f"classes: the model has no class {', '.join(map(repr, self._unknown))}"
        if self._camera.lines and (shortfall := self._rate_check.too_fast()) is not None:
            texts[TOO_FAST] = f"too fast for {shortfall.fps:.2g} fps, needs {shortfall.needed:g}"
        return [
            Fault(kind, f"camera {self._camera.id!r}: {text}", self.first_at, self.last_at)
            for kind, text in texts.items()
        ]

    @property
    def objects(self) -> int:
        """Number of objects so far."""
        return sum(self.objects_by_class.values())

    @property
    def moving(self) -> bool:
        """True if a confirmed track has moved within the last second."""
        return self._tracker.moving

    def line_totals(self) -> dict[str, LineTotals]:
        """Crossings so far by line."""
        return self._lines.totals()

    def update(self, frame: Frame, detections: Detections, model_version: str) -> Result:
        """Track the detections of ``frame``; frames come in order of time.

        Detections below the confidence threshold may extend a track; those that do not are left
        out of the result.

        Args:
            frame: The frame.
            detections: In pixels of the frame.
            model_version: The model that found them.
        """
        self.model = model_version
        self.first_at, self.last_at = self.first_at or frame.captured_at, frame.captured_at
        counted = self._counted(detections)
        track_id = np.full(len(detections), UNCONFIRMED, np.int64)
        width, height = frame.picture.width, frame.picture.height
        tracked = detections.take(counted)
        appearance = brightness(frame.picture.luma(), tracked.xyxy) if len(tracked) else None
        steady = self._steadied(tracked, frame)
        track_id[counted] = self._tracker.update(steady, frame.pts, width, height, appearance)
        kept = (track_id != UNCONFIRMED) | (detections.confidence >= self._confidence)
        reported = Tracked(detections.take(kept), track_id[kept])
        self._count_objects()
        self._rate_check.add(frame.pts, self._tracker.seen, len(self._tracker.ended), self._tracker.lost)
        anomalies = self.anomalies.update(self._tracker.seen, frame, self._tracker.size, model_version)
        crossings = self._crossings(frame.pts)
        return Result(frame, reported, crossings, model_version, counted[kept], anomalies)

    def _steadied(self, detections: Detections, frame: Frame) -> Detections:
        """The detections where they would be if the camera did not sway; lines stay on the road."""
        x, y = self._sway.offset(frame.picture)
        if not (x or y):
            return detections
        xyxy = detections.xyxy - np.array([x, y, x, y], np.float32)
        return Detections(xyxy, detections.confidence, detections.class_id)

    def _counted(self, detections: Detections) -> NDArray[np.bool_]:
        """(N,) true for what is tracked: of a counted class, and no second box of an object."""
        known = detections.class_id < len(self._tracked)
        rows = np.flatnonzero(known & self._tracked[np.where(known, detections.class_id, 0)])
        counted = np.zeros(len(detections), np.bool_)
        counted[rows[strongest_of_doubles(detections.take(rows), _DOUBLE_IOU)]] = True
        return counted

    def _count_objects(self) -> None:
        self._ended.update(name for track in self._tracker.ended if (name := self._name(track)) is not None)
        now = Counter(name for track in self._tracker.tracks if (name := self._name(track)) is not None)
        self.objects_by_class = dict(sorted((self._ended + now).items()))

    def _name(self, track: Track) -> str | None:
        return self._classes.elected(track.votes)

    def _crossings(self, pts: float) -> list[Crossing]:
        self._steps.append(0.0 if self._pts is None else pts - self._pts)
        self._pts = pts
        if not self._line_classes:
            return []
        self._lines.begin(pts, max(_GAP_S, _GAP_PERIODS * statistics.median(self._steps)))
        found: list[Crossing] = []
        for track in self._tracker.seen:
            elected = partial(self._elected, track)
            for at, box in track.path:
                found += self._lines.update(track.id, box, self._tracker.size, at, elected)
        return found

    def _elected(self, track: Track, line: str) -> str | None:
        return self._line_classes[line].elected(track.votes)


def strongest_of_doubles(detections: Detections, least_iou: float) -> NDArray[np.intp]:
    """Rows of the detections without those that overlap a stronger one, whatever their classes.

    >>> boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]], np.float32)
    >>> found = Detections(boxes, np.array([0.5, 0.9, 0.7], np.float32), np.array([0, 1, 0]))
    >>> strongest_of_doubles(found, 0.6).tolist()
    [1, 2]

    Args:
        detections: N detections.
        least_iou: IoU from which two boxes are of one object, 0 to 1. Lower removes more doubles,
            and more objects that stand close together.
    """
    overlap = iou(detections.xyxy, detections.xyxy) > least_iou
    if overlap.sum() == overlap.trace():  # each overlaps itself alone, as most often
        return np.arange(len(detections))
    kept: list[int] = []
    for row in np.argsort(-detections.confidence, kind="stable").tolist():
        if not overlap[row, kept].any():
            kept.append(row)
    return np.array(sorted(kept), np.intp)
