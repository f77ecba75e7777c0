"""Mean average precision as Ultralytics defines it, which its users know."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streetloop.boxes import iou
from streetloop.types import Detections
from train.evaluation.coco_map import Map
from train.evaluation.matching import match_at

WHY_OTHER = (
    "Both read precision at 101 recalls, but Ultralytics takes 0 at recall 1, and the lower value "
    "where precision drops: a class that is found perfectly has 0.995 there, and 1 in COCO's."
)
"""Why the two differ on the same predictions."""

_POINTS = np.linspace(0, 1, 101)
_THRESHOLDS = np.linspace(0.5, 0.95, 10, dtype=np.float64)


def ultralytics_map(truth: Sequence[Detections], found: Sequence[Detections]) -> Map:
    """Mean average precision of detections, as Ultralytics' validator prints it.

    It knows no ignored boxes: what lies on one counts as a false detection.

    Args:
        truth: The ground truths of each image.
        found: The detections of the same images, in the same order, at most 300 each.

    Raises:
        ValueError: The numbers of images differ.

    Reference: ``compute_ap`` and ``match_predictions`` of Ultralytics 8.4. They are not called:
    their import alone takes longer than the evaluation of a hundred images.
    """
    true_class = np.concatenate([t.class_id for t in truth]) if truth else np.zeros(0, np.int64)
    if not len(true_class):
        return Map(float("nan"), float("nan"))
    correct = np.concatenate([_correct(t, f) for t, f in zip(truth, found, strict=True)])
    # Its own sort, which breaks ties its own way: models in bfloat16 have many.
    order = np.argsort(-np.concatenate([f.confidence for f in found]))
    correct, found_class = correct[order], np.concatenate([f.class_id for f in found])[order]
    precisions = np.array(
        [
            [average_precision(at, count) for at in correct[found_class == k].T]
            for k, count in zip(*np.unique(true_class, return_counts=True), strict=True)
        ]
    )
    return Map(float(precisions.mean()), float(precisions[:, 0].mean()))


def average_precision(correct: NDArray[np.bool_], ground_truths: int) -> float:
    """Area under the precision-recall curve, by trapezoids between 101 recalls.

    Its last point is at recall 1 with precision 0, so that a perfect model has 0.995.

    >>> round(average_precision(np.array([True, True]), 2), 3)
    0.995

    Args:
        correct: (N,) True for each detection that matches, the most confident first.
        ground_truths: Number of ground truths, above 0.
    """
    if not len(correct):
        return 0.0
    hits = np.cumsum(correct)
    recall, precision = hits / ground_truths, hits / np.arange(1, len(hits) + 1)
    recall = np.concatenate([[0.0], recall, [recall[-1], 1.0]])
    precision = np.concatenate([[1.0], precision, [0.0, 0.0]])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    heights = np.interp(_POINTS, recall, envelope)
    return float((heights[:-1] + heights[1:]).mean() / 2)


def _correct(truth: Detections, found: Detections) -> NDArray[np.bool_]:
    """(N, 10) in the order of the detections: True where one matches at an IoU threshold."""
    order = np.argsort(-found.confidence, kind="stable")
    overlap = iou(found.xyxy[order], truth.xyxy)
    overlap *= found.class_id[order][:, None] == truth.class_id
    correct = np.zeros((len(found), len(_THRESHOLDS)), bool)
    correct[order] = match_at(overlap, _THRESHOLDS)
    return correct
