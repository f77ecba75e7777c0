"""Paired comparison: batches that both models answered become evidence."""

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from serve.rollout.statistics.camera_stats import CameraStats
from serve.rollout.statistics.confidence_sequences import Moments
from serve.rollout.statistics.detection_counts import DetectionCounts, count_detections
from serve.rollout.statistics.evidence import EVERYTHING, Calls, Evidence, Scores
from streetloop.boxes import iou
from streetloop.types import Detections

_MATCH_IOU = 0.5  # of two boxes of one object
_ROUNDING_PX = 1.0  # that rounding may take a box over an edge
_MAX_REACH = 4  # in longer sides of the image: detectors reach 480 pixels from a point, 3 x 160
_MIN_TIME_S = 1e-6


@dataclass(frozen=True, slots=True)
class Pair:
    """One frame that both models answered.

    Attributes:
        camera_id: The frame's camera.
        at_s: Media time in seconds.
        champion: Boxes that the champion shows, in pixels of the frame.
        challenger: Boxes that the challenger shows, in pixels of the frame.
        truth: The objects that are there, and those that count neither when found nor when missed;
            None without ground truth.
    """

    camera_id: str
    at_s: float
    champion: Detections
    challenger: Detections
    truth: tuple[Detections, Detections] | None = None


class PairedComparison:
    """Adds up pairs, calls and computing times. Safe to use from several threads.

    Args:
        names: Class names that both models share.
        cities: City by camera, where it has one.

    Attributes:
        block_s: Media time in seconds whose frames count as one value, as they resemble each other.
    """

    def __init__(self, names: Sequence[str], cities: Mapping[str, str | None]) -> None:
        self.block_s = 20.0
        self._names = names
        self._cities = cities
        self._blocks: dict[str, _Block] = {}
        self._sum = Evidence()
        self._lock = threading.Lock()

    def note_call(
        self, *, challenger: bool, frames: int, error: bool, invalid: bool, late: bool = False
    ) -> None:
        """Note one call of a model, and its outcome.

        Args:
            challenger: True for the challenger, False for the champion.
            frames: Frames in the batch.
            error: The call failed.
            invalid: The answer is no valid set of boxes.
            late: The answer came too late to be used.
        """
        calls = Calls(1, int(error), int(invalid), int(late))
        answered = 0 if error else frames
        self._add(Evidence(frames=answered, challenger=calls) if challenger else Evidence(champion=calls))

    def note_shed(self) -> None:
        """Note a sample that was dropped."""
        self._add(Evidence(shed=1))

    def take(self, pairs: Sequence[Pair], champion_s: float, challenger_s: float) -> None:
        """Add one batch that both models answered.

        Args:
            pairs: Both answers to each frame.
            champion_s: Computing time per frame in seconds.
            challenger_s: Computing time per frame in seconds.
        """
        log_ratio = math.log(max(challenger_s, _MIN_TIME_S) / max(champion_s, _MIN_TIME_S))
        found = Evidence(latency=Moments.of(log_ratio))
        for pair in pairs:
            found += disagreement(pair) + self._gain(pair)
        self._add(found)

    def note_served(self, cameras: Mapping[str, CameraStats]) -> None:
        """Add the statistics of served answers."""
        self._add(Evidence(cameras=cameras))

    def collect(self) -> Evidence:
        """Evidence since the last call."""
        with self._lock:
            found, self._sum = self._sum, Evidence()
        return found

    def _add(self, evidence: Evidence) -> None:
        with self._lock:
            self._sum += evidence

    def _gain(self, pair: Pair) -> Evidence:
        """One value per block, as neighbouring frames are not independent."""
        if pair.truth is None:
            return Evidence()
        with self._lock:
            block = self._blocks.setdefault(pair.camera_id, _Block(pair.at_s))
            ended = abs(pair.at_s - block.since) >= self.block_s
            if ended:
                self._blocks[pair.camera_id] = _Block(pair.at_s)
                self._blocks[pair.camera_id].add(pair, self._names)
            else:
                block.add(pair, self._names)
        if not ended:
            return Evidence()
        city = self._cities.get(pair.camera_id)
        return Evidence(gains=block.gains(city), scores=block.scores(city))


