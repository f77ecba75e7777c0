"""A decoder's frame as a picture: upright, and converted on demand."""

import threading
from typing import Any, NamedTuple

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from streetloop.types import Image
from streetloop.video.packets import Encoded

_PLANAR = {"yuv420p", "yuvj420p", "nv12", "yuv422p", "yuvj422p", "yuv444p", "gray"}


class Orientation(NamedTuple):
    """How a stored picture is turned to be upright; the default leaves it as it is.

    Attributes:
        transpose: Rows become columns; done first.
        mirror: Left becomes right.
        flip: Top becomes bottom.
    """

    transpose: bool = False
    mirror: bool = False
    flip: bool = False

    def apply(self, image: Image) -> Image:
        """``image``, (height, width) or (height, width, 3), as it is to be seen."""
        if self == Orientation():
            return image
        if self.transpose:
            image = image.swapaxes(0, 1)
        upright = image[:: -1 if self.flip else 1, :: -1 if self.mirror else 1]
        return np.ascontiguousarray(upright)


def orientation_of(frame: VideoFrame) -> Orientation:
    """What the metadata of a frame say; an angle counts as the nearest quarter turn."""
    stored: Any = frame.side_data.get("DISPLAYMATRIX")
    if stored is None:
        return Orientation()
    # A pixel (x, y) is shown at (a x + c y, b x + d y), up to a shift.
    a, b, _, c, d = np.frombuffer(memoryview(stored), np.int32)[:5].tolist()
    if abs(a) < abs(b):
        return Orientation(transpose=True, mirror=c < 0, flip=b < 0)
    return Orientation(mirror=a < 0, flip=d < 0)


class DecodedPicture:
    """A `streetloop.types.Picture` over a decoder's frame; converted on demand.

    Args:
        frame: The frame.
        converter: Converts it.
        held_s: See below.
        encoded: See below.

    Attributes:
        held_s: Seconds from the arrival of its data to its decoding: the time for which
            demultiplexer and decoder held it back.
        encoded: What it was decoded from.
    """

    __slots__ = ("_bgr", "_converter", "_frame", "_orientation", "encoded", "held_s")

    def __init__(
        self,
        frame: VideoFrame,
        converter: "Converter",
        held_s: float = 0.0,
        encoded: Encoded = Encoded(None, ()),  # noqa: B008 - immutable
    ) -> None:
        self._frame = frame
        self._converter = converter
        self._orientation = orientation_of(frame)
        self._bgr: Image | None = None
        self.held_s = held_s
        self.encoded = encoded

    @property
    def width(self) -> int:
        """See `Picture.width`."""
        return self._frame.height if self._orientation.transpose else self._frame.width

    @property
    def height(self) -> int:
        """See `Picture.height`."""
        return self._frame.width if self._orientation.transpose else self._frame.height

    def bgr(self) -> Image:
        """See `Picture.bgr`; converted once."""
        if self._bgr is None:
            self._bgr = self._orientation.apply(self._converter.bgr(self._frame))
        return self._bgr

    def luma(self) -> Image:
        """See `Picture.luma`; a view of the decoder's own plane where it has one."""
        if self._frame.format.name not in _PLANAR:
            gray: Image = cv2.cvtColor(self.bgr(), cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
            return gray
        plane, height = self._frame.planes[0], self._frame.height
        rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * height]
        return self._orientation.apply(rows.reshape(height, plane.line_size)[:, : self._frame.width])


class Converter:
    """Converts frames to BGR; keeps the tables of the first, which take a millisecond to make."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reformatter = VideoReformatter()

    def bgr(self, frame: VideoFrame) -> Image:
        """The frame as it is stored, (height, width, 3) uint8, blue first."""
        with self._lock:
            converted = self._reformatter.reformat(frame, format="bgr24")
        return converted.to_ndarray().astype(np.uint8, copy=False)
