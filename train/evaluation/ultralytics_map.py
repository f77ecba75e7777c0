"""Mean average precision as Ultralytics defines it, which its users know."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streetloop.boxes import iou
from streetloop.types import Detections
from train.evaluation.coco_map import Map
from train.evaluation.matching import match_at
from train.ultralytics_adapter import average_precisions

WHY_OTHER = (
    "Ultralytics joins the points of the precision-recall curve by straight lines where COCO takes "
    "steps, and counts 300 boxes an image where COCO counts 100."
)
"""Why the two differ on the same predictions."""

_THRESHOLDS = np.linspace(0.5, 0.95, 10, dtype=np.float64)


def ultralytics_map(truth: Sequence[Detections], found: Sequence[Detections]) -> Map:
    """Mean average precision of detections, as Ultralytics' validator prints it.

    It knows no ignored boxes: what lies on one counts as a false detection.

    Args:
        truth: The ground truths of each image.
        found: The detections of the same images, in the same order, at most 300 each.

    Raises:
        ValueError: The numbers of images differ.
    """
    true_class = np.concatenate([t.class_id for t in truth]) if truth else np.zeros(0, np.int64)
    if not len(true_class):
        return Map(float("nan"), float("nan"))
    correct = np.concatenate([_correct(t, f) for t, f in zip(truth, found, strict=True)])
    confidence = np.concatenate([f.confidence for f in found])
    found_class = np.concatenate([f.class_id for f in found])
    precisions = average_precisions(correct, confidence, found_class, true_class)
    return Map(float(precisions.mean()), float(precisions[:, 0].mean()))


def _correct(truth: Detections, found: Detections) -> NDArray[np.bool_]:
    """(N, 10) in the order of the detections: True where one matches at an IoU threshold."""
    order = np.argsort(-found.confidence, kind="stable")
    overlap = iou(found.xyxy[order], truth.xyxy)
    overlap *= found.class_id[order][:, None] == truth.class_id
    correct = np.zeros((len(found), len(_THRESHOLDS)), bool)
    correct[order] = match_at(overlap, _THRESHOLDS)
    return correct
