"""What a model finds in the frames of a recorded segment that were detected when they were seen."""

import io
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from flows.archive.served_log import ServedFrame
from streetloop.errors import StoreError
from streetloop.host.read_ahead import read_ahead
from streetloop.ledger.segments import Segment
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections, Floats, Image, Ints
from streetloop.video import VideoReader
from train.model.predictor import Predictor
from train.model.preprocess import Letterbox, letterbox_into

_BATCH = 8
_NEAREST = 0.4  # of the time to the next picture: a frame is that picture, or is not in the recording
_PERIOD_S, _LONGEST_PERIOD_S = 0.04, 5.0
_MAX_STREAMS = 4  # each holds a batch, and what the network makes of it
_NO_IMAGES: Image = np.empty((0, 0, 0, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class SegmentDetections:
    """The detections of one segment.

    Attributes:
        frame_id: (F,) which frames were looked at; numbers of the run.
        size: (2,) width and height of the pictures in pixels.
        row: (N,) index into ``frame_id``, of each box.
        xyxy: (N, 4) in pixels of the picture.
        confidence: (N,) 0 to 1.
        class_id: (N,) of the model.
        seconds: How long the model took for all of them.
    """

    frame_id: Ints
    size: Ints
    row: Ints
    xyxy: Floats
    confidence: Floats
    class_id: Ints
    seconds: float

    def of(self, frame: int) -> Detections:
        """The boxes of the frame at an index."""
        mine = self.row == frame
        return Detections(self.xyxy[mine], self.confidence[mine], self.class_id[mine])

    def to_bytes(self) -> bytes:
        """As a file."""
        content = io.BytesIO()
        arrays = {name: getattr(self, name) for name in self.__slots__}
        np.savez_compressed(content, **arrays)
        return content.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "SegmentDetections":
        """From `to_bytes`."""
        with np.load(io.BytesIO(data)) as arrays:
            values = {name: arrays[name] for name in cls.__slots__}
        return cls(**values | {"seconds": float(values["seconds"])})


def detect_segment(
    store: ObjectStore,
    segment: Segment,
    frames: Sequence[ServedFrame],
    predictor: Predictor,
    confidence: float,
    streams: int = 1,
) -> SegmentDetections:
    """Look at some frames of a segment with a model.

    Args:
        store: Has the segment.
        segment: The segment.
        frames: The frames, in order of time; those that the recording lacks are left out.
        predictor: The model.
        confidence: Least confidence of a box.
        streams: Batches that the model computes side by side, see
            `train.model.backends.open_backend`.

    Raises:
        StoreError: The segment cannot be read.
        DetectorError: The model failed.
    """
    found: list[tuple[int, Detections]] = []
    size = (segment.width, segment.height)
    took_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "segment.mp4"
        path.write_bytes(store.get(segment.key))
        # Decoded beside the network, whose own steps do not keep all cores busy.
        with read_ahead(_packed(_wanted(path, frames), predictor), streams + 1) as batches:
            for batch, answers, seconds in _answered(batches, predictor, confidence, streams):
                size = batch.letterboxes[0].width, batch.letterboxes[0].height
                took_s += seconds
                found += zip(batch.frame_ids, batch.to_source(answers), strict=True)
    return _collected(found, size, took_s)


def streams_of(threads: int) -> int:
    """Batches side by side that a number of threads computes fastest."""
    return max(1, min(threads, _MAX_STREAMS))


def _answered(
    batches: "Iterator[_Packed]", predictor: Predictor, confidence: float, streams: int
) -> "Iterator[tuple[_Packed, list[Detections], float]]":
    """Each batch with its answers and the seconds that they took, in the order of the batches."""

    def detect(images: Image) -> tuple[list[Detections], float]:
        began = time.perf_counter()
        return predictor.detect(images, confidence), time.perf_counter() - began

    asked: deque[tuple[_Packed, Future[tuple[list[Detections], float]]]] = deque()
    with ThreadPoolExecutor(streams, "replay") as pool:
        for batch in batches:
            asked.append((batch, pool.submit(detect, batch.images)))
            if len(asked) > streams:
                answered, answer = asked.popleft()
                yield answered, *answer.result()
        for answered, answer in asked:
            yield answered, *answer.result()


@dataclass(frozen=True, slots=True)
class _Packed:
    """Pictures of one size, letterboxed.

    Attributes:
        frame_ids: Numbers of the frames.
        images: (B, height, width, 3) uint8, the input of the model.
        letterboxes: How each picture was scaled.
    """

    frame_ids: list[int]
    images: Image
    letterboxes: list[Letterbox]

    def to_source(self, answers: Sequence[Detections]) -> list[Detections]:
        """Answers in pixels of the pictures."""
        return [
            Detections(box.to_source(answer.xyxy), answer.confidence, answer.class_id)
            for answer, box in zip(answers, self.letterboxes, strict=True)
        ]


def _wanted(path: Path, frames: Sequence[ServedFrame]) -> Iterator[tuple[int, Image]]:
    """Number and picture of each frame that is in a file."""
    seconds = np.array([frame.second for frame in frames])
    if not len(seconds):
        return
    before: float | None = None
    period = _PERIOD_S
    with VideoReader(str(path), path.name) as reader:
        for time_s, picture in reader.pictures():
            if time_s is None:
                raise StoreError(f"{path.name} has a picture without a time")
            if time_s > seconds[-1] + _NEAREST * _LONGEST_PERIOD_S:
                return  # the rest is not looked at, and need not be decoded
            period = time_s - before if before is not None and time_s > before else period
            before = time_s
            nearest = int(np.abs(seconds - time_s).argmin())
            if abs(seconds[nearest] - time_s) <= _NEAREST * period:
                yield frames[nearest].frame_id, picture.bgr()


def _packed(pictures: Iterator[tuple[int, Image]], predictor: Predictor) -> Iterator[_Packed]:
    """Batches of pictures of one size; not full where the size changes, and at the end."""
    batch, source = _Packed([], _NO_IMAGES, []), (0, 0)
    for frame_id, image in pictures:
        if batch.frame_ids and (len(batch.frame_ids) == _BATCH or image.shape[:2] != source):
            yield _cut(batch)
            batch = _Packed([], _NO_IMAGES, [])
        if not batch.frame_ids:
            source = image.shape[0], image.shape[1]
            height, width = predictor.input_size(image.shape[1], image.shape[0])
            batch = _Packed([], np.empty((_BATCH, height, width, 3), np.uint8), [])
        batch.letterboxes.append(letterbox_into(batch.images[len(batch.frame_ids)], image))
        batch.frame_ids.append(frame_id)
    if batch.frame_ids:
        yield _cut(batch)


def _cut(batch: _Packed) -> _Packed:
    return replace(batch, images=batch.images[: len(batch.frame_ids)])


def _collected(
    found: Sequence[tuple[int, Detections]], size: tuple[int, int], took_s: float
) -> SegmentDetections:
    parts = [Detections.empty(), *(one for _, one in found)]
    counts = [len(one) for _, one in found]
    return SegmentDetections(
        frame_id=np.array([frame_id for frame_id, _ in found], np.int64),
        size=np.array(size, np.int64),
        row=np.repeat(np.arange(len(found)), counts).astype(np.int64),
        xyxy=np.concatenate([part.xyxy for part in parts]),
        confidence=np.concatenate([part.confidence for part in parts]),
        class_id=np.concatenate([part.class_id for part in parts]),
        seconds=took_s,
    )
