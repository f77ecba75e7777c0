"""The motion gate: skips the detector while nothing moves in front of a fixed camera.

A frame is sent to the detector if its pixels differ from the background, if a moving track is
alive, or if the last detected frame is too old. A skipped frame shows what the last detected one
showed.
"""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from streetloop.types import Image

_WIDTH = 160  # pixels; motion is sought in a picture of this width
_MAX_HEIGHT = 640  # ... or of this height, where it is a very tall one
_BACKGROUND_S = 0.6  # time constant of the background average
_MIN_CHANGE = 14.0  # gray levels of 255; compression and sensor noise stay below
_NOISE_FACTOR = 5.0  # a change is this many times the picture's own noise
_MAX_NOISE = 4.0  # gray levels; shrinking averages more than that away
_MIN_BLOB = 0.002  # share of the picture; a car at medium distance

_Background: TypeAlias = NDArray[np.float32]


class MotionGate:
    """Decides for each frame of one camera whether it is sent to the detector.

    Args:
        keyframe_s: Longest media time in seconds between two detected frames. Higher saves more
            detector time on an empty road, and detects later what appears without motion.
        hold_s: Media time in seconds that the gate stays open after motion. Higher bridges pauses
            of slow objects, and saves less; lower may cut the end of a track.
    """

    def __init__(self, keyframe_s: float = 2.0, hold_s: float = 0.4) -> None:
        self._keyframe_s = keyframe_s
        self._hold_s = hold_s
        self._background: _Background | None = None
        self._last_pts = 0.0
        self._open_until = -np.inf
        self._last_open = -np.inf

    def is_open(self, luma: Image, pts: float) -> bool:
        """Decide on the next frame.

        Args:
            luma: Its brightness, (height, width) uint8. A new size starts a new background.
            pts: Its media time in seconds; rises from call to call.

        Returns:
            True if the frame is to be detected.
        """
        if self._moves(luma, pts):
            self.keep_open(pts)
        if pts <= self._open_until or pts - self._last_open >= self._keyframe_s:
            self._last_open = pts
            return True
        return False

    @property
    def moves(self) -> bool:
        """True if something moved in the last picture, or less than ``hold_s`` before it."""
        return self._last_pts <= self._open_until

    def keep_open(self, pts: float) -> None:
        """Stay open for ``hold_s`` after ``pts``, whatever the pixels say: a track moves."""
        self._open_until = max(self._open_until, pts + self._hold_s)

    def _moves(self, luma: Image, pts: float) -> bool:
        small = _shrink(luma)
        if self._background is None or self._background.shape != small.shape:
            self._background = small
            self._last_pts = pts
            return True
        # A cloud or a change of exposure scales all pixels alike.
        gain = np.median(small) / max(float(np.median(self._background)), 1.0)
        change = small - self._background * gain
        share = 1 - np.exp(-max(pts - self._last_pts, 0.0) / _BACKGROUND_S)
        self._last_pts = pts
        cv2.accumulateWeighted(small, self._background, share)
        return _largest_blob(np.abs(change)) >= _MIN_BLOB * small.size


def _shrink(luma: Image) -> NDArray[np.float32]:
    height, width = luma.shape
    scale = min(_WIDTH / width, _MAX_HEIGHT / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def _largest_blob(change: NDArray[np.float32]) -> int:
    """Pixels in the largest connected region that changed by more than noise."""
    # Bounded, or a change of most of the picture would be taken for noise.
    noise = min(1.4826 * float(np.median(change)), _MAX_NOISE)
    mask = (change > max(_MIN_CHANGE, _NOISE_FACTOR * noise)).astype(np.uint8)
    if not mask.any():
        return 0
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    return int(stats[1:, cv2.CC_STAT_AREA].max())
