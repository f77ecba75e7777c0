"""Do a model's tracks hold? Counted on what it served, camera by camera."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from labeling.scoring import FlickerWatch
from serve.rollout.camera_stats import CameraStats, Served
from streetloop.boxes import iou
from streetloop.types import UNCONFIRMED, Floats, Tracked

_FOLLOWED_S = 1.5  # from the end of a track to the one that goes on in its place
_SAME_PLACE = 0.2  # IoU
_NEWEST = 0.5  # weight of the newest step in a track's speed


@dataclass(slots=True)
class _Track:
    class_id: int
    box: Floats
    last_s: float
    speed: Floats  # (2,) pixels a second


class StabilityWatch:
    """One camera while one model serves it.

    A thing that is driving keeps its track. Where a track ends and, within a second and a half,
    another of the same class begins in its place, or where it would be by now, the model has lost
    the thing for a while: the track is broken. Class changes and short losses within a track are
    those of `labeling.scoring.FlickerWatch`.
    """

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._flicker = FlickerWatch()

    def take(self, pts: float, tracked: Tracked) -> Served:
        """What the frame at ``pts`` (media time in seconds) adds; frames come in order."""
        before = self._flicker.toggles
        self._flicker.score(pts, tracked)
        self._forget(pts)
        here = {int(track): k for k, track in enumerate(tracked.track_id) if track != UNCONFIRMED}
        seconds, broken = 0.0, 0
        for track, k in here.items():
            box, class_id = tracked.detections.xyxy[k], int(tracked.detections.class_id[k])
            track_state = self._tracks.get(track)
            if track_state is None:
                broken += self._goes_on(pts, class_id, box, here)
                self._tracks[track] = _Track(class_id, box, pts, np.zeros(2, np.float32))
            else:
                seconds += pts - track_state.last_s
                _move(track_state, pts, class_id, box)
        flickers = self._flicker.toggles - before
        return Served(1, len(tracked.detections), seconds, broken, flickers)

    def _goes_on(self, pts: float, class_id: int, box: Floats, here: Mapping[int, int]) -> int:
        """1 if a new track stands where one has ended, which then counts no more."""
        for track, track_state in self._tracks.items():
            if track in here or track_state.class_id != class_id:
                continue
            way = np.tile(track_state.speed * np.float32(pts - track_state.last_s), 2)
            places = np.stack([track_state.box, track_state.box + way])
            if iou(places, box[None]).max() >= _SAME_PLACE:
                del self._tracks[track]
                return 1
        return 0

    def _forget(self, pts: float) -> None:
        for track, track_state in list(self._tracks.items()):
            if pts - track_state.last_s > _FOLLOWED_S:
                del self._tracks[track]


def _move(track: _Track, pts: float, class_id: int, box: Floats) -> None:
    apart = max(pts - track.last_s, 1e-3)
    step = (box[:2] + box[2:] - track.box[:2] - track.box[2:]) / np.float32(2 * apart)
    track.speed = _NEWEST * step + (1 - _NEWEST) * track.speed
    track.class_id, track.box, track.last_s = class_id, box, pts


class Stability:
    """All cameras that take part, each with the model that serves it now."""

    def __init__(self) -> None:
        self._watches: dict[str, tuple[bool, StabilityWatch]] = {}

    def take(
        self, camera_id: str, pts: float, tracked: Tracked, *, challenger: bool
    ) -> dict[str, CameraStats]:
        """What one frame adds.

        Where the model changes the watch begins anew: what breaks just then is nobody's fault.

        Args:
            camera_id: Whose frame.
            pts: Media time in seconds.
            tracked: What is shown in it.
            challenger: True if the challenger answered, False if the champion.
        """
        track_state = self._watches.get(camera_id)
        if track_state is None or track_state[0] is not challenger:
            track_state = self._watches[camera_id] = (challenger, StabilityWatch())
        found = track_state[1].take(pts, tracked)
        return {camera_id: CameraStats(challenger=found) if challenger else CameraStats(champion=found)}
