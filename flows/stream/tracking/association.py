"""Association: which detection belongs to which track."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flows.stream.tracking.appearance import TrackAppearance
from flows.stream.tracking.box_motion import Array, BoxMotion
from streetloop.boxes import best_pairs, iou
from streetloop.types import Detections, Floats

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What the tracker trusts.

    Attributes:
        strong: Confidence from which a detection is strong, 0 to 1. Higher follows fewer false
            boxes, and loses dim objects sooner.
        start: Confidence from which a detection starts a track. Higher starts fewer false tracks,
            and starts tracks of small or dim objects later.
        confirm_hits: Detections before a track gets its id. Higher suppresses more false tracks;
            brief objects never get an id.
        confirm_sum: Sum of their confidences before it gets its id. Higher asks for more
            detections of dim objects.
        lost_s: Seconds that a confirmed track is kept without a detection. Higher bridges longer
            occlusions, and passes an id to another object more often.
        young_s: The same before it is confirmed.
        parked_s: The same for an object that stands still. Higher keeps the id of a parked car that
            the detector misses, and gives it to the next one that parks there.
        match: Least similarity of a track and a strong detection, 0 to 1: IoU, less for a doubtful
            detection. Higher loses fast objects, and switches ids less often.
        match_weak: Least IoU of a track and a weak detection.
        match_wide: Least similarity in a wide search.
        grow: By how many standard deviations boxes grow in a wide search. Higher finds objects
            again that moved otherwise than expected, or their neighbours.
        grow_least: By how much of their size at least.
        grow_limit: By how much of their size at most.
        overlap: IoU with a detected track from which a detection starts no other track.
        inside: Share of a detection within a detected track from which it starts no other track.
        crowd: IoU with a confirmed track below which a new track is confirmed at once.
        crowd_s: Seconds after which it is confirmed in any case.
        recall_s: Seconds before an object is hidden that are recalled.
        shrunk: A box below this share of its area then was partly hidden already.
        appearance_weight: Of the difference in brightness, 0 or more; a difference of its inverse
            makes a pair a third as similar. Higher follows appearance against place.
    """

    strong: float = 0.4
    start: float = 0.5
    confirm_hits: int = 2
    confirm_sum: float = 1.0
    lost_s: float = 2.5
    young_s: float = 0.5
    parked_s: float = 60.0
    match: float = 0.15
    match_weak: float = 0.4
    match_wide: float = 0.25
    grow: float = 1.0
    grow_least: float = 0.3
    grow_limit: float = 1.5
    overlap: float = 0.5
    inside: float = 0.8
    crowd: float = 0.2
    crowd_s: float = 2.0
    recall_s: float = 1.0
    shrunk: float = 0.75
    appearance_weight: float = 8.0

    @classmethod
    def of(cls, confidence: float) -> "Tuning":
        """Thresholds in proportion to that of reported boxes.

        >>> Tuning.of(0.25) == Tuning()
        True

        Args:
            confidence: Least confidence of a reported box, 0 to 1. Lower follows dimmer objects.
        """
        start = max(confidence, min(2 * confidence, (1 + confidence) / 2.5))
        return cls(strong=0.8 * start, start=start, confirm_sum=2 * start)


class Association:
    """Matches the tracks and the detections of one frame, in stages.

    Args:
        motion: Where the tracks are expected.
        given: The detections.
        tuning: What is trusted.
        known: How the tracks have looked.
        appearance: (N, 2) how the detections look; NaN where nobody knows.

    Attributes:
        found: The track of each detection that has one, by row.
    """

    def __init__(
        self, motion: BoxMotion, given: Detections, tuning: Tuning, known: TrackAppearance, appearance: Array
    ) -> None:
        self._motion, self._given, self._tuning = motion, given, tuning
        self._known, self._appearance = known, appearance
        self._boxes = motion.xyxy
        self.found: dict[int, int] = {}

    def match(self, tracks: set[int], rows: set[int]) -> None:
        """Match by overlap and appearance, doubtful detections less readily."""
        which, of = self._free(tracks, rows)
        similarity = iou(self._boxes[which], self._given.xyxy[of]) * np.sqrt(self._given.confidence[of])
        self._assign(which, of, similarity, self._tuning.match, by_appearance=True)

    def match_weak(self, tracks: set[int], rows: set[int]) -> None:
        """Match by overlap."""
        which, of = self._free(tracks, rows)
        self._assign(which, of, iou(self._boxes[which], self._given.xyxy[of]), self._tuning.match_weak)

    def match_wide(self, tracks: set[int], rows: set[int]) -> None:
        """Match by appearance and overlap of boxes that grow with the uncertainty of the track."""
        which, of = self._free(tracks, rows)
        if len(which) and len(of):
            similarity = self._wide(which, self._given.xyxy[of])
            self._assign(which, of, similarity, self._tuning.match_wide, by_appearance=True)

    def _alike(self, which: Rows, of: Rows) -> Array:
        """(tracks, detections) 1 where they look the same, towards 0 where they do not."""
        alike: Array = np.exp(
            -self._tuning.appearance_weight * self._known.difference(which, self._appearance[of])
        )
        return alike

    def _free(self, tracks: set[int], rows: set[int]) -> tuple[Rows, Rows]:
        """What is matched to nothing yet."""
        which, of = sorted(tracks - set(self.found.values())), sorted(rows - self.found.keys())
        return np.array(which, np.intp), np.array(of, np.intp)

    def _assign(
        self, which: Rows, of: Rows, similarity: Array, least: float, *, by_appearance: bool = False
    ) -> None:
        """Choose the pairs with the greatest sum; pairs below ``least`` do not count.

        With ``by_appearance`` pairs that look alike come first. None is excluded: light changes.
        """
        similarity = np.where(similarity >= least, similarity, 0.0)
        if by_appearance:
            similarity = similarity * self._alike(which, of)
        for k, d in zip(*best_pairs(similarity), strict=True):
            if similarity[k, d] > 0:
                self.found[int(of[d])] = int(which[k])

    def _wide(self, which: Rows, xyxy: Floats) -> Array:
        """(tracks, detections) IoU of the grown boxes, less where their areas differ."""
        tuning, sides = self._tuning, self._motion.xywh[which, 2:]
        grown = np.maximum(tuning.grow * self._motion.spread[which], tuning.grow_least * sides)
        grown = np.minimum(grown, tuning.grow_limit * sides)
        border = np.hstack([-grown, grown]).astype(np.float32)
        boxes = self._boxes[which] + border
        pairs = zip(boxes, border, strict=True)
        overlap = np.vstack([iou(box[None], xyxy + edge) for box, edge in pairs])
        areas = np.prod(sides, axis=1)[:, None]
        others = np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1)[None]
        alike = np.minimum(areas, others) / np.maximum(np.maximum(areas, others), 1e-6)
        similarity: Array = overlap * np.sqrt(alike)
        return similarity
