"""Boxes counted against the truth."""

from collections.abc import Mapping
from dataclasses import dataclass

_NAMES_OF_0_1_0 = {"right": "true_positives", "wrong": "false_positives", "things": "ground_truths"}


@dataclass(frozen=True, slots=True)
class DetectionCounts:
    """Boxes of one model against the truth.

    Attributes:
        true_positives: Boxes of a thing.
        false_positives: Boxes of nothing.
        ground_truths: What is there.
    """

    true_positives: int = 0
    false_positives: int = 0
    ground_truths: int = 0

    @classmethod
    def from_json(cls, plain: Mapping[str, int]) -> "DetectionCounts":
        """Counts from plain values; ``right``, ``wrong`` and ``things`` are the names of 0.1.0.

        >>> DetectionCounts.from_json({"right": 3, "wrong": 1, "things": 5})
        DetectionCounts(true_positives=3, false_positives=1, ground_truths=5)
        """
        return cls(**{_NAMES_OF_0_1_0.get(name, name): count for name, count in plain.items()})

    def __add__(self, other: "DetectionCounts") -> "DetectionCounts":
        return DetectionCounts(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.ground_truths + other.ground_truths,
        )

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 where there is nothing and nothing is found.

        >>> DetectionCounts(true_positives=3, false_positives=1, ground_truths=5).f1 == 6 / 9
        True
        """
        counted = self.true_positives + self.false_positives + self.ground_truths
        return 2 * self.true_positives / counted if counted else 1.0

    @property
    def is_empty(self) -> bool:
        """True if nothing is there and nothing was found."""
        return self.true_positives + self.false_positives + self.ground_truths == 0

    @property
    def precision(self) -> float | None:
        """Share of the boxes that are of a thing; None without boxes.

        >>> DetectionCounts(true_positives=3, false_positives=1, ground_truths=5).precision
        0.75
        """
        found = self.true_positives + self.false_positives
        return self.true_positives / found if found else None

    @property
    def recall(self) -> float | None:
        """Share of the things that have a box; None without things.

        >>> DetectionCounts(true_positives=3, false_positives=1, ground_truths=5).recall
        0.6
        """
        return self.true_positives / self.ground_truths if self.ground_truths else None
