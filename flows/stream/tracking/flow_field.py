"""The flow field: how fast objects usually move at each place of a camera's picture."""

import numpy as np
from numpy.typing import NDArray

from flows.stream.tracking.box_motion import Array

_CELLS = 24
_MEMORY = 50.0  # observations of a cell; older ones fade
_TRUST = 10.0  # observations at which the field counts as much as knowing nothing
_UNKNOWN = 3.0  # standard deviation of an unknown speed, in scales of the box a second
_FLOOR = 0.5  # standard deviation that remains however alike all speeds were


class FlowField:
    """Typical speeds by place, in scales of the box a second, learned from confirmed tracks.

    At a low frame rate a fast vehicle is a length or more away in its second frame. Where others
    drove before it, the field says where to look.

    Args:
        width: Width of the picture in pixels.
        height: Its height.
    """

    def __init__(self, width: int, height: int) -> None:
        self._size = np.array([width, height])
        self._weight = np.zeros((_CELLS, _CELLS))
        self._mean = np.zeros((_CELLS, _CELLS, 2))
        self._variance = np.zeros((_CELLS, _CELLS))

    def learn(self, xywh: Array, speed: Array, scale: Array) -> None:
        """Add observations; of two in one cell the last counts.

        Args:
            xywh: (N, 4) boxes in pixels.
            speed: (N, 2) speeds of their centres in pixels a second.
            scale: (N,) scales of the boxes in pixels.
        """
        cells = tuple(self._cells(xywh).T)
        seen, mean, variance = speed / scale[:, None], self._mean[cells], self._variance[cells]
        weight = np.minimum(self._weight[cells] + 1, _MEMORY)
        moved = mean + (seen - mean) / weight[:, None]
        spread = ((seen - mean) * (seen - moved)).sum(axis=1) / 2
        self._weight[cells], self._mean[cells] = weight, moved
        self._variance[cells] = variance + (spread - variance) / weight

    def expected(self, xywh: Array, scale: Array) -> tuple[Array, Array]:
        """What to expect of new boxes.

        Args:
            xywh: (N, 4) boxes in pixels.
            scale: (N,) their scales in pixels.

        Returns:
            (N, 2) speed in pixels a second, and (N,) its standard deviation.
        """
        speed, spread = np.zeros((len(xywh), 2)), np.full(len(xywh), _UNKNOWN)
        for index, (row, column) in enumerate(self._cells(xywh)):
            around = np.s_[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            weight = self._weight[around]
            total = weight.sum()
            trust = total / (total + _TRUST)
            if not total:
                continue
            mean = np.tensordot(weight, self._mean[around], 2) / total
            apart = np.square(self._mean[around] - mean).sum(axis=-1) / 2
            variance = (weight * (self._variance[around] + apart)).sum() / total
            speed[index] = mean * trust
            spread[index] = np.sqrt((variance + _FLOOR**2) * trust + _UNKNOWN**2 * (1 - trust))
        return speed * scale[:, None], spread * scale

    def _cells(self, xywh: Array) -> NDArray[np.intp]:
        """(N, 2) row and column of the boxes' ground points."""
        ground = np.stack([xywh[:, 1] + xywh[:, 3] / 2, xywh[:, 0]], axis=1) / self._size[::-1]
        cells: NDArray[np.intp] = np.clip((ground * _CELLS).astype(np.intp), 0, _CELLS - 1)
        return cells
