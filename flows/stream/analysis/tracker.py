"""Tracking: the one file that knows the tracker library."""

from collections import deque

import numpy as np
import supervision as sv
from trackers import ByteTrackTracker

from streetloop.types import UNCONFIRMED, Detections, Floats, Ints, Tracked

_NOMINAL_FPS = 25.0  # the rate that the motion model's noise is meant for; time itself is seconds
_MOTION_WINDOW_S = 1.0
_LEAST_MOTION = 0.05  # of the box's diagonal within the window


class CameraTracker:
    """Gives the detections of one camera their track ids.

    ByteTrack (Zhang et al., 2022) with time in seconds: how far a box is expected to have moved,
    and when a lost track is given up, follow the frames' times and not their number. Ids rise,
    belong to this camera, and are never used twice.

    Args:
        confidence: Least confidence of a box that starts a track.
        lost_s: How long a track that is not seen is kept.
        confirm_frames: Sightings in a row before a track gets an id.
        first_id: The first id.
    """

    def __init__(
        self, confidence: float = 0.25, lost_s: float = 1.0, confirm_frames: int = 3, first_id: int = 1
    ) -> None:
        self._tracker = ByteTrackTracker(
            lost_track_buffer=round(lost_s * 30),  # the library counts it in frames at 30 a second
            frame_rate=_NOMINAL_FPS,
            track_activation_threshold=confidence,
            high_conf_det_threshold=confidence,
            minimum_consecutive_frames=confirm_frames,
            minimum_iou_threshold=0.2,
        )
        self._size: tuple[int, int] | None = None
        self._paths: dict[int, deque[tuple[float, Floats]]] = {}
        self._lost_s = lost_s
        self._first_id = first_id

    def update(self, detections: Detections, pts: float, width: int, height: int) -> Tracked:
        """Assign the detections of the frame at ``pts``; frames come in order.

        Args:
            detections: In pixels of the frame.
            pts: Media time in seconds.
            width: Of the frame. Tracks live on when a camera changes its resolution.
            height: Of the frame.
        """
        self._size = self._size or (width, height)
        scale = np.array([self._size[0] / width, self._size[1] / height] * 2, np.float32)
        # `data` comes back in the library's order and tells us which detection is which.
        given = sv.Detections(
            xyxy=detections.xyxy * scale,
            confidence=detections.confidence,
            class_id=detections.class_id,
            data={"index": np.arange(len(detections))},
        )
        answer = self._tracker.update(given, timestamp=pts)
        track_id = np.full(len(detections), UNCONFIRMED, np.int64)
        if len(answer) and answer.tracker_id is not None:
            found = answer.tracker_id.astype(np.int64)
            track_id[answer.data["index"]] = np.where(found < 0, UNCONFIRMED, found + self._first_id)
        self._remember(detections.xyxy * scale, track_id, pts)
        return Tracked(detections, track_id)

    @property
    def moving(self) -> bool:
        """True if a confirmed track has moved within the last second."""
        return any(_moved(path) for path in self._paths.values())

    def _remember(self, xyxy: Floats, track_id: Ints, pts: float) -> None:
        for box, track in zip(xyxy, track_id, strict=True):
            if track != UNCONFIRMED:
                self._paths.setdefault(int(track), deque()).append((pts, box))
        for track, path in list(self._paths.items()):
            while len(path) > 1 and path[0][0] < pts - _MOTION_WINDOW_S:
                path.popleft()
            if path[-1][0] < pts - self._lost_s:
                del self._paths[track]


def _moved(path: deque[tuple[float, Floats]]) -> bool:
    (_, first), (_, last) = path[0], path[-1]
    diagonal = float(np.hypot(last[2] - last[0], last[3] - last[1]))
    way = (last[:2] + last[2:] - first[:2] - first[2:]) / 2
    return float(np.hypot(*way)) > _LEAST_MOTION * max(diagonal, 1.0)
