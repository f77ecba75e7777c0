"""The likely causes of a drift: a calibrated classifier over its evidence.

Multinomial logistic regression; ``causes.json`` has its coefficients, the command that fitted them
and what was measured on clips that were held out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from scipy.special import softmax

from drift.evidence import Changes, evidence_of
from drift.statistics.distance import Floats
from streetloop.causes import Cause

MOVED, OCCLUSION, DIRTY = "camera moved", "occlusion", "dirty or blurred lens"
NIGHT, BRIGHT, FOG, RAIN = "night", "overexposed", "fog", "rain"
GREY, NOISE, COMPRESSION = "grey mode", "noise", "compression"
MIX, MODEL, OTHER = "traffic mix", "model", "unknown"

CAUSES = (
    *(MOVED, OCCLUSION, DIRTY, NIGHT, BRIGHT, FOG, RAIN),
    *(GREY, NOISE, COMPRESSION, MIX, MODEL, OTHER),
)
"""Every cause that can be named."""

ASKS_FOR_LABELS = frozenset({NIGHT, BRIGHT, FOG, RAIN, GREY, MIX, MODEL, OTHER})
"""Causes that labels help against; the others ask for a technician."""

_SHOWN_EVIDENCE = 3
_MIN_CONTRIBUTION = 0.5  # of a logit: less says little


@dataclass(frozen=True, slots=True)
class CauseClassifier:
    """Multinomial logistic regression over evidence.

    Attributes:
        causes: (K,) names.
        evidence: (E,) names of the columns.
        weights: (K, E) logits for a unit of evidence.
        biases: (K,) logits without evidence.
        level: Smallest probability that is shown, 0 to 1. Higher shows fewer wrong causes, and more
            often "unknown".
    """

    causes: tuple[str, ...]
    evidence: tuple[str, ...]
    weights: Floats
    biases: Floats
    level: float

    def probabilities(self, evidence: Mapping[str, float]) -> dict[str, float]:
        """The probability of each cause; they add up to 1.

        Args:
            evidence: As `evidence_of` found it.
        """
        logits = self.biases + self.weights @ self._column(evidence)
        return dict(zip(self.causes, softmax(logits).tolist(), strict=True))

    def diagnose(self, evidence: Mapping[str, float]) -> list[Cause]:
        """The causes above the level, the likeliest first, or "unknown"; with what speaks for them.

        Args:
            evidence: As `evidence_of` found it.
        """
        every = self.probabilities(evidence)
        shown = sorted((n for n, p in every.items() if p >= self.level), key=lambda n: -every[n])
        return [Cause(name, every[name], self._speaks_for(name, evidence)) for name in shown or [OTHER]]

    def _speaks_for(self, cause: str, evidence: Mapping[str, float]) -> tuple[str, ...]:
        """Evidence that raises a cause's logit above the mean of all, the strongest first."""
        gains = (self.weights - self.weights.mean(axis=0)) * self._column(evidence)
        own = gains[self.causes.index(cause)]
        ranked = np.argsort(-own)[:_SHOWN_EVIDENCE]
        return tuple(self.evidence[k] for k in ranked if own[k] >= _MIN_CONTRIBUTION)

    def _column(self, evidence: Mapping[str, float]) -> Floats:
        return np.array([evidence[name] for name in self.evidence])


def read_classifier(plain: Mapping[str, Any]) -> CauseClassifier:
    """A classifier from the JSON that `benchmarks.drift_causes` writes.

    Args:
        plain: ``causes``, ``bias`` and ``weights``: by evidence a number for each cause; ``level``.
    """
    weights: dict[str, list[float]] = plain["weights"]
    return CauseClassifier(
        tuple(plain["causes"]),
        tuple(weights),
        np.array(list(weights.values()), np.float64).T,
        np.array(plain["bias"], np.float64),
        float(plain["level"]),
    )


@lru_cache(maxsize=1)
def shipped_classifier() -> CauseClassifier:
    """The classifier that is part of this package."""
    return read_classifier(json.loads(files("drift").joinpath("causes.json").read_text()))


def diagnose(changes: Changes) -> list[Cause]:
    """The likely causes of a drift, the likeliest first; at least one.

    Args:
        changes: All that was measured of it.
    """
    return shipped_classifier().diagnose(evidence_of(changes))
