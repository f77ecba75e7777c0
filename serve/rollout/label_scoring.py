"""How well two models did on the same frames of which the truth is known."""

from collections.abc import Mapping, Sequence

import numpy as np

from serve.rollout.detection_counts import Tally
from serve.rollout.evidence import EVERYTHING
from streetloop.types import Detections
from train.evaluation.matching import match


def tally(
    truth: Detections, ignored: Detections, found: Detections, names: Sequence[str]
) -> dict[str, Tally]:
    """One frame, by class (``class:car``) and over all classes (`EVERYTHING`).

    Args:
        truth: What is there; class ids are indices into ``names``.
        ignored: What may be found or missed.
        found: What a model shows, at the confidence from which on it is shown.
        names: Class names.
    """
    counted: dict[str, Tally] = {}
    for class_id, name in enumerate(names):
        there, seen = (_of(boxes, class_id) for boxes in (truth, found))
        if not (len(there) or len(seen)):
            continue
        matches = match(there, seen, ignored)
        right = int(matches.right.sum())
        counted[f"class:{name}"] = Tally(right, len(matches.right) - right, matches.things)
    return counted | {EVERYTHING: total(counted)}


def total(counted: Mapping[str, Tally]) -> Tally:
    """The sum over all groups.

    >>> total({"class:car": Tally(1, 0, 2), "class:bus": Tally(1, 1, 1)})
    Tally(right=2, wrong=1, things=3)
    """
    return sum(counted.values(), Tally())


def _of(boxes: Detections, class_id: int) -> Detections:
    return boxes.take(np.flatnonzero(boxes.class_id == class_id))