class _Block:
    """Counts of one camera over some seconds."""

    def __init__(self, since: float) -> None:
        self.since = since
        self._counts: dict[str, Scores] = {}

    def add(self, pair: Pair, names: Sequence[str]) -> None:
        assert pair.truth is not None
        ours = count_detections(*pair.truth, pair.champion, names)
        theirs = count_detections(*pair.truth, pair.challenger, names)
        for group in ours.keys() | theirs.keys():
            found = Scores(ours.get(group, DetectionCounts()), theirs.get(group, DetectionCounts()))
            self._counts[group] = self._counts.get(group, Scores()) + found

    def gains(self, city: str | None) -> dict[str, Moments]:
        return {group: Moments.of(one.gain) for group, one in self.scores(city).items()}

    def scores(self, city: str | None) -> dict[str, Scores]:
        found = {
            group: one
            for group, one in self._counts.items()
            if not (one.champion.is_empty and one.challenger.is_empty)
        }
        if city is not None and EVERYTHING in found:
            found[f"city:{city}"] = found[EVERYTHING]
        return found


def is_sane(found: Detections, width: int, height: int, classes: int) -> bool:
    """False for an answer that no working detector gives.

    Such are: arrays of different lengths, values that are not numbers, boxes that are inverted,
    wholly outside the image or many times its size, unknown classes. A box may reach over the edge:
    detectors predict the distances from a point of the image to the four sides of a box, and the
    point is in it.

    Args:
        found: Boxes in pixels of the image.
        width: Width of the image in pixels.
        height: Height of the image in pixels.
        classes: Number of classes.
    """
    count = len(found)
    shapes = (found.xyxy.shape, found.confidence.shape, found.class_id.shape)
    if shapes != ((count, 4), (count,), (count,)):
        return False
    if not count:
        return True
    if not (np.isfinite(found.xyxy).all() and np.isfinite(found.confidence).all()):
        return False
    low, high = found.xyxy[:, :2], found.xyxy[:, 2:]
    upright = (low <= high + _ROUNDING_PX).all()
    inside = (high >= -_ROUNDING_PX).all() and (low <= np.array([width, height]) + _ROUNDING_PX).all()
    near = np.abs(found.xyxy).max() <= _MAX_REACH * max(width, height)
    known_class = found.class_id.min() >= 0 and found.class_id.max() < classes
    return bool(upright and inside and near and known_class and found.confidence.max() <= 1 + 1e-3)


def disagreement(pair: Pair) -> Evidence:
    """Agreement of two models on a frame, whichever is right."""
    ours, theirs = pair.champion, pair.challenger
    detections = (len(ours), len(theirs))
    if not (detections[0] or detections[1]):
        return Evidence(detections=detections)
    if not (detections[0] and detections[1]):
        return _agreement(pair.camera_id, detections, Moments.of(0.0), Moments())
    overlap = iou(ours.xyxy, theirs.xyxy)
    overlap[ours.class_id[:, None] != theirs.class_id[None]] = 0.0
    best = overlap.argmax(axis=1)
    mutual = overlap.argmax(axis=0)[best] == np.arange(len(ours))
    same = mutual & (overlap.max(axis=1) >= _MATCH_IOU)
    shared = float(2 * same.sum() / (detections[0] + detections[1]))
    shift = theirs.confidence[best[same]].astype(np.float64) - ours.confidence[same]
    moments = Moments(len(shift), float(shift.sum()), float((shift**2).sum()))
    return _agreement(pair.camera_id, detections, Moments.of(shared), moments)


def _agreement(camera_id: str, detections: tuple[int, int], agreement: Moments, shift: Moments) -> Evidence:
    """Evidence of all cameras together, and of the one."""
    cameras = {camera_id: CameraStats(agreement=agreement, shift=shift)}
    return Evidence(detections=detections, agreement=agreement, shift=shift, cameras=cameras)
