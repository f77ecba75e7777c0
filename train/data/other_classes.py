"""A dataset in the classes of a model that knows more."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from streetloop.boxes import Box, Boxes, ids_by_name, iou, to_boxes
from streetloop.errors import DatasetError
from streetloop.types import Detections
from train.data.dataset import TRAIN, Dataset, Example

_SAME_IOU = 0.7  # of a model's box and a label: both are of one object


def with_classes(dataset: Dataset, classes: Sequence[str], mapping: Mapping[str, str]) -> Dataset:
    """A dataset with the class ids of ``classes``, matched by name.

    Args:
        dataset: The labels.
        classes: Class names by the new class id.
        mapping: Names in ``classes`` by names in the dataset, where the two differ.

    Raises:
        DatasetError: A box is of a class that is not in ``classes``.
    """
    ids = ids_by_name([mapping.get(name, name) for name in dataset.classes], classes)
    used = {box.class_id for example in dataset.examples for box in example.boxes}
    for class_id in sorted(used):
        if ids[class_id] is None:
            name = dataset.classes[class_id]
            raise DatasetError(
                f"the dataset has boxes of {name!r}, which the champion does not know; it has "
                f"{', '.join(classes[:12])}; say which it is with --map {name}=CLASS"
            )
    examples = tuple(
        replace(example, boxes=tuple(_renumbered(box, ids) for box in example.boxes))
        for example in dataset.examples
    )
    return replace(dataset, classes=tuple(classes), examples=examples)


def _renumbered(box: Box, ids: Sequence[int | None]) -> Box:
    class_id = ids[box.class_id]
    assert class_id is not None
    return replace(box, class_id=class_id)


def completed(
    dataset: Dataset, found: Mapping[str, Detections], labeled: Collection[int]
) -> tuple[Dataset, int]:
    """Training images with a model's own boxes of the classes that nobody labeled.

    In a training an object without a box is background. Where people labeled vehicles only, a
    model would unlearn pedestrians; with its own boxes of them it keeps what it knows (Li and
    Hoiem, "Learning without Forgetting", 2017).

    Args:
        dataset: The dataset; images to judge by stay as they are.
        found: The model's boxes by image digest, with the dataset's class ids.
        labeled: Class ids that people labeled; no box of them is added.

    Returns:
        The dataset, and how many boxes were added.
    """
    added = 0
    examples = []
    for example in dataset.examples:
        new: Boxes = ()
        if example.split == TRAIN and example.image in found:
            new = _missing(found[example.image], example.boxes, labeled)
        added += len(new)
        examples.append(replace(example, boxes=(*example.boxes, *new)))
    return replace(dataset, examples=tuple(examples)), added


def unasked_classes(example: Example) -> set[int]:
    """Ids of the classes that nobody was asked about: of each the whole image is an ignored box."""
    whole = (0.0, 0.0, float(example.width), float(example.height))
    return {box.class_id for box in example.boxes if box.ignored and box.xyxy == whole}


def of_people(example: Example) -> Boxes:
    """An example's boxes of the classes that people were asked about."""
    unasked = unasked_classes(example)
    return tuple(box for box in example.boxes if box.class_id not in unasked)


def with_unasked(dataset: Dataset, found: Mapping[str, Detections]) -> tuple[Dataset, int]:
    """Training images with a model's own boxes of the classes that nobody was asked about.

    See `completed` for why.

    Args:
        dataset: The dataset; images to judge by stay as they are.
        found: The model's boxes by image digest, with the dataset's class ids.

    Returns:
        The dataset, and how many boxes were added.
    """
    added = 0
    examples = []
    every = range(len(dataset.classes))
    for example in dataset.examples:
        new: Boxes = ()
        if example.split == TRAIN and example.image in found:
            asked = set(every) - unasked_classes(example)
            kept = tuple(box for box in example.boxes if not box.ignored)
            new = _missing(found[example.image], kept, asked)
        added += len(new)
        examples.append(replace(example, boxes=(*example.boxes, *new)))
    return replace(dataset, examples=tuple(examples)), added


def _missing(found: Detections, labels: Boxes, labeled: Collection[int]) -> Boxes:
    known = np.array([box.xyxy for box in labels], np.float32).reshape(-1, 4)
    rows = [row for row, class_id in enumerate(found.class_id.tolist()) if class_id not in labeled]
    apart = [row for row in rows if not (iou(found.xyxy[row][None], known) >= _SAME_IOU).any()]
    return tuple(Box(box.class_id, box.xyxy) for box in to_boxes(found.take(np.array(apart, np.intp))))
