"""What tells objects apart that pass each other: how bright their upper and lower halves are."""

import numpy as np
from numpy.typing import NDArray

from flows.stream.tracking.box_motion import Array
from streetloop.types import Floats, Image

_POINTS = 8  # looked at across a half, and as many down
_MARGIN = 0.25  # of the width and a tenth of the height, where the background shows
_NEWEST = 0.15  # weight of the newest detection; higher follows the light, and what passes in front


def brightness(luma: Image, xyxy: Floats) -> Array:
    """The mean brightness of the upper and the lower middle of boxes.

    People differ by what they wear above and below, vehicles by roof and body.

    >>> picture = np.zeros((40, 40), np.uint8)
    >>> picture[:20] = 255
    >>> brightness(picture, np.array([[10, 0, 30, 40], [10, 0, 30, 20]], np.float32)).tolist()
    [[1.0, 0.0], [1.0, 1.0]]

    Args:
        luma: (height, width) uint8 brightness of the picture.
        xyxy: (N, 4) left, top, right, bottom in pixels; beyond the picture it looks as at
            its edge.

    Returns:
        (N, 2) from 0, black, to 1.
    """
    height, width = luma.shape
    left, top, right, bottom = xyxy.astype(np.float64).T[:, :, None]
    steps = (np.arange(_POINTS) + 0.5) / _POINTS
    across = left + (right - left) * (_MARGIN + (1 - 2 * _MARGIN) * steps)
    x = np.clip(across, 0, width - 1).astype(np.intp)
    halves = []
    for begin in (0.1, 0.5):
        y = np.clip(top + (bottom - top) * (begin + 0.4 * steps), 0, height - 1).astype(np.intp)
        halves.append(luma[y[:, :, None], x[:, None, :]].mean(axis=(1, 2)) / 255)
    return np.stack(halves, axis=1)


class TrackAppearance:
    """How N tracks have looked lately, two values each; NaN where nobody saw them.

    >>> tracks = TrackAppearance()
    >>> tracks.add(np.array([[0.2, 0.2], [0.8, 0.6]]))
    >>> tracks.difference(np.array([0, 1]), np.array([[0.2, 0.2]])).round(2).tolist()
    [[0.0], [0.5]]
    """

    def __init__(self) -> None:
        self._mean: Array = np.empty((0, 2))

    def add(self, appearance: Array) -> None:
        """Append tracks that begin with these (M, 2) values."""
        self._mean = np.vstack([self._mean, appearance])

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Forget the tracks where ``which`` (N,) is false."""
        self._mean = self._mean[which]

    def update(self, tracks: NDArray[np.intp], appearance: Array) -> None:
        """Let the tracks at these places look a little more as they do now, (M, 2)."""
        before = self._mean[tracks]
        before = np.where(np.isnan(before), appearance, before)
        now = np.where(np.isnan(appearance), before, appearance)
        self._mean[tracks] = (1 - _NEWEST) * before + _NEWEST * now

    def difference(self, tracks: NDArray[np.intp], appearance: Array) -> Array:
        """(tracks, M) mean difference in brightness, 0 to 1; 0 where it is unknown."""
        apart: Array = np.abs(self._mean[tracks][:, None] - appearance[None]).mean(axis=2)
        return np.nan_to_num(apart, nan=0.0)
