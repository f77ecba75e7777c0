"""Converts the network's output to detections."""

import cv2
import numpy as np
from numpy.typing import NDArray

from streetloop.types import Detections, Floats
from train.model.contract import OutputLayout

MAX_DETECTIONS = 300
_MAX_CANDIDATES = 30_000


def decode(
    output: Floats,
    confidence: float,
    layout: OutputLayout = OutputLayout.ANCHORS,
    *,
    nms_iou: float = 0.7,
    multi_label: bool = False,
) -> list[Detections]:
    """Detections of a batch, in pixels of the model's input, most confident first.

    Args:
        output: The answer to B images.
        confidence: Smallest score, in (0, 1]. Higher reports fewer false boxes, and misses more.
        layout: How the answer is to be read.
        nms_iou: IoU above which the weaker of two boxes of one class is removed. Lower removes more
            doubles, and more objects that stand close together.
        multi_label: True lets one box have several classes, as evaluators do; False keeps the best.

    Returns:
        One `Detections` an image, at most `MAX_DETECTIONS` each.
    """
    if layout is OutputLayout.SELECTED:
        return [_selected(image, confidence) for image in output]
    if layout is OutputLayout.OBJECTNESS:
        output = _without_objectness(output)
    return [_suppressed(image, confidence, nms_iou, multi_label) for image in output]


def _without_objectness(rows: Floats) -> Floats:
    """The layout of anchors: a class's score is its own times the objectness, as YOLOv5 has it."""
    boxes, objectness, scores = rows[..., :4], rows[..., 4:5], rows[..., 5:]
    columns: Floats = np.concatenate([boxes, scores * objectness], axis=2).transpose(0, 2, 1)
    return columns


def _selected(rows: Floats, confidence: float) -> Detections:
    rows = rows[rows[:, 4] >= confidence]
    rows = rows[np.argsort(-rows[:, 4], kind="stable")][:MAX_DETECTIONS]
    return Detections(rows[:, :4].copy(), rows[:, 4].copy(), rows[:, 5].astype(np.int64))


def _suppressed(columns: Floats, confidence: float, nms_iou: float, multi_label: bool) -> Detections:
    anchor, class_id, score = _candidates(columns[4:], confidence, multi_label)
    if len(score) == 0:
        return Detections.empty()
    if len(score) > _MAX_CANDIDATES:
        best = np.argsort(-score, kind="stable")[:_MAX_CANDIDATES]
        anchor, class_id, score = anchor[best], class_id[best], score[best]
    centre, size = columns[:2, anchor].T, columns[2:4, anchor].T
    corner = centre - size / 2
    kept = cv2.dnn.NMSBoxesBatched(
        np.hstack([corner, size]).tolist(),
        score.tolist(),
        class_id.tolist(),
        0.0,  # the candidates have been chosen
        nms_iou,
    )
    survivors = np.asarray(kept, np.intp).reshape(-1)
    index = survivors[np.argsort(-score[survivors], kind="stable")][:MAX_DETECTIONS]
    xyxy = np.hstack([corner, corner + size])[index].astype(np.float32, copy=False)
    return Detections(xyxy, score[index], class_id[index].astype(np.int64))


def _candidates(
    scores: Floats, confidence: float, multi_label: bool
) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Positions (anchor), classes and scores of all that reach ``confidence``."""
    if multi_label:
        class_id, anchor = np.nonzero(scores >= confidence)
        return anchor, class_id, scores[class_id, anchor]
    # Most anchors are background: find the few before asking for their class.
    best = scores.max(axis=0)
    anchor = np.flatnonzero(best >= confidence)
    return anchor, scores[:, anchor].argmax(axis=0), best[anchor]
