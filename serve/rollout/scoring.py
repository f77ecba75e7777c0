"""How well two models did on the same frames of which the truth is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from serve.rollout.evidence import EVERYTHING
from streetloop.types import Detections
from train.matching import match


@dataclass(frozen=True, slots=True)
class Tally:
    """Boxes of one model against the truth.

    Attributes:
        right: Boxes of a thing.
        wrong: Boxes of nothing.
        things: What is there.
    """

    right: int = 0
    wrong: int = 0
    things: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.right + other.right, self.wrong + other.wrong, self.things + other.things)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 where there is nothing and nothing is found.

        >>> Tally(right=3, wrong=1, things=5).f1 == 6 / 9
        True
        """
        counted = self.right + self.wrong + self.things
        return 2 * self.right / counted if counted else 1.0

    @property
    def is_empty(self) -> bool:
        """True if nothing is there and nothing was found."""
        return self.right + self.wrong + self.things == 0


def tally(
    truth: Detections, ignored: Detections, found: Detections, names: Sequence[str]
) -> dict[str, Tally]:
    """One frame, by class (``class:car``) and over all classes (`EVERYTHING`).

    Args:
        truth: What is there; class ids are indices into ``names``.
        ignored: What may be found or missed.
        found: What a model shows, at the confidence from which on it is shown.
        names: Class names.
    """
    counted: dict[str, Tally] = {}
    for class_id, name in enumerate(names):
        there, seen = (_of(boxes, class_id) for boxes in (truth, found))
        if not (len(there) or len(seen)):
            continue
        matches = match(there, seen, ignored)
        right = int(matches.right.sum())
        counted[f"class:{name}"] = Tally(right, len(matches.right) - right, matches.things)
    return counted | {EVERYTHING: total(counted)}


def total(counted: Mapping[str, Tally]) -> Tally:
    """The sum over all groups.

    >>> total({"class:car": Tally(1, 0, 2), "class:bus": Tally(1, 1, 1)})
    Tally(right=2, wrong=1, things=3)
    """
    return sum(counted.values(), Tally())


def _of(boxes: Detections, class_id: int) -> Detections:
    return boxes.take(np.flatnonzero(boxes.class_id == class_id))
