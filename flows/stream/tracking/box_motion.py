"""The motion of boxes: Kalman filters of constant velocity, with time in seconds."""

import numpy as np
from numpy.typing import NDArray

from streetloop.types import Floats

Array = NDArray[np.float64]

_MEASUREMENT = 0.05  # standard deviation of a found edge, in sides of the box
_WEAK = 2.0  # times as much for a weak detection
_POSITION_DRIFT, _SIZE_DRIFT = 0.3, 0.1  # white acceleration, in sides a second per sqrt(second)
_DOUBT = 0.2  # standard deviation of a box that was hidden, in its sides
_SIZE_SPEED = 0.1  # of a new box, in sides a second


def to_xywh(xyxy: Floats) -> Array:
    """(N, 4) boxes as centre x, centre y, width, height."""
    corners = xyxy.astype(np.float64)
    return np.hstack([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]])


class BoxMotion:
    """Kalman filters of N boxes: centre, size, and how fast both change.

    The four coordinates are filtered apart from each other. Noise is proportional to the box, so
    that near and far objects are treated alike.

    Attributes:
        xywh: (N, 4) centre x, centre y, width, height in pixels.
        speed: (N, 4) their changes in pixels a second.
    """

    def __init__(self) -> None:
        self.xywh: Array = np.empty((0, 4))
        self.speed: Array = np.empty((0, 4))
        # Of each coordinate: variance of value, covariance of value and speed, variance of speed.
        self._covariance: Array = np.empty((3, 0, 4))

    def __len__(self) -> int:
        return len(self.xywh)

    @property
    def xyxy(self) -> Floats:
        """(N, 4) left, top, right, bottom in pixels."""
        half = self.xywh[:, 2:] / 2
        return np.hstack([self.xywh[:, :2] - half, self.xywh[:, :2] + half]).astype(np.float32)

    @property
    def scale(self) -> Array:
        """(N,) geometric mean of width and height in pixels."""
        scale: Array = np.sqrt(self.xywh[:, 2] * self.xywh[:, 3])
        return scale

    @property
    def spread(self) -> Array:
        """(N, 2) standard deviation of the centre in pixels."""
        spread: Array = np.sqrt(self._covariance[0, :, :2])
        return spread

    def add(self, xywh: Array, speed: Array, speed_spread: Array) -> None:
        """Add boxes.

        Args:
            xywh: (M, 4) boxes.
            speed: (M, 2) expected speed of their centres in pixels a second.
            speed_spread: (M,) standard deviation of it. Higher finds a faster object again in its
                second frame, and mistakes a neighbour for it more often.
        """
        size = np.tile(xywh[:, 2:], 2)
        variance = np.square(np.stack([_MEASUREMENT * size, np.zeros_like(size), _SIZE_SPEED * size]))
        variance[2, :, :2] = np.square(speed_spread)[:, None]
        self.xywh = np.vstack([self.xywh, xywh])
        self.speed = np.vstack([self.speed, np.hstack([speed, np.zeros_like(speed)])])
        self._covariance = np.concatenate([self._covariance, variance], axis=1)

    def predict(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.xywh = self.xywh + self.speed * seconds
        self.xywh[:, 2:] = np.maximum(self.xywh[:, 2:], 2.0)
        drift = np.array([_POSITION_DRIFT, _POSITION_DRIFT, _SIZE_DRIFT, _SIZE_DRIFT])
        noise = np.square(self.scale[:, None] * drift)
        value, both, speed = self._covariance
        value += 2 * seconds * both + seconds**2 * speed + noise * seconds**3 / 3
        both += seconds * speed + noise * seconds**2 / 2
        speed += noise * seconds

    def update(self, rows: NDArray[np.intp], xywh: Array, weak: NDArray[np.bool_]) -> None:
        """Correct the boxes ``rows`` by the detections (M, 4) found for them.

        Args:
            rows: (M,) which boxes.
            xywh: (M, 4) detections.
            weak: (M,) true for detections of low confidence, which count for less.
        """
        value, both, speed = self._covariance[:, rows]
        size = np.tile(xywh[:, 2:], 2) * np.where(weak, _WEAK, 1.0)[:, None]
        total = value + np.square(_MEASUREMENT * size)
        gain, speed_gain = value / total, both / total
        missed = xywh - self.xywh[rows]
        self.xywh[rows] += gain * missed
        self.speed[rows] += speed_gain * missed
        self._covariance[:, rows] = np.stack(
            [(1 - gain) * value, (1 - gain) * both, speed - speed_gain * both]
        )

    def reset(self, row: int, xywh: Array, speed: Array) -> None:
        """Replace the state of one box, of which only its speed is still well known.

        Args:
            row: Which box.
            xywh: (4,) where it is believed to be.
            speed: (2,) speed of its centre in pixels a second.
        """
        self.xywh[row] = xywh
        self.speed[row] = [*speed, 0.0, 0.0]
        self._covariance[0, row] = np.square(_DOUBT * np.tile(xywh[2:], 2))
        self._covariance[1, row] = 0.0

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Drop the boxes where ``mask`` (N,) is false."""
        self.xywh, self.speed = self.xywh[mask], self.speed[mask]
        self._covariance = self._covariance[:, mask]
