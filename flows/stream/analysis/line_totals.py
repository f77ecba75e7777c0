"""Totals of counting lines: crossings by direction and class, those inferred, and speeds."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streetloop.cameras.speed_summary import SpeedSummary, whole_kmh

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
        speeds: How many were timed, by speed in whole km/h.
    """

    by_class: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    inferred: int = 0
    speeds: Mapping[int, int] = field(default_factory=dict)

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
        speeds = Counter(self.speeds) + Counter(other.speeds)
        return LineTotals(joined, self.inferred + other.inferred, speeds)

    def directions(self) -> dict[str, int]:
        """Crossings by direction."""
        return {"in": self.into, "out": self.out}

    def as_json(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        speed = SpeedSummary.of(self.speeds)
        return {
            **self.directions(),
            "by_class": {
                name: {way: count.get(way, 0) for way in DIRECTIONS} for name, count in self.by_class.items()
            },
            "inferred": self.inferred,
            **({} if speed is None else {"speed": speed.as_json()}),
        }


@dataclass(slots=True)
class LineTally:
    """Grows with the crossings of one line.

    >>> tally = LineTally()
    >>> tally.add("car", "in", inferred=False, speed_kmh=49.6)
    >>> tally.totals().as_json()["speed"]
    {'timed': 1, 'mean_kmh': 50.0, 'p85_kmh': 50}
    """

    _by_class: dict[str, Counter[str]] = field(default_factory=dict)
    _inferred: int = 0
    _speeds: Counter[int] = field(default_factory=Counter)

    def add(self, class_name: str, direction: str, inferred: bool, speed_kmh: float | None = None) -> None:
        """Note a crossing; its speed is None where it was not timed."""
        self._by_class.setdefault(class_name, Counter())[direction] += 1
        self._inferred += inferred
        if speed_kmh is not None:
            self._speeds[whole_kmh(speed_kmh)] += 1

    def totals(self) -> LineTotals:
        """Crossings so far."""
        by_class = {name: dict(count) for name, count in sorted(self._by_class.items())}
        return LineTotals(by_class, self._inferred, dict(self._speeds))
