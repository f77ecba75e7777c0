"""Merges several people's annotations of one frame into one answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from labeling.answers import Answer, Labeled, Quarantined, Skipped
from labeling.label_studio.rectangles import Unusable, read_boxes
from streetloop.boxes import best_pairs, iou
from streetloop.types import Detections


@dataclass(frozen=True, slots=True)
class Newest:
    """One annotation is enough; of several, the newest wins."""


NEWEST = Newest()


@dataclass(frozen=True, slots=True)
class Agreement:
    """Several people must agree on the boxes.

    Attributes:
        annotators: How many people must answer.
        iou: Least intersection over union of two people's boxes of one object. Higher rejects
            more frames and demands tighter boxes.
    """

    annotators: int = 2
    iou: float = 0.7


Resolve = Newest | Agreement
"""How several annotations of one frame become one answer."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One person's annotation of a frame.

    Attributes:
        labeler: The person.
        at: Time of the last change (UTC).
        is_skip: True if the person declined the frame.
        results: The regions, as Label Studio returned them.
    """

    labeler: str
    at: datetime
    is_skip: bool
    results: Any


@dataclass(frozen=True, slots=True)
class Subject:
    """The frame that was annotated: its digest, its size in pixels, and where to annotate it."""

    digest: str
    width: int
    height: int
    url: str | None = None


def settle(
    subject: Subject, annotations: Sequence[Annotation], names: Mapping[str, str], resolve: Resolve
) -> Answer | None:
    """Merge all annotations of a frame into one answer; None while more are needed.

    Boxes win over skips: a skip only says that one person did not know.

    Args:
        subject: The frame.
        annotations: In any order; the newest of each annotator counts.
        names: Class name by what annotations call the class.
        resolve: Merges them.
    """
    latest = {a.labeler: a for a in sorted(annotations, key=lambda a: a.at)}
    drawn = sorted((a for a in latest.values() if not a.is_skip), key=lambda a: a.at)
    skips = sorted((a for a in latest.values() if a.is_skip), key=lambda a: a.at)
    wanted = resolve.annotators if isinstance(resolve, Agreement) else 1
    if len(drawn) + len(skips) < wanted:
        return None
    if len(drawn) < wanted:
        return Skipped(subject.digest, skips[-1].labeler, skips[-1].at, subject.url)
    used = drawn if isinstance(resolve, Agreement) else drawn[-1:]
    at, classes = used[-1].at, tuple(dict.fromkeys(names.values()))
    class_ids = {label: classes.index(name) for label, name in names.items()}
    try:
        read = [read_boxes(a.results, class_ids, subject.width, subject.height) for a in used]
        boxes = _common(read, resolve.iou) if isinstance(resolve, Agreement) else read[0]
    except Unusable as error:
        return Quarantined(subject.digest, str(error), at, subject.url)
    labeler = ", ".join(sorted(a.labeler for a in used))
    return Labeled(subject.digest, boxes, classes, labeler, at, subject.url)


def _common(read: Sequence[Detections], least_iou: float) -> Detections:
    """The mean of everybody's boxes; raises `Unusable` where they disagree."""
    first = read[0]
    stacked = [first.xyxy]
    for other in read[1:]:
        if len(other) != len(first):
            raise Unusable(f"annotators disagree: {len(first)} boxes against {len(other)}")
        same_class = first.class_id[:, None] == other.class_id[None]
        overlap = np.where(same_class, iou(first.xyxy, other.xyxy), 0.0)
        rows, columns = best_pairs(overlap)
        worst = float(overlap[rows, columns].min(initial=1.0))
        if worst < least_iou:
            raise Unusable(f"annotators disagree: two boxes that should be one have IoU {worst:.2f}")
        stacked.append(other.xyxy[columns])
    return Detections(np.mean(stacked, axis=0, dtype=np.float32), first.confidence, first.class_id)
