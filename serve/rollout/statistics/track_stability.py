"""Stability of a model's tracks, counted on what it served, camera by camera."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from labeling.scoring import FlickerWatch
from serve.rollout.statistics.camera_stats import CameraStats, ServedStats
from streetloop.boxes import iou
from streetloop.types import UNCONFIRMED, Floats, Tracked

_MAX_GAP_S = 1.5  # between the end of a track and the one that continues it
_CONTINUES_IOU = 0.2  # with the last box, or with where it would be by now
_NEWEST_WEIGHT = 0.5  # of the last step, in the moving average of a track's speed


@dataclass(slots=True)
class _Track:
    class_id: int
    box: Floats
    last_s: float
    speed: Floats  # (2,) pixels a second


class StabilityWatch:
    """Counts broken tracks and flickers of one camera while one model serves it.

    A track is broken if it ends and, within 1.5 s, another of the same class begins in its place,
    or where constant speed would have taken it: the model has lost the object for a while.
    Flickers are those of `labeling.scoring.FlickerWatch`.
    """

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._flicker = FlickerWatch()

    def take(self, pts: float, tracked: Tracked) -> ServedStats:
        """Statistics of one frame; frames come in order.

        Args:
            pts: Media time of the frame in seconds.
            tracked: Its tracked boxes.
        """
        before = self._flicker.toggles
        self._flicker.score(pts, tracked)
        self._forget(pts)
        here = {int(track): k for k, track in enumerate(tracked.track_id) if track != UNCONFIRMED}
        seconds, broken = 0.0, 0
        for track, k in here.items():
            box, class_id = tracked.detections.xyxy[k], int(tracked.detections.class_id[k])
            track_state = self._tracks.get(track)
            if track_state is None:
                broken += self._continues_another(pts, class_id, box, here)
                self._tracks[track] = _Track(class_id, box, pts, np.zeros(2, np.float32))
            else:
                seconds += pts - track_state.last_s
                _move(track_state, pts, class_id, box)
        flickers = self._flicker.toggles - before
        return ServedStats(1, len(tracked.detections), seconds, broken, flickers)

    def _continues_another(self, pts: float, class_id: int, box: Floats, here: Mapping[int, int]) -> bool:
        """True if a new track continues one that has ended, which is then forgotten."""
        for track, track_state in self._tracks.items():
            if track in here or track_state.class_id != class_id:
                continue
            moved = np.tile(track_state.speed * np.float32(pts - track_state.last_s), 2)
            places = np.stack([track_state.box, track_state.box + moved])
            if iou(places, box[None]).max() >= _CONTINUES_IOU:
                del self._tracks[track]
                return True
        return False

    def _forget(self, pts: float) -> None:
        for track, track_state in list(self._tracks.items()):
            if pts - track_state.last_s > _MAX_GAP_S:
                del self._tracks[track]


def _move(track: _Track, pts: float, class_id: int, box: Floats) -> None:
    elapsed_s = max(pts - track.last_s, 1e-3)
    step = (box[:2] + box[2:] - track.box[:2] - track.box[2:]) / np.float32(2 * elapsed_s)
    track.speed = _NEWEST_WEIGHT * step + (1 - _NEWEST_WEIGHT) * track.speed
    track.class_id, track.box, track.last_s = class_id, box, pts


class FleetStability:
    """`StabilityWatch` of every camera, for the model that serves it now."""

    def __init__(self) -> None:
        self._watches: dict[str, tuple[bool, StabilityWatch]] = {}

    def take(
        self, camera_id: str, pts: float, tracked: Tracked, *, challenger: bool
    ) -> dict[str, CameraStats]:
        """Statistics of one frame, by camera.

        The watch starts anew where the model changes: neither is to blame for tracks that break at
        that moment.

        Args:
            camera_id: The frame's camera.
            pts: Media time in seconds.
            tracked: The boxes that are shown, with their tracks.
            challenger: True if the challenger answered, False if the champion did.
        """
        serving = self._watches.get(camera_id)
        if serving is None or serving[0] is not challenger:
            serving = self._watches[camera_id] = (challenger, StabilityWatch())
        found = serving[1].take(pts, tracked)
        return {camera_id: CameraStats(challenger=found) if challenger else CameraStats(champion=found)}
