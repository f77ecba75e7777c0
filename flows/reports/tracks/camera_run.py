"""Runs one camera through the stream flow, with a detector in this process."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from flows.reports.tracks.counts import Counts, Geometry
from flows.reports.tracks.mot_files import NO_CLASS, MotTracks
from flows.reports.tracks.recorded_source import RecordedSource
from flows.stream.analysis.faults import TOO_FAST
from flows.stream.analysis.results import Result
from flows.stream.analysis.status import CameraStatus
from flows.stream.pipeline import StreamPipeline
from serve.detector.client import DetectorClient, LocalDetector
from streetloop.cameras.camera_file import Camera
from streetloop.clock import SystemClock
from streetloop.errors import SourceError, StreetloopError
from streetloop.settings import Settings
from streetloop.types import UNCONFIRMED, Ints
from train.model.backends.open_backend import open_backend
from train.model.contract import ModelContract
from train.model.find_model import find_model
from train.model.predictor import Predictor

_PROGRESS_S = 0.25
_FALLBACK_FPS = 25.0
_UNKNOWN_MODEL = ModelContract(names=())


@dataclass(frozen=True, slots=True)
class CameraRun:
    """What one camera showed, and what was found.

    Attributes:
        truth: The true boxes of every picture; none if the camera is not a simulated one.
        class_of: Class names of the true objects by track id.
        found: The tracked boxes of the analysed pictures.
        frames: Number of pictures; the first is frame 1.
        analysed: The frames that the detector was asked about: neither beyond the camera's ``fps``
            nor skipped by the motion gate.
        counts: What the camera counted.
        geometry: Of its pictures.
    """

    truth: MotTracks
    class_of: Mapping[int, str]
    found: MotTracks
    frames: int
    analysed: Ints
    counts: Counts
    geometry: Geometry


@contextlib.contextmanager
def local_detector(settings: Settings) -> Iterator[tuple[DetectorClient, ModelContract]]:
    """The detector that the settings name, in this process, and its model's contract.

    Raises:
        ModelError: The model cannot be used.
    """
    model = find_model(settings.model, settings)
    backend = open_backend(model, settings.backend, settings.threads, settings.precision)
    detector = LocalDetector(Predictor(model, backend, settings.image_size), settings.track_floor)
    try:
        yield detector, model.contract
    finally:
        detector.close()


def run_camera(
    camera: Camera,
    detector: DetectorClient,
    settings: Settings,
    seconds: float,
    progress: Callable[[int], None] = lambda _: None,
    contract: ModelContract = _UNKNOWN_MODEL,
) -> CameraRun:
    """Play a simulated camera or a clip through the stream flow, without dropping a frame.

    Args:
        camera: The camera.
        detector: Answers for it.
        settings: Decide on gate, input size and confidence.
        seconds: Media time to play; a clip may end earlier.
        progress: Told the number of frames done.
        contract: Of its model; without class names classes are counted by number.

    Raises:
        ConfigError: The URI is malformed.
        StreetloopError: The source or the detector failed.
    """
    clock = SystemClock()
    source = RecordedSource(camera, clock, seconds)
    info = source.probe()
    sink = _FoundTracks()
    pipeline = StreamPipeline(
        [(camera, source)],
        lambda _: detector,
        settings,
        clock,
        [sink],
        names=contract.names,
        model_input=contract.input,
    )
    pipeline.start()
    try:
        while not pipeline.wait(_PROGRESS_S):
            progress(_done(pipeline.snapshot()[camera.id]))
    finally:
        pipeline.close()
    status = pipeline.snapshot()[camera.id]
    _refuse_losses(status)
    progress(_done(status))
    return CameraRun(
        MotTracks.of(source.truth),
        source.class_of,
        MotTracks.of(sink.rows),
        source.frames,
        np.array(sink.frames, np.int64),
        Counts(status.objects, {name: totals.directions() for name, totals in status.lines.items()}),
        Geometry(info.width, info.height, info.fps or _FALLBACK_FPS),
    )


def _done(status: CameraStatus) -> int:
    return status.account.decoded - status.account.pending


def _refuse_losses(status: CameraStatus) -> None:
    """Refuse a run that says less about the tracks than it seems to.

    Raises:
        StreetloopError: A frame was lost, or the stream ended by an error.
    """
    name, lost = status.camera_id, status.account.dropped + status.account.failed
    if status.error is not None:
        raise SourceError(f"camera {name!r}: {status.error}")
    for fault in status.faults:
        if fault.kind != TOO_FAST:  # which is what people measure here
            raise StreetloopError(fault.text)
    if lost:
        raise StreetloopError(f"camera {name!r}: the detector left {lost} frames without an answer")


class _FoundTracks:
    """A `Sink` that keeps the tracked boxes of one camera as rows of a MOT file."""

    def __init__(self) -> None:
        self.frames: list[int] = []
        self.rows: list[list[float]] = []

    def take(self, result: Result) -> None:
        """See `Sink.take`."""
        frame = result.frame.frame_id + 1
        self.frames.append(frame)
        found = result.tracked.detections
        for (left, top, right, bottom), confidence, track in zip(
            found.xyxy.tolist(), found.confidence.tolist(), result.tracked.track_id.tolist(), strict=True
        ):
            if track != UNCONFIRMED:
                self.rows.append([frame, track, left, top, right - left, bottom - top, confidence, NO_CLASS])

    def close(self) -> None:
        """See `Sink.close`."""
