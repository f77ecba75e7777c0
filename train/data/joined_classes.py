"""A dataset with some of its classes only, several of them as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from streetloop.counted_classes import CountedClasses
from streetloop.errors import DatasetError
from train.data.dataset import Dataset
from train.data.mending import Notes, mend_dataset


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
        kept = (box for box in example.boxes if box.class_id in new_id)
        boxes = tuple(replace(box, class_id=new_id[box.class_id]) for box in kept)
        examples.append(replace(example, boxes=boxes))
    joined = replace(dataset, classes=counted.names, examples=tuple(examples))
    return JoinedClasses(mend_dataset(joined, notes), new_id, notes.sentences())
