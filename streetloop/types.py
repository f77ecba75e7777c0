"""The types that packages exchange: pictures, frames, detections, tracks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]


class Picture(Protocol):
    """One decoded picture. It converts on demand, so that a dropped one costs nothing."""

    @property
    def width(self) -> int:
        """Width in pixels."""

    @property
    def height(self) -> int:
        """Height in pixels."""

    def bgr(self) -> Image:
        """The picture as (height, width, 3) uint8, blue first. Not to be written to."""

    def luma(self) -> Image:
        """The brightness as (height, width) uint8. Not to be written to."""


@dataclass(frozen=True, slots=True)
class ArrayPicture:
    """A picture that is an array already, (height, width, 3) uint8, blue first."""

    pixels: Image

    @property
    def width(self) -> int:
        """See `Picture.width`."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """See `Picture.height`."""
        return int(self.pixels.shape[0])

    def bgr(self) -> Image:
        """See `Picture.bgr`."""
        return self.pixels

    def luma(self) -> Image:
        """See `Picture.luma`; the green channel stands in for brightness."""
        return self.pixels[:, :, 1]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one camera.

    Attributes:
        camera_id: Whose picture.
        frame_id: Counts the camera's decoded frames without gaps, from 0 or, after the death of a
            worker, from the next thousand million; unique within a run.
        pts: Media time in seconds since the camera's first frame; strictly rising, also over
            loops and reconnects.
        captured_at: When it was captured, as far as the source can tell (UTC).
        arrived_s: When its data arrived, on the monotonic clock: lag is counted from here.
        picture: The pixels.
        held_s: Seconds from there to its decoding. Its staleness is counted from then on, for what
            held it back was no detector.
    """

    camera_id: str
    frame_id: int
    pts: float
    captured_at: datetime
    arrived_s: float
    picture: Picture
    held_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Detections:
    """The detections of one image.

    Attributes:
        xyxy: (N, 4) float32, left, top, right, bottom in pixels of the image.
        confidence: (N,) float32 in [0, 1].
        class_id: (N,) int64, index into the model's class names.
    """

    xyxy: Floats
    confidence: Floats
    class_id: Ints

    def __len__(self) -> int:
        return len(self.confidence)

    @classmethod
    def empty(cls) -> "Detections":
        """No detections.

        >>> len(Detections.empty())
        0
        """
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> "Detections":
        """The detections at ``index`` (positions, or a mask of length N)."""
        return Detections(self.xyxy[index], self.confidence[index], self.class_id[index])


@dataclass(frozen=True, slots=True)
class Tracked:
    """Detections with the track that each belongs to.

    Attributes:
        detections: N of them.
        track_id: (N,) int64; `UNCONFIRMED` where no track has been confirmed yet.
    """

    detections: Detections
    track_id: Ints


UNCONFIRMED = -1
