"""Corrections that labelers make to a model's boxes: its precision and recall by camera and class.

Only randomly drawn frames give unbiased estimates. Frames chosen by uncertainty show what the
model gets wrong, not how often.
"""

from collections import defaultdict
from dataclasses import dataclass

from streetloop.boxes import best_pairs, iou
from streetloop.summable import Summable
from streetloop.types import Detections

_MATCH_IOU = 0.5  # least IoU of two boxes of one object
_KEPT_IOU = 0.9  # least IoU of a box that the labeler did not move


@dataclass(frozen=True, slots=True)
class Corrections(Summable):
    """Counts of what labelers did to the boxes of one class.

    Attributes:
        kept: Boxes left unchanged.
        moved: Boxes moved or resized.
        reclassed: Boxes given another class; counted under the model's class.
        removed: Boxes deleted: false positives.
        added: Objects that the model missed; counted under the labeler's class.
    """

    kept: int = 0
    moved: int = 0
    reclassed: int = 0
    removed: int = 0
    added: int = 0

    @property
    def precision(self) -> float:
        """Share of the model's boxes that are right; NaN without boxes."""
        right = self.kept + self.moved
        found = right + self.reclassed + self.removed
        return right / found if found else float("nan")

    @property
    def recall(self) -> float:
        """Share of the objects that the model found; NaN without objects."""
        right = self.kept + self.moved
        there = right + self.added
        return right / there if there else float("nan")


def corrections(found: Detections, label: Detections) -> dict[int, Corrections]:
    """Count what a labeler corrected in one frame, by class id.

    Args:
        found: The model's boxes.
        label: The labeler's boxes, in the same pixels.
    """
    result: dict[int, Corrections] = defaultdict(Corrections)
    overlap = iou(found.xyxy, label.xyxy)
    # Zero below the match threshold: two poor pairs must not win over one good pair.
    overlap[overlap < _MATCH_IOU] = 0.0
    rows, columns = best_pairs(overlap)
    matched = ((int(r), int(c)) for r, c in zip(rows, columns, strict=True))
    pairs = {r: c for r, c in matched if overlap[r, c] >= _MATCH_IOU}
    for k, class_id in enumerate(found.class_id.tolist()):
        if k not in pairs:
            result[class_id] += Corrections(removed=1)
            continue
        other = int(label.class_id[pairs[k]])
        if other != class_id:
            result[class_id] += Corrections(reclassed=1)
            result[other] += Corrections(added=1)
        elif overlap[k, pairs[k]] >= _KEPT_IOU:
            result[class_id] += Corrections(kept=1)
        else:
            result[class_id] += Corrections(moved=1)
    for k, class_id in enumerate(label.class_id.tolist()):
        if k not in pairs.values():
            result[class_id] += Corrections(added=1)
    return dict(result)
