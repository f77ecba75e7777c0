"""What labellers change: the champion's measured precision and recall, by camera and class.

Only frames drawn at random measure it without bias; the others were chosen because the model was
unsure, and say what it gets wrong rather than how often.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.optimize import linear_sum_assignment

from streetloop.boxes import iou
from streetloop.types import Detections

Group = TypeVar("Group", bound=Hashable)

_SAME = 0.5  # IoU from which on two boxes are of one thing
_EXACT = 0.9  # ... and from which on nobody moved it


@dataclass(frozen=True, slots=True)
class Changes:
    """What labellers did to boxes of one kind.

    Attributes:
        kept: Boxes that stayed as they were.
        moved: Boxes that were moved.
        reclassed: Boxes that became another class, counted with the model's class.
        removed: Boxes of nothing.
        added: Things that the model had not found, counted with their class.
    """

    kept: int = 0
    moved: int = 0
    reclassed: int = 0
    removed: int = 0
    added: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(
            self.kept + other.kept,
            self.moved + other.moved,
            self.reclassed + other.reclassed,
            self.removed + other.removed,
            self.added + other.added,
        )

    @property
    def precision(self) -> float:
        """Share of the model's boxes that are right; NaN without any."""
        right = self.kept + self.moved
        found = right + self.reclassed + self.removed
        return right / found if found else float("nan")

    @property
    def recall(self) -> float:
        """Share of the things that the model found; NaN without any."""
        right = self.kept + self.moved
        there = right + self.added
        return right / there if there else float("nan")


def changes(found: Detections, label: Detections) -> dict[int, Changes]:
    """What a labeller changed in one frame, by class id.

    Args:
        found: What the model proposed.
        label: What the labeller left.
    """
    result: dict[int, Changes] = defaultdict(Changes)
    overlap = iou(found.xyxy, label.xyxy)
    # Of pairs that count: two poor ones must not win over one that is good.
    overlap[overlap < _SAME] = 0.0
    rows, columns = linear_sum_assignment(-overlap) if overlap.size else (np.empty(0), np.empty(0))
    pairs = {int(r): int(c) for r, c in zip(rows, columns, strict=True) if overlap[int(r), int(c)] >= _SAME}
    for k, class_id in enumerate(found.class_id.tolist()):
        if k not in pairs:
            result[class_id] += Changes(removed=1)
            continue
        other = int(label.class_id[pairs[k]])
        if other != class_id:
            result[class_id] += Changes(reclassed=1)
            result[other] += Changes(added=1)
        elif overlap[k, pairs[k]] >= _EXACT:
            result[class_id] += Changes(kept=1)
        else:
            result[class_id] += Changes(moved=1)
    for k, class_id in enumerate(label.class_id.tolist()):
        if k not in pairs.values():
            result[class_id] += Changes(added=1)
    return dict(result)


def total(frames: Iterable[tuple[Group, Detections, Detections]]) -> dict[tuple[Group, int], Changes]:
    """What labellers changed, by group, such as a camera, and class id.

    Args:
        frames: Of each its group, what the model proposed, and what the labeller left.
    """
    result: dict[tuple[Group, int], Changes] = defaultdict(Changes)
    for group, found, label in frames:
        for class_id, change in changes(found, label).items():
            result[group, class_id] += change
    return dict(result)
