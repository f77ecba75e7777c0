"""Multi-object tracking of one camera, with time in seconds."""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flows.stream.tracking.appearance import TrackAppearance
from flows.stream.tracking.association import Association, Tuning
from flows.stream.tracking.box_motion import Array, BoxMotion, to_xywh
from flows.stream.tracking.flow_field import FlowField
from streetloop.boxes import common_area, iou
from streetloop.types import UNCONFIRMED, Detections, Floats, Ints

_STILL = 0.15  # of its diagonal; within it an object stands still
_MOVED = 0.05  # of its diagonal, in a second
_LEARNED_HITS = 3
_YOUNG_STEPS, _LOST_STEPS = 1.5, 2.5  # frames without a detection that a track survives at any rate
_MAX_STEP_S = 5.0  # longer is an outage, after which all may have changed


class Observation(NamedTuple):
    """One detection of a track, and what the motion model made of it.

    Attributes:
        pts: Media time in seconds.
        centre: (2,) of the box that was found, in pixels.
        xywh: (4,) centre and size of the box as the motion model has it.
        speed: (4,) their changes in pixels a second.
    """

    pts: float
    centre: Array
    xywh: Array
    speed: Array

    @property
    def scales_per_s(self) -> float:
        """Its speed in scales (square root of its area) a second."""
        scale = max(math.sqrt(self.xywh[2] * self.xywh[3]), 1.0)
        return math.hypot(self.speed[0], self.speed[1]) / scale


class _Moment(NamedTuple):
    """The detections of one frame.

    Attributes:
        pts: Media time in seconds.
        given: N detections, in pixels of the first frame.
        appearance: (N, 2) how they look; NaN where nobody knows.
    """

    pts: float
    given: Detections
    appearance: Array


@dataclass(slots=True)
class Track:
    """One object from its first detection on.

    Attributes:
        votes: (classes,) sum of the confidences with which it was found as each class.
        seen: Media time of its last detection in seconds.
        still_since: Media time since when it stands still, in seconds.
        still_at: Where it stands: x and y of its centre in pixels.
        id: Its id; `UNCONFIRMED` until it is confirmed.
        hits: Detections so far.
        score: Sum of their confidences.
        path: Media times and boxes (4,) that nobody was told before: its newest one, and in the
            frame that confirms it all since its start.
        recent: Its detections in the last second.
        hidden: True while it is not detected.
    """

    votes: Array
    seen: float
    still_since: float
    still_at: tuple[float, float]
    id: int = UNCONFIRMED
    hits: int = 0
    score: float = 0.0
    path: list[tuple[float, Floats]] = field(default_factory=list)
    recent: deque[Observation] = field(default_factory=deque)
    hidden: bool = False

    def add(self, pts: float, box: Floats, confidence: float, class_id: int) -> None:
        """Add a detection."""
        self.votes[class_id] += confidence
        self.hits += 1
        self.score += confidence
        self.seen, self.hidden = pts, False
        x1, y1, x2, y2 = box.tolist()
        centre, still_at = ((x1 + x2) / 2, (y1 + y2) / 2), self.still_at
        if math.dist(centre, still_at) > _STILL * math.hypot(x2 - x1, y2 - y1):
            self.still_at, self.still_since = centre, pts
        if self.id != UNCONFIRMED:
            self.path.clear()
        self.path.append((pts, box))

    @property
    def moved(self) -> bool:
        """True if it has moved in the last second."""
        if len(self.recent) < 2:
            return False
        first, last = self.recent[0], self.recent[-1]
        diagonal = max(math.hypot(*last.xywh[2:].tolist()), 1.0)
        return math.dist(last.centre.tolist(), first.centre.tolist()) > _MOVED * diagonal


