"""Boxes counted against the truth."""

from dataclasses import dataclass


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

    @property
    def precision(self) -> float | None:
        """Share of the boxes that are of a thing; None without boxes.

        >>> Tally(right=3, wrong=1, things=5).precision
        0.75
        """
        found = self.right + self.wrong
        return self.right / found if found else None

    @property
    def recall(self) -> float | None:
        """Share of the things that have a box; None without things.

        >>> Tally(right=3, wrong=1, things=5).recall
        0.6
        """
        return self.right / self.things if self.things else None
