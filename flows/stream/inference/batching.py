"""Batches: frames of several cameras that share an input shape, sent as one array."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flows.stream.ingest.reader import CameraReader
from streetloop.types import Frame, Image
from train.model.preprocess import Letterbox, input_shape, letterbox_into

_SHARE_OF_BUDGET = 0.4  # two batches are under way at a time, and something is left for the wait
_UNKNOWN_S = 0.5
_MEMORY = 0.8  # weight of the past in the smoothed service time


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames with their letterboxed pixels, (B, H, W, 3) uint8, in the same order."""

    frames: list[Frame]
    images: Image
    boxes: list[Letterbox]


class Pace:
    """How many frames fit into the staleness budget, from how long the detector takes a frame."""

    def __init__(self, staleness_s: float, max_batch: int) -> None:
        self._staleness_s = staleness_s
        self._max_batch = max_batch
        self._frame_s = 0.0

    def answered(self, frames: int, seconds: float) -> None:
        """A batch of ``frames`` kept the detector busy for ``seconds``."""
        each = seconds / frames
        self._frame_s = _MEMORY * self._frame_s + (1 - _MEMORY) * each if self._frame_s else each

    def seconds(self, frames: int) -> float:
        """How long a batch of ``frames`` usually takes; 0.5 s before the first."""
        return self._frame_s * frames if self._frame_s else _UNKNOWN_S

    @property
    def in_time(self) -> int:
        """Frames, of all cameras, that the detector answers in time; at least 1."""
        if not self._frame_s:
            return self._max_batch
        return max(1, int(_SHARE_OF_BUDGET * self._staleness_s / self._frame_s))

    @property
    def batch(self) -> int:
        """Most frames of the next live batch."""
        return min(self._max_batch, self.in_time)


def choose(
    readers: Sequence[CameraReader], turn: int, pace: Pace, max_batch: int, image_size: int, now_s: float
) -> list[Frame]:
    """Take the frames of the next batch out of the mailboxes; the caller holds their condition.

    Cameras share the batch evenly, beginning with a different one each ``turn``. All frames of a
    batch get the same input shape, that of the first.
    """
    waiting = [reader for reader in _rotated(readers, turn) if len(reader.mailbox)]
    limit = max_batch if any(f.mailbox.lossless for f in waiting) else pace.batch
    chosen: list[Frame] = []
    shape: tuple[int, int] | None = None

    def fits(frame: Frame) -> bool:
        nonlocal shape
        own = _shape(frame, image_size)
        shape = shape or own
        return own == shape

    for position, reader in enumerate(waiting):
        share = -(-(limit - len(chosen)) // (len(waiting) - position))
        if share > 0:
            backlog = max(1, pace.in_time // len(waiting))
            chosen += reader.mailbox.take(share, backlog, now_s, fits)
    return chosen


def _rotated(readers: Sequence[CameraReader], turn: int) -> list[CameraReader]:
    start = turn % max(1, len(readers))
    return list(itertools.chain(readers[start:], readers[:start]))


def _shape(frame: Frame, image_size: int) -> tuple[int, int]:
    return input_shape(frame.picture.width, frame.picture.height, image_size)


def pack(frames: list[Frame], image_size: int) -> Batch:
    """Letterbox the frames, which share an input shape, into one array."""
    height, width = _shape(frames[0], image_size)
    images = np.empty((len(frames), height, width, 3), np.uint8)
    boxes = [letterbox_into(image, frame.picture.bgr()) for image, frame in zip(images, frames, strict=True)]
    return Batch(frames, images, boxes)
