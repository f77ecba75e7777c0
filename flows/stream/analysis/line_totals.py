"""Totals of counting lines: crossings by direction and class, and how many were inferred."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DIRECTIONS = ("in", "out")


@dataclass(frozen=True, slots=True)
class LineTotals:
    """Crossings of one line so far.

    >>> both = LineTotals({"car": {"in": 2}}, 1) + LineTotals({"car": {"in": 1, "out": 4}})
    >>> both.into, both.out, both.inferred
    (3, 4, 1)

    Attributes:
        by_class: Crossings by class, then by direction, ``in`` or ``out``.
        inferred: How many of them were concluded across a gap.
    """

    by_class: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    inferred: int = 0

    @property
    def into(self) -> int:
        """Crossings from the left of the line to its right."""
        return sum(count.get("in", 0) for count in self.by_class.values())

    @property
    def out(self) -> int:
        """Crossings from the right of the line to its left."""
        return sum(count.get("out", 0) for count in self.by_class.values())

    def __add__(self, other: "LineTotals") -> "LineTotals":
        joined = {
            name: Counter(self.by_class.get(name, {})) + Counter(other.by_class.get(name, {}))
            for name in sorted({*self.by_class, *other.by_class})
        }
        return LineTotals(joined, self.inferred + other.inferred)

    def directions(self) -> dict[str, int]:
        """Crossings by direction."""
        return {"in": self.into, "out": self.out}

    def as_json(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        return {
            **self.directions(),
            "by_class": {
                name: {way: count.get(way, 0) for way in DIRECTIONS} for name, count in self.by_class.items()
            },
            "inferred": self.inferred,
        }
