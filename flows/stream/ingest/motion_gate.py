"""The motion gate: a fixed camera looks at an empty road most of the day.

The detector is skipped while the picture does not change and no moving track is alive; a keyframe
every few seconds is the floor. What a skipped frame shows is by construction what the last
detected one showed.
"""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from streetloop.types import Image

_WIDTH = 160  # pixels across that motion is looked for in
_BACKGROUND_S = 0.6  # time constant of the background: what stood still for longer is part of it
_LEAST_CHANGE = 14.0  # of 255: below it lies what compression and sensors do
_NOISES = 5.0  # of the picture's own noise, likewise
_MOST_NOISE = 4.0  # of 255, in the shrunk picture, where noise is averaged away
_LEAST_BLOB = 0.002  # of the picture: a car in the middle distance

_Background: TypeAlias = NDArray[np.float32]


class MotionGate:
    """Decides frame by frame whether the detector has to look.

    Args:
        keyframe_s: Longest time without a look, in seconds of media time.
        hold_s: How long the gate stays open after the last motion.
    """

    def __init__(self, keyframe_s: float = 2.0, hold_s: float = 0.4) -> None:
        self._keyframe_s = keyframe_s
        self._hold_s = hold_s
        self._background: _Background | None = None
        self._last_pts = 0.0
        self._open_until = -np.inf
        self._last_look = -np.inf

    def is_open(self, luma: Image, pts: float) -> bool:
        """True if the detector has to look at the frame (height, width) at ``pts`` seconds."""
        if self._moves(luma, pts):
            self.keep_open(pts)
        if pts <= self._open_until or pts - self._last_look >= self._keyframe_s:
            self._last_look = pts
            return True
        return False

    def keep_open(self, pts: float) -> None:
        """Something moves at ``pts``: look for ``hold_s`` more, whatever the pixels say."""
        self._open_until = max(self._open_until, pts + self._hold_s)

    def _moves(self, luma: Image, pts: float) -> bool:
        small = _shrink(luma)
        if self._background is None or self._background.shape != small.shape:
            self._background = small
            self._last_pts = pts
            return True
        # A cloud or the camera's exposure changes all pixels in proportion.
        gain = np.median(small) / max(float(np.median(self._background)), 1.0)
        change = small - self._background * gain
        share = 1 - np.exp(-max(pts - self._last_pts, 0.0) / _BACKGROUND_S)
        self._last_pts = pts
        cv2.accumulateWeighted(small, self._background, share)
        return _largest_blob(np.abs(change)) >= _LEAST_BLOB * small.size


def _shrink(luma: Image) -> NDArray[np.float32]:
    height, width = luma.shape
    scale = _WIDTH / max(width, 1)
    size = (_WIDTH, max(1, round(height * scale)))
    return cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def _largest_blob(change: NDArray[np.float32]) -> int:
    """Pixels in the largest connected patch of real change."""
    # Bounded, or a change of most of the picture would pass for its noise.
    noise = min(1.4826 * float(np.median(change)), _MOST_NOISE)
    mask = (change > max(_LEAST_CHANGE, _NOISES * noise)).astype(np.uint8)
    if not mask.any():
        return 0
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    return int(stats[1:, cv2.CC_STAT_AREA].max())