class CameraTracker:
    """Follows the objects of one camera.

    As ByteTrack (Zhang et al., 2022) it matches strong detections first and lets weak ones extend
    tracks only. Other than it, it takes the time in seconds from the frames, searches wider where
    it knows less (as C-BIoU, Yang et al., 2023, with a width from the motion model), tells objects
    apart by how bright they are (DeepSORT's idea, Wojke et al., 2017, with two numbers in place of
    a network), knows how objects usually move at each place of the picture, goes back to what was
    seen before an object was hidden, and asks for a sum of confidences before an object counts.

    Track ids rise, belong to this camera, and are never reused.

    Args:
        classes: Number of classes that may vote.
        first_id: The first id.
        tuning: What is trusted; None for the usual.

    Attributes:
        size: Width and height in pixels that positions refer to: those of the first frame.
        seen: Confirmed tracks that were detected in the last frame.
        ended: Confirmed tracks that ended with the last frame.
        lost: (N, 4) last boxes of the tracks that ended with it before they were confirmed.
    """

    def __init__(self, classes: int = 1, first_id: int = 1, tuning: Tuning | None = None) -> None:
        self._classes, self._next_id, self._tuning = classes, first_id, tuning or Tuning()
        self._motion, self._known = BoxMotion(), TrackAppearance()
        self._tracks: list[Track] = []
        self._flow: FlowField | None = None
        self._pts: float | None = None
        self.size: tuple[int, int] = (0, 0)
        self.seen: list[Track] = []
        self.ended: list[Track] = []
        self.lost: list[Floats] = []

    @property
    def tracks(self) -> list[Track]:
        """The confirmed tracks that are followed now."""
        return [track for track in self._tracks if track.id != UNCONFIRMED]

    @property
    def moving(self) -> bool:
        """True if a track that was just seen has moved by 5 % of its diagonal in a second."""
        return any(track.moved for track in self.seen)

    def update(
        self, detections: Detections, pts: float, width: int, height: int, appearance: Array | None = None
    ) -> Ints:
        """Assign track ids to the detections of a frame; frames come in order of time.

        Args:
            detections: N detections with boxes (N, 4) in pixels of the frame; class ids are
                less than the number of classes.
            pts: Media time of the frame in seconds.
            width: Width of the frame in pixels. Tracks survive a change of resolution.
            height: Height of the frame in pixels.
            appearance: (N, 2) of the detections, from `brightness`; None tells them apart by place
                and size alone.

        Returns:
            (N,) the track id of each detection; `UNCONFIRMED` where it has none.
        """
        flow = self._flow = self._flow or self._begin(width, height)
        scale = np.array([self.size[0] / width, self.size[1] / height] * 2)
        given = Detections(
            (detections.xyxy * scale).astype(np.float32), detections.confidence, detections.class_id
        )
        moment = _Moment(pts, given, np.full((len(given), 2), np.nan) if appearance is None else appearance)
        seconds = 0.0 if self._pts is None else max(0.0, pts - self._pts)
        self._pts = pts
        self._motion.predict(seconds)
        self._end_lost(pts, seconds)
        found = self._associate(moment, seconds)
        self._hide_others(found.values(), pts)
        self._correct(found, moment, flow)
        found.update(self._start(found, moment, flow))
        self._confirm(found.values(), pts)
        ids = np.full(len(given), UNCONFIRMED, np.int64)
        for row, k in found.items():
            ids[row] = self._tracks[k].id
        self.seen = [self._tracks[k] for k in found.values() if self._tracks[k].id != UNCONFIRMED]
        return ids

    def _begin(self, width: int, height: int) -> FlowField:
        self.size = (width, height)
        return FlowField(width, height)

    def _end_lost(self, pts: float, seconds: float) -> None:
        alive = np.array(
            [pts - track.seen <= self._patience_s(track, seconds) for track in self._tracks], bool
        )
        ended = [track for track, stays in zip(self._tracks, alive, strict=True) if not stays]
        self.ended = [track for track in ended if track.id != UNCONFIRMED]
        self.lost = [track.path[-1][1] for track in ended if track.id == UNCONFIRMED]
        if ended:
            self._motion.keep(alive)
            self._known.keep(alive)
            self._tracks = [track for track, stays in zip(self._tracks, alive, strict=True) if stays]

    def _patience_s(self, track: Track, seconds: float) -> float:
        """How long a track may be missed; a time without frames is no time of missing it."""
        tuning, step = self._tuning, seconds if seconds <= _MAX_STEP_S else 0.0
        if track.id == UNCONFIRMED:
            return max(tuning.young_s, _YOUNG_STEPS * step)
        return max(tuning.parked_s if self._is_parked(track) else tuning.lost_s, _LOST_STEPS * step)

    def _is_parked(self, track: Track) -> bool:
        return track.seen - track.still_since > self._tuning.lost_s

    def _associate(self, moment: _Moment, seconds: float) -> dict[int, int]:
        """The track of each detection that has one."""
        tuning, given = self._tuning, moment.given
        confirmed = {k for k, track in enumerate(self._tracks) if track.id != UNCONFIRMED}
        recent = {k for k in confirmed if moment.pts - self._tracks[k].seen <= 1.5 * seconds + 1e-6}
        young = set(range(len(self._tracks))) - confirmed
        strong = set(np.flatnonzero(given.confidence >= tuning.strong).tolist())
        weak = set(range(len(given))) - strong
        association = Association(self._motion, given, tuning, self._known, moment.appearance)
        association.match(confirmed, strong)
        association.match_weak(recent, weak)
        association.match_wide(young, strong)
        association.match_wide(young, weak)
        association.match_wide(confirmed, strong)
        return association.found

    def _hide_others(self, found: Iterable[int], pts: float) -> None:
        """Note the tracks that are not detected any more.

        A box that shrinks before its object disappears says nothing about the object's size and
        speed, so the track goes on from where it was last seen whole.
        """
        detected = set(found)
        for k, track in enumerate(self._tracks):
            if k in detected or track.hidden or not track.recent:
                continue
            track.hidden = True
            if self._is_parked(track):
                self._motion.speed[k] = 0.0
                continue
            areas = [float(one.xywh[2] * one.xywh[3]) for one in track.recent]
            whole = track.recent[areas.index(max(areas))]
            if areas[-1] < self._tuning.shrunk * max(areas):
                moved = whole.xywh + np.hstack([whole.speed[:2] * (pts - whole.pts), 0.0, 0.0])
                self._motion.reset(k, moved, whole.speed[:2])
            else:
                self._motion.speed[k, 2:] = 0.0

    def _correct(self, found: dict[int, int], moment: _Moment, flow: FlowField) -> None:
        """Correct the tracks by their detections."""
        if not found:
            return
        rows, tracks = np.array(list(found)), np.array(list(found.values()))
        pts, given, appearance = moment
        motion, strong = self._motion, self._tuning.strong
        boxes = to_xywh(given.xyxy[rows])
        motion.update(tracks, boxes, given.confidence[rows] < strong)
        self._known.update(tracks, appearance[rows])
        now = zip(boxes[:, :2], motion.xywh[tracks], motion.speed[tracks], strict=True)
        for (row, k), state in zip(found.items(), now, strict=True):
            self._add(self._tracks[k], given, row, pts)
            self._remember(self._tracks[k], Observation(pts, *state))
        steady = [k for k in found.values() if self._tracks[k].hits >= _LEARNED_HITS]
        learned = np.array([k for k in steady if self._tracks[k].id != UNCONFIRMED], np.intp)
        flow.learn(motion.xywh[learned], motion.speed[learned, :2], motion.scale[learned])

    def _remember(self, track: Track, seen: Observation) -> None:
        track.recent.append(seen)
        while track.recent[0].pts < seen.pts - self._tuning.recall_s:
            track.recent.popleft()

    @staticmethod
    def _add(track: Track, given: Detections, row: int, pts: float) -> None:
        track.add(pts, given.xyxy[row], float(given.confidence[row]), int(given.class_id[row]))

    def _start(self, found: dict[int, int], moment: _Moment, flow: FlowField) -> dict[int, int]:
        """Start tracks of the strong detections that belong to none."""
        pts, given, appearance = moment
        rows = [r for r in np.flatnonzero(given.confidence >= self._tuning.start).tolist() if r not in found]
        rows = [r for r in rows if self._stands_apart(given.xyxy[r], given.xyxy[list(found)])]
        if not rows:
            return {}
        xywh = to_xywh(given.xyxy[rows])
        self._motion.add(xywh, *flow.expected(xywh, np.sqrt(xywh[:, 2] * xywh[:, 3])))
        self._known.add(appearance[rows])
        first = len(self._tracks)
        for row in rows:
            x1, y1, x2, y2 = given.xyxy[row].tolist()
            track = Track(np.zeros(self._classes), pts, pts, ((x1 + x2) / 2, (y1 + y2) / 2))
            self._add(track, given, row, pts)
            self._tracks.append(track)
        return {row: first + k for k, row in enumerate(rows)}

    def _stands_apart(self, box: Floats, taken: Floats) -> bool:
        """True if a box may be of another object than the boxes ``taken``."""
        if not len(taken):
            return True
        inside = common_area(box[None], taken)[0] / max(float(np.prod(box[2:] - box[:2])), 1e-6)
        overlap = iou(box[None], taken)[0]
        return bool(overlap.max() < self._tuning.overlap and inside.max() < self._tuning.inside)

    def _confirm(self, found: Iterable[int], pts: float) -> None:
        tuning, detected = self._tuning, list(found)
        for k in detected:
            track = self._tracks[k]
            if (
                track.id != UNCONFIRMED
                or track.hits < tuning.confirm_hits
                or track.score < tuning.confirm_sum
            ):
                continue
            if pts - track.path[0][0] < tuning.crowd_s and self._is_crowded(k, detected):
                continue
            track.id, self._next_id = self._next_id, self._next_id + 1

    def _is_crowded(self, k: int, detected: list[int]) -> bool:
        """True if the box of an unconfirmed track overlaps that of a confirmed one."""
        others = [j for j in detected if self._tracks[j].id != UNCONFIRMED]
        if not others:
            return False
        boxes: NDArray[np.float32] = self._motion.xyxy
        return bool(iou(boxes[k][None], boxes[others]).max() >= self._tuning.crowd)
