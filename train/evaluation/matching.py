"""Matches detections to ground truths as COCO's evaluation does."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streetloop.boxes import area, common_area, iou
from streetloop.types import Detections


@dataclass(frozen=True, slots=True)
class Matches:
    """The outcome for one image and class.

    Attributes:
        confidence: (N,) of the detections, falling; ignored ones are left out.
        correct: (N,) True where a detection matches a ground truth.
        ground_truths: Number of ground truths.
    """

    confidence: NDArray[np.float64]
    correct: NDArray[np.bool_]
    ground_truths: int


def match(truth: Detections, found: Detections, ignored: Detections, least_iou: float = 0.5) -> Matches:
    """Match the boxes of one image and class greedily, the most confident detection first.

    A detection without a match does not count if it lies on an ignored box.

    Args:
        truth: The ground truths.
        found: The detections.
        ignored: Boxes that count neither as found nor as missed.
        least_iou: Smallest IoU of a match, in (0, 1]. Higher asks for more exact boxes.

    Reference: Lin et al., "Microsoft COCO", 2014 (evaluation of detections).
    """
    right, counted = verdicts(truth, found, ignored, least_iou)
    order = np.argsort(-found.confidence, kind="stable")
    kept = order[counted[order]]
    return Matches(found.confidence[kept].astype(np.float64), right[kept], len(truth))


def verdicts(
    truth: Detections, found: Detections, ignored: Detections, least_iou: float = 0.5
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which detections of one image and class are right, and which count at all; see `match`.

    Args:
        truth: The ground truths.
        found: The detections, in any order.
        ignored: Boxes that count neither as found nor as missed.
        least_iou: Smallest IoU of a match, in (0, 1].

    Returns:
        Two times (N,), in the order of the detections.
    """
    order = np.argsort(-found.confidence, kind="stable")
    overlap = iou(found.xyxy[order], truth.xyxy)
    right = np.zeros(len(found), bool)
    right[order] = match_at(overlap, np.array([least_iou]))[:, 0]
    covered = _share_within(found.xyxy, ignored.xyxy) >= least_iou
    return right, right | ~covered


def match_at(overlap: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Match greedily at several IoU thresholds: each detection takes the best free ground truth.

    >>> match_at(np.array([[0.6], [0.9]]), np.array([0.5, 0.8])).tolist()
    [[True, False], [False, True]]

    Args:
        overlap: (N, M) IoU of detections, the most confident first, with ground truths.
        thresholds: (T,) smallest IoU of a match, each in (0, 1].

    Returns:
        (N, T) True where a detection matches.
    """
    correct = np.zeros((len(overlap), len(thresholds)), bool)
    taken = np.zeros((overlap.shape[1], len(thresholds)), bool)
    at = np.arange(len(thresholds))
    for k in np.flatnonzero((overlap >= thresholds.min()).any(axis=1)):
        free = np.where(taken, 0.0, overlap[k][:, None])
        best = free.argmax(axis=0)
        correct[k] = free[best, at] >= thresholds
        taken[best, at] |= correct[k]
    return correct


def _share_within(found: NDArray[np.float32], ignored: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N,) the largest share of each box that lies within one ignored box."""
    if not len(ignored) or not len(found):
        return np.zeros(len(found))
    within = common_area(found, ignored) / np.maximum(area(found), 1e-9)[:, None]
    return np.asarray(within.max(axis=1), np.float64)
