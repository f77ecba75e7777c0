"""How far a camera on a mast that sways is off its usual view."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from streetloop.types import Picture

Offset: TypeAlias = tuple[float, float]
"""Pixels to the right and down."""

_Edges: TypeAlias = NDArray[np.float32]

_SIDE = 160  # pixels of the longer side of the picture that is compared
_REACH = 6  # pixels of it that are searched to each side; what is farther off is another view
_SWAYS = 0.3  # pixels of it from which a camera sways
_CALM = 50  # pictures in a row without sway, after which one of _EVERY is looked at
_EVERY = 10
_GRID, _LEAST_SIDE = 3, 8  # parts across and down, of at least so many pixels
_SEARCHED = ((0, 0), (0, 2), (1, 1), (2, 0), (2, 2))  # more cost time and find nothing else
_LEAST_MATCH = 0.3  # correlation of edges, up to 1; less is no match
_LEAST_PARTS, _LEAST_SHARE = 3, 0.6  # of the parts that match, which must have moved alike
_ALIKE = 0.75  # pixels; passing vehicles move some parts, a mast all
_LOST = 25  # pictures in a row without a match, after which the usual view is learned anew
_VIEW_SHARE, _MIDDLE_SHARE = 0.02, 0.005  # of a picture in what is usual, once many were seen
_FLAT = 4.0  # spread of the edges' strength; a part with less has nothing to compare

_STILL: Offset = (0.0, 0.0)


class SwayMeter:
    """Compares the edges of a camera's pictures with the mean of those before, part by part.

    The usual view is the middle of where the camera has looked lately, so a camera that was turned
    does not sway for long. While it stands still, nine of ten pictures are not looked at.

    >>> from streetloop.types import ArrayPicture
    >>> street = np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8)
    >>> meter = SwayMeter()
    >>> for sway in (0, 2, -2, 2, -2):
    ...     x, y = meter.offset(ArrayPicture(np.roll(street, sway, axis=1)))
    >>> round(x), round(y)
    (-2, 0)
    """

    def __init__(self) -> None:
        self._view: _Edges | None = None
        self._middle = np.zeros(2)
        self._seen = self._calm = self._lost = self._skipped = 0
        self._sways = False

    def offset(self, picture: Picture) -> Offset:
        """How far what a picture shows is to the right of and below the usual view.

        Args:
            picture: The next of the camera.

        Returns:
            Pixels of the picture, at most a 25th of its longer side; zeros for a camera that does
            not sway, and where it is unknown.
        """
        if self._calm >= _CALM:
            self._skipped = (self._skipped + 1) % _EVERY
            if self._skipped:
                return _STILL
        scale = _SIDE / max(picture.width, picture.height)
        edges = _edges(picture, scale)
        if self._view is None or self._view.shape != edges.shape:
            self._begin(edges)
            return _STILL
        shift = self._shift(self._view, edges)
        if shift is None:
            return _STILL
        self._learn(self._view, edges, shift)
        off = shift - self._middle
        self._calm = self._calm + 1 if np.hypot(*off) < _SWAYS else 0
        self._sways = self._calm == 0 or (self._sways and self._calm < _CALM)
        if not self._sways:
            return _STILL
        return float(off[0] / scale), float(off[1] / scale)

    def _begin(self, edges: _Edges) -> None:
        self._view, self._middle = edges, np.zeros(2)
        self._seen, self._calm, self._lost, self._skipped = 1, 0, 0, 0
        self._sways = False

    def _shift(self, view: _Edges, edges: _Edges) -> NDArray[np.float64] | None:
        """Pixels between the edges and the usual ones; None if parts moved unlike each other."""
        shifts = np.array([shift for part in _parts(edges.shape) if (shift := _match(view, edges, part))])
        if len(shifts) >= _LEAST_PARTS:
            alike = np.abs(shifts - np.median(shifts, axis=0)).max(axis=1) <= _ALIKE
            if alike.sum() >= max(_LEAST_PARTS, _LEAST_SHARE * len(shifts)):
                self._lost = 0
                return np.asarray(shifts[alike].mean(axis=0), np.float64)
        self._lost += 1
        if self._lost >= _LOST:
            self._begin(edges)
        return None

    def _learn(self, view: _Edges, edges: _Edges, shift: NDArray[np.float64]) -> None:
        self._seen += 1
        self._middle += (shift - self._middle) * max(1 / self._seen, _MIDDLE_SHARE)
        back = np.array([[1.0, 0.0, -shift[0]], [0.0, 1.0, -shift[1]]])
        aligned = cv2.warpAffine(edges, back, edges.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        cv2.accumulateWeighted(aligned, view, max(1 / self._seen, _VIEW_SHARE))


def _edges(picture: Picture, scale: float) -> _Edges:
    """(h, w) strength of the edges of the picture, made smaller."""
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    small = cv2.resize(picture.luma(), size, interpolation=cv2.INTER_AREA).astype(np.float32)
    across, down = (cv2.Sobel(small, cv2.CV_32F, *axis, ksize=3) for axis in ((1, 0), (0, 1)))
    return cv2.magnitude(across, down).astype(np.float32, copy=False)


def _parts(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the parts of a picture that can be searched for to all sides."""
    high, wide = ((side - 2 * _REACH) // _GRID for side in shape)
    if min(high, wide) >= _LEAST_SIDE:
        for row, column in _SEARCHED:
            top, left = _REACH + row * high, _REACH + column * wide
            yield slice(top, top + high), slice(left, left + wide)


def _match(view: _Edges, edges: _Edges, part: tuple[slice, slice]) -> tuple[float, float] | None:
    """How far a part of the usual view is to the right and down, between pixels by parabolas."""
    rows, columns = part
    sought = view[part]
    around = edges[rows.start - _REACH : rows.stop + _REACH, columns.start - _REACH : columns.stop + _REACH]
    if float(sought.std()) < _FLAT or float(around.std()) < _FLAT:
        return None
    matches = _correlation(around, sought)
    _, best, _, (x, y) = cv2.minMaxLoc(matches)
    if best < _LEAST_MATCH or not (0 < x < 2 * _REACH and 0 < y < 2 * _REACH):
        return None
    right = x + _vertex(matches[y, x - 1 : x + 2].tolist()) - _REACH
    down = y + _vertex(matches[y - 1 : y + 2, x].tolist()) - _REACH
    return right, down


def _correlation(around: _Edges, sought: _Edges) -> NDArray[np.float64]:
    """Normalized correlation with each part of ``around``, -1 to 1.

    `cv2.matchTemplate` finds the same by Fourier transforms. For so few places, a product of
    matrices takes a sixth of its time.
    """
    high, wide = sought.shape
    pattern = sought - sought.mean()
    places = np.lib.stride_tricks.sliding_window_view(around, sought.shape)
    product = places.reshape(-1, sought.size) @ pattern.ravel()
    total, squares = (
        table[high:, wide:] - table[:-high, wide:] - table[high:, :-wide] + table[:-high, :-wide]
        for table in cv2.integral2(around)
    )
    spread = np.sqrt(np.maximum(squares - total**2 / sought.size, 1e-9))
    strength = max(float(np.linalg.norm(pattern)), 1e-9)
    return np.asarray(product.reshape(spread.shape) / (spread * strength), np.float64)


def _vertex(values: Sequence[float]) -> float:
    """Where a parabola through three values has its vertex, relative to the middle one."""
    before, at, after = values
    bend = before - 2 * at + after
    return 0.0 if bend == 0 else 0.5 * (before - after) / bend
