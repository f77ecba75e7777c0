"""True positives, false positives and ground truths of a model, by class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streetloop.summable import Summable
from streetloop.types import Detections
from train.evaluation.matching import match

EVERYTHING = "all"
"""The group that every frame belongs to; others are ``class:car`` and ``city:denver``."""

_NAMES_OF_0_1_0 = {"right": "true_positives", "wrong": "false_positives", "things": "ground_truths"}


@dataclass(frozen=True, slots=True)
class DetectionCounts(Summable):
    """The boxes of one model, matched with the ground truth.

    Attributes:
        true_positives: Boxes that match an object.
        false_positives: Boxes that match none.
        ground_truths: Objects that are there.
    """

    true_positives: int = 0
    false_positives: int = 0
    ground_truths: int = 0

    @classmethod
    def from_json(cls, plain: Mapping[str, int]) -> "DetectionCounts":
        """Read counts; ``right``, ``wrong`` and ``things`` are the keys of version 0.1.0.

        >>> DetectionCounts.from_json({"right": 3, "wrong": 1, "things": 5})
        DetectionCounts(true_positives=3, false_positives=1, ground_truths=5)
        """
        return cls(**{_NAMES_OF_0_1_0.get(name, name): count for name, count in plain.items()})

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 0 to 1; 1 of no boxes and no objects.

        >>> DetectionCounts(true_positives=3, false_positives=1, ground_truths=5).f1 == 6 / 9
        True
        """
        counted = self.true_positives + self.false_positives + self.ground_truths
        return 2 * self.true_positives / counted if counted else 1.0

    @property
    def is_empty(self) -> bool:
        """True if there are neither boxes nor objects."""
        return self.true_positives + self.false_positives + self.ground_truths == 0

    @property
    def precision(self) -> float | None:
        """Share of the boxes that match an object, 0 to 1; None without boxes.

        >>> DetectionCounts(true_positives=3, false_positives=1, ground_truths=5).precision
        0.75
        """
        found = self.true_positives + self.false_positives
        return self.true_positives / found if found else None

    @property
    def recall(self) -> float | None:
        """Share of the objects that have a box, 0 to 1; None without objects.

        >>> DetectionCounts(true_positives=3, false_positives=1, ground_truths=5).recall
        0.6
        """
        return self.true_positives / self.ground_truths if self.ground_truths else None


def count_detections(
    truth: Detections, ignored: Detections, found: Detections, names: Sequence[str]
) -> dict[str, DetectionCounts]:
    """Count one frame by class (``class:car``) and over all classes (`EVERYTHING`).

    Args:
        truth: The objects that are there; class ids are indices into ``names``.
        ignored: Objects that count neither when found nor when missed.
        found: What a model shows: its boxes above the confidence threshold of the display.
        names: Class names.
    """
    counted: dict[str, DetectionCounts] = {}
    for class_id, name in enumerate(names):
        there, seen = (_of_class(boxes, class_id) for boxes in (truth, found))
        if not (len(there) or len(seen)):
            continue
        matches = match(there, seen, ignored)
        true_positives = int(matches.correct.sum())
        counted[f"class:{name}"] = DetectionCounts(
            true_positives, len(matches.correct) - true_positives, matches.ground_truths
        )
    return counted | {EVERYTHING: total(counted)}


def total(counted: Mapping[str, DetectionCounts]) -> DetectionCounts:
    """Sum over all groups.

    >>> total({"class:car": DetectionCounts(1, 0, 2), "class:bus": DetectionCounts(1, 1, 1)})
    DetectionCounts(true_positives=2, false_positives=1, ground_truths=3)
    """
    return sum(counted.values(), DetectionCounts())


def _of_class(boxes: Detections, class_id: int) -> Detections:
    return boxes.take(np.flatnonzero(boxes.class_id == class_id))
