"""Speeds as traffic engineers report them: how many, their mean, the 85th percentile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

FASTEST_KMH = 999
"""Higher speeds are kept as this."""

_QUANTILE = 0.85


def whole_kmh(speed_kmh: float) -> int:
    """A speed as it is kept: whole km/h, at most `FASTEST_KMH`."""
    return min(round(speed_kmh), FASTEST_KMH)


@dataclass(frozen=True, slots=True)
class SpeedSummary:
    """What the speeds of several objects have in common.

    >>> SpeedSummary.of({48: 5, 52: 4, 70: 1})
    SpeedSummary(timed=10, mean_kmh=51.8, p85_kmh=52)

    Attributes:
        timed: How many objects were timed, 1 or more.
        mean_kmh: Their mean speed.
        p85_kmh: The lowest speed that 85 % of them do not exceed, the V85 of traffic engineers.
    """

    timed: int
    mean_kmh: float
    p85_kmh: int

    @classmethod
    def of(cls, speeds: Mapping[int, int]) -> Self | None:
        """The summary of counts by speed in whole km/h; None without any."""
        timed = sum(speeds.values())
        if not timed:
            return None
        mean = sum(speed * count for speed, count in speeds.items()) / timed
        return cls(timed, round(mean, 1), _percentile(speeds, _QUANTILE * timed))

    def as_json(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        return {"timed": self.timed, "mean_kmh": self.mean_kmh, "p85_kmh": self.p85_kmh}


def _percentile(speeds: Mapping[int, int], wanted: float) -> int:
    seen = 0
    for speed in sorted(speeds):
        seen += speeds[speed]
        if seen >= wanted:
            return speed
    raise AssertionError("a share of all is at most all")
