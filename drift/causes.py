"""The likely causes of a drift, from which features changed and which way.

Each rule looks at what its cause changes and gives a weight; the cause with the largest weight
comes first. Rules look at changes in the features' own units, because a camera's spread says how
surprising a change is, not what it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from drift.comparison import FeatureResult

MOVED, NIGHT, BRIGHT = "camera moved", "night", "overexposed"
DIRTY, FOG, RAIN = "dirty or blurred lens", "fog", "rain"
MIX, MODEL, OTHER = "traffic mix", "model", "unknown"

ASKS_FOR_LABELS = frozenset({NIGHT, BRIGHT, FOG, RAIN, MIX, MODEL, OTHER})
"""Causes that labels help against; the others ask for a technician."""

_MIN_SHIFT = 0.012  # of the image's width; 3 degrees are about 0.05
_MIN_LIKENESS = 0.15  # correlation, below which the view may be another scene


@dataclass(frozen=True, slots=True)
class CauseEvidence:
    """What speaks for one cause or another.

    Attributes:
        results: By feature, of images, model and tracks.
        shift: How far the view moved, as a fraction of the image's width.
        likeness: Correlation of the two views once the shift is undone, -1 to 1.
        mix_changed: True if the mix of classes changed.
    """

    results: Mapping[str, FeatureResult]
    shift: float = 0.0
    likeness: float = 0.0
    mix_changed: bool = False

    def change(self, name: str) -> float:
        """How much a feature changed, in its unit; 0 where there are too few values.

        Args:
            name: Name of the feature.
        """
        result = self.results.get(name)
        return result.change if result is not None and result.enough else 0.0

    def alarmed(self, *names: str) -> bool:
        """True if any of the features raised an alarm."""
        return any(self.results[name].alarm for name in names if name in self.results)


def has_moved(shift: float) -> bool:
    """True if the view has turned; night, fog and rain alone look like a shift of up to 0.007.

    Args:
        shift: How far the view moved, as a fraction of the image's width.
    """
    return shift >= _MIN_SHIFT


def likely_causes(evidence: CauseEvidence) -> list[str]:
    """Causes of a drift, likeliest first; empty without drift."""
    image = evidence.alarmed(*_IMAGE)
    moved = has_moved(evidence.shift)
    if not (image or moved or evidence.mix_changed or evidence.alarmed(*_MODEL)):
        return []
    weights = {name: rule(evidence) for name, rule in _RULES.items()} if image else {}
    if moved:
        # Turned far enough to show another scene, or another scene: other causes explain more.
        is_same_scene = evidence.likeness >= _MIN_LIKENESS
        weights[MOVED] = (1.0 + 10 * evidence.shift) if is_same_scene or not image else 0.5
    if evidence.mix_changed:
        weights[MIX] = 0.6 if image else 2.0
    if evidence.alarmed(*_MODEL) and not image and not moved and not evidence.mix_changed:
        weights[MODEL] = 1.0
    found = sorted((name for name, w in weights.items() if w > 0), key=lambda n: -weights[n])
    return found or [OTHER]


_IMAGE = ("brightness", "contrast", "sharpness", "colourfulness", "saturation", "noise")
_MODEL = ("confidence", "detections", "box_area")


def _night(e: CauseEvidence) -> float:
    """Much darker, and noisier: the sensor amplifies a dark image."""
    return max(0.0, -e.change("brightness") - 0.06) * 12 + max(0.0, e.change("noise")) * 0.05


def _overexposed(e: CauseEvidence) -> float:
    flat = e.change("contrast") < -0.03 and e.change("saturation") < 0
    return max(0.0, e.change("brightness") - 0.15) * (1 if flat else 8)


def _fog(e: CauseEvidence) -> float:
    """Greyer, flatter and brighter: white covers what is far."""
    flat = max(0.0, -e.change("contrast") - 0.02)
    pale = max(0.0, -e.change("saturation"))
    bright = max(0.0, e.change("brightness"))
    return (flat * 20 + pale * 6) * (1.0 if bright > 0.04 else 0.3)


def _rain(e: CauseEvidence) -> float:
    """Much greyer and hardly brighter, yet full of streaks."""
    pale, flat = max(0.0, -e.change("saturation")), max(0.0, -e.change("contrast"))
    dim = -0.16 < e.change("brightness") < 0.05
    grey = min(max((-e.change("colourfulness") - _RAIN_GREY) / 4, 0.1), 1.0)
    return (pale * 4 + flat * 8) * grey if dim and e.change("sharpness") > -0.25 else 0.0


def _lens(e: CauseEvidence) -> float:
    """Soft, or flat in patches, while light and colours hardly change."""
    soft = max(0.0, -e.change("sharpness") - 0.1)
    same = abs(e.change("brightness")) < 0.12
    patches = 0.0
    if abs(e.change("brightness")) < 0.04 and -_RAIN_GREY < e.change("colourfulness") < 0:
        patches = max(0.0, -e.change("contrast")) * 10
    return soft * 3 * (1.0 if same else 0.2) + patches


_RAIN_GREY = 7.0  # loss of colourfulness; dirt takes less, rain more


_RULES = {NIGHT: _night, BRIGHT: _overexposed, FOG: _fog, RAIN: _rain, DIRTY: _lens}
