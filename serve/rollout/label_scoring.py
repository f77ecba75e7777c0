"""How well two models did on the same frames of which the truth is known."""

from collections.abc import Mapping, Sequence

import numpy as np

from serve.rollout.detection_counts import DetectionCounts
from serve.rollout.evidence import EVERYTHING
from streetloop.types import Detections
from train.evaluation.matching import match


def count_detections(
    truth: Detections, ignored: Detections, found: Detections, names: Sequence[str]
) -> dict[str, DetectionCounts]:
    """One frame, by class (``class:car``) and over all classes (`EVERYTHING`).

    Args:
        truth: What is there; class ids are indices into ``names``.
        ignored: What may be found or missed.
        found: What a model shows, at the confidence from which on it is shown.
        names: Class names.
    """
    counted: dict[str, DetectionCounts] = {}
    for class_id, name in enumerate(names):
        there, seen = (_of(boxes, class_id) for boxes in (truth, found))
        if not (len(there) or len(seen)):
            continue
        matches = match(there, seen, ignored)
        true_positives = int(matches.correct.sum())
        counted[f"class:{name}"] = DetectionCounts(
            true_positives, len(matches.correct) - true_positives, matches.ground_truths
        )
    return counted | {EVERYTHING: total(counted)}


def total(counted: Mapping[str, DetectionCounts]) -> DetectionCounts:
    """The sum over all groups.

    >>> total({"class:car": DetectionCounts(1, 0, 2), "class:bus": DetectionCounts(1, 1, 1)})
    Tally(right=2, wrong=1, things=3)
    """
    return sum(counted.values(), DetectionCounts())


def _of(boxes: Detections, class_id: int) -> Detections:
    return boxes.take(np.flatnonzero(boxes.class_id == class_id))
