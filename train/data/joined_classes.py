"""A dataset with some of its classes only, several of them as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from streetloop.counted_classes import CountedClasses
from streetloop.errors import DatasetError
from train.data.dataset import Dataset
from train.data.formats.builder import LabeledBox, Notes, mend_boxes


@dataclass(frozen=True, slots=True)
class JoinedClasses:
    """What a dataset became.

    Attributes:
        dataset: With the new classes; boxes of other classes are gone.
        new_id: New class id by old one; a class that is not wanted has none.
        notes: Boxes that became equal, in a sentence.
    """

    dataset: Dataset
    new_id: Mapping[int, int]
    notes: tuple[str, ...] = ()


def join_classes(dataset: Dataset, groups: Mapping[str, Sequence[str]] | None) -> JoinedClasses:
    """Keep some classes of a dataset, and join several under one name.

    Args:
        dataset: The dataset.
        groups: New class names, each with the classes that it stands for; None keeps all.

    Raises:
        DatasetError: The dataset lacks a class, or two names claim it.
    """
    if groups is None:
        return JoinedClasses(dataset, {k: k for k in range(len(dataset.classes))})
    counted = CountedClasses(dataset.classes, groups)
    for name in counted.unknown:
        if name in dataset.classes:
            raise DatasetError(f"classes: {name!r} is under two names")
        raise DatasetError(f"the dataset has no class {name!r}; it has {', '.join(dataset.classes[:12])}")
    new_id = {old: new for old, new in enumerate(counted.of_class.tolist()) if new >= 0}
    notes = Notes()
    examples = []
    for example in dataset.examples:
        boxes = [
            LabeledBox(new_id[b.class_id], b.xyxy, f"image {example.image[:12]}", b.ignored)
            for b in example.boxes
            if b.class_id in new_id
        ]
        mended = mend_boxes(boxes, example.width, example.height, notes)
        examples.append(replace(example, boxes=mended))
    joined = replace(dataset, classes=counted.names, examples=tuple(examples))
    return JoinedClasses(joined, new_id, notes.sentences())
