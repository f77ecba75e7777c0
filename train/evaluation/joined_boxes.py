"""One box for one object where several classes of a model are one class of a dataset."""

from collections import Counter
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from streetloop.counted_classes import CountedClasses
from streetloop.types import Detections

NMS_IOU = 0.7
"""The model's own: of two boxes of one class that overlap more, the weaker one is removed."""


def joins_classes(classes: Mapping[int, int]) -> bool:
    """True if two classes of a model are one class of the dataset.

    Args:
        classes: Class ids of the dataset by those of the model.
    """
    return any(count > 1 for count in Counter(classes.values()).values())


def without_doubles(found: Detections, nms_iou: float = NMS_IOU) -> Detections:
    """Remove doubles: a model has one box as a car and as a truck, which both are vehicles.

    >>> boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]], np.float32)
    >>> found = Detections(boxes, np.array([0.5, 0.9, 0.4], np.float32), np.zeros(3, np.int64))
    >>> without_doubles(found).xyxy[:, 3].tolist()
    [9.0, 10.0]

    Args:
        found: Boxes with the dataset's class ids.
        nms_iou: IoU above which the weaker of two boxes of one class is removed, in (0, 1].
            Lower removes more doubles, and more objects that stand close together.
    """
    if len(found) < 2:
        return found
    sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
    boxes = np.hstack([found.xyxy[:, :2], sides]).tolist()
    kept = cv2.dnn.NMSBoxesBatched(boxes, found.confidence.tolist(), found.class_id.tolist(), 0.0, nms_iou)
    return found.take(np.sort(np.asarray(kept, np.intp).reshape(-1)))


def of_classes(
    found: Detections, names: Sequence[str], groups: Mapping[str, Sequence[str]] | None
) -> Detections:
    """Keep the boxes of some classes, and join several under one name.

    >>> found = Detections(np.ones((2, 4), np.float32), np.ones(2, np.float32), np.array([0, 2]))
    >>> of_classes(found, ("person", "car", "bus"), {"vehicle": ("car", "bus")}).class_id.tolist()
    [0]

    Args:
        found: A model's boxes.
        names: Class names by class id.
        groups: New class names, each with the classes that it stands for; None keeps all.
    """
    if groups is None:
        return found
    new_id = CountedClasses(names, groups).of_class[found.class_id]
    kept = np.flatnonzero(new_id >= 0)
    joined = Detections(found.xyxy[kept], found.confidence[kept], new_id[kept])
    return without_doubles(joined) if any(len(members) > 1 for members in groups.values()) else joined
