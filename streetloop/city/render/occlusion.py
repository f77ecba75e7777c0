"""What stands between the camera and what moves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class NearestSolid:
    """Says quickly of many boxes whether anything solid in them may be nearer.

    Args:
        depth: (height, width) metres to what stands there.
    """

    _CELL = 4

    def __init__(self, depth: NDArray[np.floating[Any]]) -> None:
        rows, columns = (-(-n // self._CELL) * self._CELL for n in depth.shape)
        padded = np.full((rows, columns), np.float32(1e9))
        padded[: depth.shape[0], : depth.shape[1]] = depth
        cells = padded.reshape(rows // self._CELL, self._CELL, columns // self._CELL, self._CELL)
        self._levels = [cells.min(axis=(1, 3))]
        while max(self._levels[-1].shape) > 1:  # each level holds the nearest of four cells below
            last = self._levels[-1]
            even = np.pad(last, [(0, n % 2) for n in last.shape], constant_values=1e9)
            self._levels.append(np.minimum.reduce([even[a::2, b::2] for a in (0, 1) for b in (0, 1)]))

    def hides(
        self, boxes: NDArray[np.float64], depths: NDArray[np.float64], margins: Sequence[int]
    ) -> list[bool]:
        """Whether something may stand in front of each actor.

        Args:
            boxes: (N, 4) boxes in pixels.
            depths: (N,) depths in metres.
            margins: Pixels around each box that count, too.
        """
        wider = np.array(margins)[:, None]
        low = np.maximum(boxes[:, :2] - wider, 0)
        high = np.maximum(boxes[:, 2:] + wider + 1, 0)
        # A level whose cells are about a third of the box: few cells, yet close to its outline.
        span = np.maximum((high - low).max(axis=1) / (3 * self._CELL), 1)
        level = np.minimum(np.ceil(np.log2(span)), len(self._levels) - 1).astype(int)
        size = (self._CELL << level)[:, None]
        cells = np.concatenate([low // size, high // size + 1], axis=1).astype(int).tolist()
        found = []
        for k, depth in enumerate(depths.tolist()):
            x0, y0, x1, y1 = cells[k]
            part = self._levels[level[k]][y0:y1, x0:x1]
            found.append(bool(part.size) and float(part.min()) < depth)
        return found
