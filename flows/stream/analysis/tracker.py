"""Multi-object tracking: the adapter of the tracker library."""

from collections import deque

import numpy as np
import supervision as sv
from trackers import ByteTrackTracker

from streetloop.types import UNCONFIRMED, Detections, Floats, Ints, Tracked

_NOMINAL_FPS = 25.0  # the rate that the motion model's noise is tuned for; times are in seconds
_MATCH_IOU = 0.2
_MOTION_WINDOW_S = 1.0
_MIN_MOTION = 0.05  # of the box's diagonal, within the window


class CameraTracker:
    """ByteTrack (Zhang et al., 2022) for one camera, with time in seconds.

    The motion model and the end of a lost track follow the frames' times, not their number, so a
    changing frame rate does not matter. Track ids rise, belong to this camera, and are never
    reused.

    Args:
        confidence: Threshold in [0, 1] between the strong detections, which start and extend
            tracks, and the weak ones, which only extend them. Higher starts fewer false tracks,
            and starts tracks of small or dim objects later.
        lost_s: Seconds that a track is kept without a detection. Higher bridges longer
            occlusions, and passes an id to another object more often.
        confirm_frames: Consecutive detections before a track gets its id. Higher suppresses more
            false tracks; objects get their ids later, and brief ones never.
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
            minimum_iou_threshold=_MATCH_IOU,
        )
        self._size: tuple[int, int] | None = None
        self._paths: dict[int, deque[tuple[float, Floats]]] = {}
        self._lost_s = lost_s
        self._first_id = first_id

    def update(self, detections: Detections, pts: float, width: int, height: int) -> Tracked:
        """Assign track ids to the detections of a frame; frames come in order of time.

        Args:
            detections: N detections with boxes (N, 4) in pixels of the frame.
            pts: Media time of the frame in seconds.
            width: Width of the frame in pixels. Tracks survive a change of resolution.
            height: Height of the frame in pixels.

        Returns:
            The same N detections in the same order, with their track ids (N,).
        """
        self._size = self._size or (width, height)
        scale = np.array([self._size[0] / width, self._size[1] / height] * 2, np.float32)
        # `data` comes back in the library's order and identifies the detections.
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
        """True if a confirmed track has moved by 5 % of its diagonal within the last second."""
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
    return float(np.hypot(*way)) > _MIN_MOTION * max(diagonal, 1.0)
