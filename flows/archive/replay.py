"""A recorded stretch, seen by another version, beside what was served when it was seen."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from flows.archive.same_boxes import same_boxes
from flows.archive.segment_detections import SegmentDetections, detect_segment, streams_of
from flows.archive.served_log import ServedFrame, served_frames
from flows.stream.analysis.camera_analysis import CameraAnalysis
from flows.stream.ingest.accounting import Fate
from flows.stream.pipeline import FRAME_IDS_PER_GENERATION
from streetloop.cameras.camera_file import Camera
from streetloop.errors import NotFound, StoreError
from streetloop.ledger.segments import Segment
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore
from streetloop.types import UNCONFIRMED, ArrayPicture, Detections, Frame
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile
from train.model.predictor import Predictor

Work = tuple[Segment, Sequence[ServedFrame]]
"""A segment, and the frames of it that are looked at."""

Detect = Callable[[Sequence[Work], ModelFile, Settings, ObjectStore], Mapping[str, SegmentDetections]]
"""What a model finds in segments, by their keys."""


@dataclass(slots=True)
class ReplayCounts:
    """What one version saw in the frames of a stretch.

    Attributes:
        detections: Boxes of at least the confidence of the settings.
        tracks: Tracks.
        lines: Crossings by line and direction.
        events: Anomalies that began, by kind; all kinds that the camera looks for.
    """

    detections: int = 0
    tracks: int = 0
    lines: dict[str, dict[str, int]] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replay:
    """The comparison.

    Attributes:
        frames: Frames that were detected when they were seen, and are in the recording.
        matched: Those whose boxes are the same, see `flows.archive.same_boxes`.
        fps: Frames that the version answered a second; 0 if all answers were known already.
        versions: What each version saw.
    """

    frames: int
    matched: int
    fps: float
    versions: Mapping[str, ReplayCounts]


def replay(
    store: ObjectStore,
    segments: Sequence[Segment],
    camera: Camera,
    period: tuple[datetime, datetime],
    model: ModelFile,
    settings: Settings,
    detect: Detect | None = None,
) -> Replay:
    """Run a stretch through a version, and compare.

    Looked at are the frames that were detected when they were seen. Answers are kept in the store
    by version and segment: a replay that was interrupted goes on where it was.

    Args:
        store: Has segments and logs.
        segments: Those of the camera that overlap the period, in order of time.
        camera: The camera; its lines are counted.
        period: Begin and end (UTC).
        model: The version.
        settings: Input size, confidence and backend, as for streams.
        detect: Looks at segments; by default one after the other in this process.

    Raises:
        NotFound: No frame of the period was detected when it was seen, or none is in the recording.
        StoreError: A segment or a log cannot be read.
        DetectorError: The model failed.
    """
    work = [(one, _within(served_frames(store, one), one, period)) for one in segments]
    work = [(one, frames) for one, frames in work if frames]
    if not work:
        raise NotFound("no frame of this time was detected when it was seen, so there is nothing to compare")
    known = _known_answers(work, model, settings, store)
    began = time.perf_counter()
    fresh = _fresh_answers(work, known, model, settings, store, detect or detect_here)
    took_s = time.perf_counter() - began
    answered = sum(len(found.frame_id) for found in fresh.values())
    names = sorted({name for _, frames in work for frame in frames for name in frame.boxes.class_name})
    result = _Comparison(camera, model, settings, names)
    for segment, frames in work:
        found = known.get(segment.key) or fresh[segment.key]
        result.add(segment, frames, found)
    if not result.frames:
        raise NotFound("no frame that was detected is in the recording")
    fps = answered / took_s if answered and took_s else 0.0
    return Replay(result.frames, result.matched, fps, result.versions())


def answers_of(
    work: Sequence[Work], model: ModelFile, settings: Settings, store: ObjectStore, detect: Detect
) -> dict[str, SegmentDetections]:
    """What a model finds in segments, by their keys; what the store has is not asked again."""
    known = _known_answers(work, model, settings, store)
    return {**known, **_fresh_answers(work, known, model, settings, store, detect)}


def detected_frames(store: ObjectStore, segment: Segment) -> list[ServedFrame]:
    """The frames of a segment that were detected when they were seen."""
    return [frame for frame in served_frames(store, segment) if frame.fate == Fate.DETECTED]


def _known_answers(
    work: Sequence[Work], model: ModelFile, settings: Settings, store: ObjectStore
) -> dict[str, SegmentDetections]:
    known = ((one.key, _known(store, one, frames, model, settings)) for one, frames in work)
    return {key: found for key, found in known if found is not None}


def _fresh_answers(
    work: Sequence[Work],
    known: Mapping[str, SegmentDetections],
    model: ModelFile,
    settings: Settings,
    store: ObjectStore,
    detect: Detect,
) -> Mapping[str, SegmentDetections]:
    missing = [(one, frames) for one, frames in work if one.key not in known]
    return detect(missing, model, settings, store) if missing else {}


def detect_here(
    work: Sequence[Work], model: ModelFile, settings: Settings, store: ObjectStore
) -> dict[str, SegmentDetections]:
    """Look at segments one after the other, in this process; see `Detect`."""
    streams = streams_of(settings.threads)
    backend = open_backend(model, settings.backend, settings.threads, settings.precision, streams)
    predictor = Predictor(model, backend, settings.image_size)
    found: dict[str, SegmentDetections] = {}
    for segment, frames in work:
        found[segment.key] = detect_and_keep(store, segment, frames, predictor, settings, streams)
    return found


def detect_and_keep(
    store: ObjectStore,
    segment: Segment,
    frames: Sequence[ServedFrame],
    predictor: Predictor,
    settings: Settings,
    streams: int = 1,
) -> SegmentDetections:
    """What a model finds in a segment; kept in the store for the next replay."""
    found = detect_segment(store, segment, frames, predictor, settings.track_floor, streams)
    store.put(_answer_key(segment, frames, predictor.model, settings), found.to_bytes())
    return found


def _within(
    frames: Sequence[ServedFrame], segment: Segment, period: tuple[datetime, datetime]
) -> list[ServedFrame]:
    def is_in(frame: ServedFrame) -> bool:
        return period[0] <= segment.started_at + timedelta(seconds=frame.second) < period[1]

    return [frame for frame in frames if frame.fate == Fate.DETECTED and is_in(frame)]


def _answer_key(segment: Segment, frames: Sequence[ServedFrame], model: ModelFile, settings: Settings) -> str:
    ids = np.array([frame.frame_id for frame in frames], np.int64).tobytes()
    asked = f"{model.version} {settings.backend} {settings.precision} {settings.image_size}"
    digest = hashlib.sha256(f"{asked} {settings.track_floor} {segment.sha256} ".encode() + ids).hexdigest()
    return f"replays/{digest[:2]}/{digest}.npz"


def _known(
    store: ObjectStore, segment: Segment, frames: Sequence[ServedFrame], model: ModelFile, settings: Settings
) -> SegmentDetections | None:
    key = _answer_key(segment, frames, model, settings)
    if key not in set(store.keys(key)):
        return None
    try:
        return SegmentDetections.from_bytes(store.get(key))
    except (ValueError, KeyError, OSError, StoreError):
        return None  # of another version of this program: it is answered again


class _Comparison:
    """Adds up segments in order of time.

    Args:
        camera: The camera.
        model: The version that was replayed.
        settings: Confidence, and what is counted.
        served_names: All classes that were served.
    """

    def __init__(
        self, camera: Camera, model: ModelFile, settings: Settings, served_names: Sequence[str]
    ) -> None:
        self._camera, self._model, self._settings = camera, model, settings
        self._served_names = list(served_names)
        self._names = model.contract.names
        self._replayed = _Analysed(camera, settings, self._names)
        self._served: dict[str, _Analysed] = {}
        self._last: tuple[str | None, int] | None = None
        self._versions: set[str] = set()
        self.frames = self.matched = 0

    def add(self, segment: Segment, frames: Sequence[ServedFrame], found: SegmentDetections) -> None:
        """Compare the frames of a segment."""
        assert segment.frame_id is not None
        worker = segment.run, segment.frame_id // FRAME_IDS_PER_GENERATION
        if worker != self._last:  # media time begins again
            self._last = worker
            for one in (self._replayed, *self._served.values()):
                one.begin_again()
        by_id = {frame.frame_id: frame for frame in frames}
        for index, frame_id in enumerate(found.frame_id.tolist()):
            self._compare(by_id[frame_id], found.of(index), segment, found)

    def versions(self) -> dict[str, ReplayCounts]:
        """What each version saw; the replayed one last, named apart if it served, too."""
        served = {version: one.seen for version, one in self._served.items()}
        name = self._model.version
        return {**served, (f"{name} (replayed)" if name in served else name): self._replayed.seen}

    def _compare(
        self, frame: ServedFrame, answer: Detections, segment: Segment, found: SegmentDetections
    ) -> None:
        self.frames += 1
        threshold = self._settings.confidence
        own = [self._names[class_id] for class_id in answer.class_id.tolist()]
        boxes = frame.boxes
        self.matched += same_boxes(
            (boxes.xyxy, boxes.confidence, boxes.class_name), (answer.xyxy, answer.confidence, own), threshold
        )
        size = int(found.size[0]), int(found.size[1])
        self._replayed.add(_frame(segment, frame, size), answer)
        version = frame.model_version or "unknown"
        served = self._served.setdefault(version, _Analysed(self._camera, self._settings, self._served_names))
        class_id = np.array([self._served_names.index(name) for name in boxes.class_name], np.int64)
        served.add(_frame(segment, frame, size), Detections(boxes.xyxy, boxes.confidence, class_id))


class _Analysed:
    """Tracks and counts of one version over a stretch.

    Args:
        camera: The camera.
        settings: Confidence, and what is counted.
        names: Class names by class id.
    """

    def __init__(self, camera: Camera, settings: Settings, names: Sequence[str]) -> None:
        self._camera, self._settings, self._names = camera, settings, tuple(names)
        self._analysis: CameraAnalysis | None = None
        self._ids: set[int] = set()
        self.seen = ReplayCounts(lines={name: {"in": 0, "out": 0} for name in camera.lines})

    def begin_again(self) -> None:
        """What follows is of another worker."""
        self._analysis = None

    def add(self, frame: Frame, found: Detections) -> None:
        """Add the boxes of a frame."""
        if self._analysis is None:
            self._analysis, self._ids = CameraAnalysis(self._camera, self._settings, 0, self._names), set()
        result = self._analysis.update(frame, found, "")
        self.seen.detections += int((result.tracked.detections.confidence >= self._settings.confidence).sum())
        ids = set(result.tracked.track_id.tolist()) - {UNCONFIRMED} - self._ids
        self._ids |= ids
        self.seen.tracks += len(ids)
        for crossing in result.crossings:
            self.seen.lines[crossing.line][crossing.direction] += 1
        for rule in self._analysis.anomalies.rules:
            self.seen.events.setdefault(rule.kind.value, 0)
        for anomaly in result.anomalies:
            self.seen.events[anomaly.kind.value] += anomaly.ended_at is None


_BLANK: dict[tuple[int, int], ArrayPicture] = {}


def _frame(segment: Segment, frame: ServedFrame, size: tuple[int, int]) -> Frame:
    """The frame without its pixels, which the analysis does not look at."""
    picture = _BLANK.get(size)
    if picture is None:
        _BLANK.clear()
        picture = _BLANK[size] = ArrayPicture(np.zeros((size[1], size[0], 3), np.uint8))
    pts = frame.second + (segment.pts_offset or 0.0)
    at = segment.started_at + timedelta(seconds=frame.second)
    return Frame(segment.camera_id, frame.frame_id, pts, at, 0.0, picture)
