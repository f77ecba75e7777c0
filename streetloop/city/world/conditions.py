"""Weather, hour and lens, and how they come and go.

A condition is written as its name, or as ``name@60:30``: it begins at second 60 and has come on
fully 30 seconds later. Several are parted by commas: ``rain,night@600:120``. ``daily`` lets the
hours pass instead: midnight is second 0.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from streetloop.city.world.script import entries
from streetloop.errors import ConfigError

STEPS = 24
"""Strengths are whole numbers from 0 to this, so that what depends on them can be kept."""

_DAY_S = 86400.0
_LATEST_S = 1e9


@dataclass(frozen=True, slots=True)
class Look:
    """Strength of each condition, 0 to `STEPS`.

    Attributes:
        darkness: 0 at noon, half of `STEPS` at dusk, `STEPS` at night.
        rain: Rain and a wet road.
        fog: Fog.
        low_sun: A low sun in front of the camera.
        dirt: Dirt on the lens.
        wet: Drops on the lens.
        knock: The camera turned aside.
        compression: A poor link.
    """

    darkness: int = 0
    rain: int = 0
    fog: int = 0
    low_sun: int = 0
    dirt: int = 0
    wet: int = 0
    knock: int = 0
    compression: int = 0

    def strength(self, name: str) -> float:
        """Strength of a condition, 0 to 1.

        Args:
            name: A field of the look, such as ``fog``.
        """
        return float(getattr(self, name)) / STEPS


_EFFECTS: dict[str, tuple[str, float]] = {
    "day": ("darkness", 0.0),
    "dusk": ("darkness", 0.5),
    "night": ("darkness", 1.0),
    "rain": ("rain", 1.0),
    "fog": ("fog", 1.0),
    "low-sun": ("low_sun", 1.0),
    "dirty-lens": ("dirt", 1.0),
    "wet-lens": ("wet", 1.0),
    "knocked": ("knock", 1.0),
    "compressed": ("compression", 1.0),
}

CONDITIONS = (*_EFFECTS, "daily")
"""Every condition by its name."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: from ``start`` on, fully after ``fade`` seconds."""

    name: str
    start: float = 0.0
    fade: float = 0.0

    def share(self, t: float) -> float:
        """How far the condition has set in, 0 to 1.

        Args:
            t: Second of the city.
        """
        if t < self.start:
            return 0.0
        if self.fade <= 0 or t >= self.start + self.fade:
            return 1.0
        part = (t - self.start) / self.fade
        return part * part * (3 - 2 * part)


def parse_conditions(text: str) -> tuple[Condition, ...]:
    """Conditions as they are written in a URI.

    >>> parse_conditions("rain,night@60:30")[1]
    Condition(name='night', start=60.0, fade=30.0)

    Args:
        text: Entries ``name@start:fade`` in seconds, separated by commas; the numbers may be left
            out.

    Raises:
        ConfigError: A condition is unknown or malformed; the message lists those that exist.
    """
    example = "write night, or night@60:30 for one that begins at second 60 and takes 30 seconds"
    found = []
    for name, start, fade in entries(text, "condition", CONDITIONS, example):
        if max(start or 0.0, fade or 0.0) > _LATEST_S:
            raise ConfigError(f"condition {name!r}: no such number; write up to {_LATEST_S:g}")
        found.append(Condition(name, start or 0.0, fade or 0.0))
    return tuple(found)


def look_at(conditions: Sequence[Condition], t: float) -> Look:
    """The conditions at a moment; of several of one kind the last one wins.

    >>> look_at(parse_conditions("night@60:30"), 59).darkness, look_at([Condition("night")], 0)
    ... # doctest: +ELLIPSIS
    (0, Look(darkness=24, rain=0, ...))

    Args:
        conditions: In the order in which they apply.
        t: Second of the city.
    """
    strengths = {field.name: 0.0 for field in fields(Look)}
    for condition in conditions:
        if condition.name == "daily":
            strengths["darkness"] = _darkness_of(t)
            continue
        name, goal = _EFFECTS[condition.name]
        strengths[name] += (goal - strengths[name]) * condition.share(t)
    return Look(**{name: round(value * STEPS) for name, value in strengths.items()})


def _darkness_of(t: float) -> float:
    """From the second of the day: full light from 8 to 16 o'clock, night from 19:30 to 4:30."""
    height = -math.cos(math.tau * (t % _DAY_S) / _DAY_S)
    return min(max(0.55 - 1.2 * height, 0.0), 1.0)
