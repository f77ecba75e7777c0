"""What speaks for one cause of a drift or another: changes as numbers without a unit.

Each is 0 where nothing changed and grows with the change. A change and its opposite are two
numbers, because they speak for different causes. Levels are compared as logarithms of ratios: half
the light is the same change by day and in the evening.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from drift.comparison import FeatureResult
from drift.measurement.covering import Covering
from drift.measurement.view_change import UNCHANGED, ViewChange

_FLOORS = {"brightness": 0.02, "contrast": 0.01, "colourfulness": 2.0, "saturation": 0.02, "noise": 0.5}
"""Levels below which a ratio means nothing, in the feature's unit."""

_SIGNED = {
    "brightness": ("brighter", "darker"),
    "contrast": ("more contrast", "flatter"),
    "sharpness": ("sharper", "softer"),
    "colourfulness": ("more colourful", "less colourful"),
    "saturation": ("more saturated", "paler"),
    "noise": ("noisier", "smoother"),
    "blockiness": ("blockier", "less blocky"),
}
"""What a rise and a fall of a feature are called."""

_OUTPUTS = {
    "detections changed": ("confidence", "detections", "box_area"),
    "tracks changed": ("speed", "fragmentation"),
}
_DETAIL = "detail lost"
_COLOURLESS, _COLOURLESS_LEVEL = "colourless", 2.0
_CODEC_COLOUR = 1.2  # colourfulness that a codec's rounding gives to grey
_VIEW = ("view moved", "view realigned", "view unlike", "partly recoloured", "partly covered")
_MIX = "other traffic"
_MAX = 4.0

EVIDENCE = (*(w for pair in _SIGNED.values() for w in pair), _DETAIL, _COLOURLESS, *_VIEW, _MIX, *_OUTPUTS)
"""Name of each piece of evidence, in the order of the classifier's columns."""


@dataclass(frozen=True, slots=True)
class Changes:
    """All that was measured of a change.

    Attributes:
        results: By feature, of images, model and tracks.
        view: How the view moved.
        covering: How much of it is covered.
        mix: Share of the tracks that changed class, 0 to 1; 0 unless it is significant.
    """

    results: Mapping[str, FeatureResult]
    view: ViewChange = UNCHANGED
    covering: Covering = field(default_factory=Covering)
    mix: float = 0.0

    @property
    def is_drift(self) -> bool:
        """True if any of them is an alarm."""
        alarm = any(result.alarm for result in self.results.values())
        return alarm or self.view.has_moved or self.covering.is_covered or self.mix > 0


def evidence_of(changes: Changes) -> dict[str, float]:
    """The changes as evidence: a number from 0 to 4 for each name of `EVIDENCE`."""
    found = dict.fromkeys(EVIDENCE, 0.0)
    sizes = {name: _change(name, changes.results) for name in _SIGNED}
    for name, (rise, fall) in _SIGNED.items():
        found[rise], found[fall] = max(sizes[name], 0.0), max(-sizes[name], 0.0)
    # Less contrast alone makes edges weaker; a lens makes them softer than that.
    found[_DETAIL] = max(2 * sizes["contrast"] / np.log(10) - sizes["sharpness"], 0.0)
    found[_COLOURLESS] = _colour_lost(changes.results)
    view, covering = changes.view, changes.covering
    found["view moved"] = 1 + 10 * min(view.displacement, 0.2) if view.has_moved else 0.0
    found["view realigned"] = max(view.aligned - view.likeness, 0.0)
    found["view unlike"] = 1 - max(view.aligned, 0.0)
    found["partly recoloured"], found["partly covered"] = covering.recoloured, covering.covered
    found[_MIX] = 5 * changes.mix
    for name, features in _OUTPUTS.items():
        found[name] = _departure(features, changes.results)
    return {name: float(np.clip(value, 0.0, _MAX)) for name, value in found.items()}


def _change(name: str, results: Mapping[str, FeatureResult]) -> float:
    """A change as a logarithm of a ratio; 0 where there are too few values."""
    result = results.get(name)
    if result is None or not result.enough:
        return 0.0
    floor = _FLOORS.get(name)
    if floor is None or not np.isfinite(result.usual):  # sharpness and blockiness are logarithms
        return result.change
    usual = max(result.usual, 0.0)
    return float(np.log((max(usual + result.change, 0.0) + floor) / (usual + floor)))


def _colour_lost(results: Mapping[str, FeatureResult]) -> float:
    """How close to grey a camera is that was not: 0 to 1."""
    result = results.get("colourfulness")
    if result is None or not result.enough or not np.isfinite(result.usual) or result.change >= 0:
        return 0.0
    left = max(result.usual + result.change - _CODEC_COLOUR, 0.0)
    return max(1 - left / min(_COLOURLESS_LEVEL, max(result.usual, 1e-6)), 0.0)


def _departure(names: tuple[str, ...], results: Mapping[str, FeatureResult]) -> float:
    """The largest departure of those that alarm, as a logarithm: 0.7 at its threshold."""
    sizes = [
        float(np.log1p(result.effect_size / max(result.threshold, 1e-9)))
        for name in names
        if (result := results.get(name)) is not None and result.alarm
    ]
    return max(sizes, default=0.0)
