"""Several people's annotations of one frame, and what is made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from labeling.label_studio.rectangles import Unusable, read_boxes
from labeling.task import Answer, Labeled, Quarantined, Skipped
from streetloop.boxes import iou
from streetloop.types import Detections


@dataclass(frozen=True, slots=True)
class Newest:
    """One annotation is enough; of several the newest counts."""


NEWEST = Newest()


@dataclass(frozen=True, slots=True)
class Agreement:
    """Several people must have drawn the same boxes.

    Attributes:
        annotators: How many at least.
        iou: Least intersection over union of what counts as the same box.
    """

    annotators: int = 2
    iou: float = 0.7


Resolve = Newest | Agreement
"""How several annotations of one frame become one answer."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one person sent for a frame.

    Attributes:
        labeler: Who.
        at: When it was last changed (UTC).
        is_skip: True if the frame was declined.
        results: What was drawn, as it came.
    """

    labeler: str
    at: datetime
    is_skip: bool
    results: Any


@dataclass(frozen=True, slots=True)
class Subject:
    """The frame that was annotated: its digest, and its size in pixels."""

    digest: str
    width: int
    height: int


def settle(
    subject: Subject, annotations: Sequence[Annotation], class_ids: Mapping[str, int], resolve: Resolve
) -> Answer | None:
    """One answer from all annotations of a frame; None while more are needed.

    Somebody's boxes win over somebody else's skip: a skip says that a person did not know.
    """
    latest = {a.labeler: a for a in sorted(annotations, key=lambda a: a.at)}
    drawn = sorted((a for a in latest.values() if not a.is_skip), key=lambda a: a.at)
    skips = sorted((a for a in latest.values() if a.is_skip), key=lambda a: a.at)
    wanted = resolve.annotators if isinstance(resolve, Agreement) else 1
    if len(drawn) + len(skips) < wanted:
        return None
    if len(drawn) < wanted:
        return Skipped(subject.digest, skips[-1].labeler, skips[-1].at)
    used = drawn if isinstance(resolve, Agreement) else drawn[-1:]
    try:
        read = [read_boxes(a.results, class_ids, subject.width, subject.height) for a in used]
        boxes = _common(read, resolve.iou) if isinstance(resolve, Agreement) else read[0]
    except Unusable as error:
        raw = {"annotations": [{"labeler": a.labeler, "result": a.results} for a in used]}
        return Quarantined(subject.digest, str(error), raw)
    labeler = ", ".join(sorted(a.labeler for a in used))
    return Labeled(subject.digest, boxes, labeler, used[-1].at)


def _common(read: Sequence[Detections], least_iou: float) -> Detections:
    """The boxes that all have drawn, each the mean of theirs."""
    first = read[0]
    stacked = [first.xyxy]
    for other in read[1:]:
        if len(other) != len(first):
            raise Unusable(f"annotators disagree: {len(first)} boxes against {len(other)}")
        same_class = first.class_id[:, None] == other.class_id[None]
        overlap = np.where(same_class, iou(first.xyxy, other.xyxy), 0.0)
        rows, columns = linear_sum_assignment(overlap, maximize=True)
        worst = float(overlap[rows, columns].min(initial=1.0))
        if worst < least_iou:
            raise Unusable(f"annotators disagree: two boxes that should be one have IoU {worst:.2f}")
        stacked.append(other.xyxy[columns])
    return Detections(np.mean(stacked, axis=0, dtype=np.float32), first.confidence, first.class_id)
