"""COCO's mean average precision; the only adapter of faster-coco-eval."""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster  # type: ignore[import-untyped]

from streetloop.types import Detections, Ints


@dataclass(frozen=True, slots=True)
class Map:
    """Mean average precision in [0, 1]; NaN if there is no true box at all.

    Attributes:
        map50_95: Mean over the IoU thresholds 0.50, 0.55, ... 0.95 and the classes.
        map50: At IoU 0.50.
    """

    map50_95: float
    map50: float


def coco_map(
    truth: Sequence[Detections], found: Sequence[Detections], ignored: Sequence[Detections] = ()
) -> Map:
    """Mean average precision of detections.

    Args:
        truth: The ground truths of each image; their confidence does not count.
        found: The detections of the same images, in the same order.
        ignored: Boxes of each image that count neither as found nor as missed, like COCO's crowds.

    Raises:
        ValueError: The numbers of images differ.

    Reference: Lin et al., "Microsoft COCO", 2014; at most 100 boxes an image count.
    """
    if len(truth) != len(found):
        raise ValueError(f"{len(truth)} images of truth, {len(found)} of detections")
    classes = sorted({int(k) for d in (*truth, *found, *ignored) for k in d.class_id})
    annotations = [
        {"id": i, "image_id": image, "category_id": k, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        for i, (image, box, k, _) in enumerate(_rows(truth), start=1)
    ]
    if not annotations:
        return Map(float("nan"), float("nan"))
    annotations += [
        {"id": i, "image_id": image, "category_id": k, "bbox": box, "area": box[2] * box[3], "iscrowd": 1}
        for i, (image, box, k, _) in enumerate(_rows(ignored), start=len(annotations) + 1)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(
            {
                "images": [{"id": i} for i in range(len(truth))],
                "categories": [{"id": k, "name": str(k)} for k in classes],
                "annotations": annotations,
            }
        )
        results = [
            {"image_id": image, "category_id": k, "bbox": box, "score": score}
            for image, box, k, score in _rows(found)
        ]
        if not results:
            return Map(0.0, 0.0)
        evaluation = COCOeval_faster(coco, coco.loadRes(results), iouType="bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return Map(float(evaluation.stats[0]), float(evaluation.stats[1]))


def _rows(images: Sequence[Detections]) -> list[tuple[int, list[float], int, float]]:
    """Image number, box as left, top, width, height, class and confidence of every box."""
    rows = []
    for number, image in enumerate(images):
        size = image.xyxy[:, 2:] - image.xyxy[:, :2]
        boxes = np.hstack([image.xyxy[:, :2], size]).astype(float).tolist()
        classes: Ints = image.class_id
        for box, k, score in zip(boxes, classes.tolist(), image.confidence.tolist(), strict=True):
            rows.append((number, box, k, score))
    return rows
