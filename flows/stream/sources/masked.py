"""A source whose pictures have parts blacked."""

import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from flows.stream.sources.source import Source, SourceFrame, waiting_for
from streetloop.errors import SourceError
from streetloop.geometry import Polygon
from streetloop.types import Image, Picture
from streetloop.video import VideoInfo

_SHIFT = 8  # bits of a pixel's fraction that the polygons keep


class MaskedSource:
    """A `Source` with polygons that are black in every picture.

    Gate, detector, log, triage and app get these pictures, and nobody sees what was there.

    Args:
        source: Gives the pictures.
        mask: Polygons in fractions of the image.

    Attributes:
        live: As of ``source``.
        nominal_fps: As of ``source``.
    """

    def __init__(self, source: Source, mask: Sequence[Polygon]) -> None:
        self._source, self._mask = source, Mask(mask)
        self.live, self.nominal_fps = source.live, source.nominal_fps

    @property
    def waiting_for(self) -> str | None:
        """See `flows.stream.sources.source.waiting_for`."""
        return waiting_for(self._source)

    def probe(self) -> VideoInfo:
        """See `Source.probe`."""
        return self._source.probe()

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`."""
        for frame in self._source.read(stop):
            self.nominal_fps = self._source.nominal_fps
            # Its packets show what is masked, and go no further.
            yield frame._replace(picture=MaskedPicture(frame.picture, self._mask), encoded=None)

    def is_final(self, error: SourceError) -> bool:
        """See `Source.is_final`."""
        return self._source.is_final(error)

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """See `Source.wait_for_return`."""
        self._source.wait_for_return(stop, timeout_s)


class Mask:
    """Polygons that are black.

    Args:
        polygons: In fractions of the image.
    """

    def __init__(self, polygons: Sequence[Polygon]) -> None:
        self._polygons = [np.array(polygon, np.float64) for polygon in polygons]
        self._hidden = lru_cache(maxsize=2)(self._draw)

    def apply(self, image: Image) -> Image:
        """A copy of ``image``, (height, width) or (height, width, 3), with the polygons black."""
        masked = image.copy()
        masked[self._hidden(*image.shape[:2])] = 0
        return masked

    def _draw(self, height: int, width: int) -> NDArray[np.bool_]:
        """(height, width) true where it is black; a pixel that a polygon touches is."""
        drawn = np.zeros((height, width), np.uint8)
        size = np.array([width, height])
        for polygon in self._polygons:
            # Pixel k reaches from k to k + 1, and OpenCV means its middle.
            corners = np.rint((polygon * size - 0.5) * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(drawn, [corners], 1, shift=_SHIFT)
        return drawn.astype(np.bool_)


class MaskedPicture:
    """A `streetloop.types.Picture` with polygons black.

    Args:
        picture: The picture.
        mask: The polygons.
    """

    __slots__ = ("_bgr", "_luma", "_mask", "_picture")

    def __init__(self, picture: Picture, mask: Mask) -> None:
        self._picture, self._mask = picture, mask
        self._bgr: Image | None = None
        self._luma: Image | None = None

    @property
    def width(self) -> int:
        """See `Picture.width`."""
        return self._picture.width

    @property
    def height(self) -> int:
        """See `Picture.height`."""
        return self._picture.height

    def bgr(self) -> Image:
        """See `Picture.bgr`; masked once."""
        if self._bgr is None:
            self._bgr = self._mask.apply(self._picture.bgr())
        return self._bgr

    def luma(self) -> Image:
        """See `Picture.luma`; masked once."""
        if self._luma is None:
            self._luma = self._mask.apply(self._picture.luma())
        return self._luma
