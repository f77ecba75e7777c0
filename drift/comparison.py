"""Compares two stretches of values, each feature alone and all of them together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from drift.statistics import KolmogorovSmirnov, Wasserstein
from drift.statistics.block_bootstrap import block_for, block_length, null_of
from drift.statistics.distance import Floats, median_and_spread
from drift.statistics.false_discovery import adjusted
from drift.statistics.pareto_tail import rare_distance
from drift.statistics.small_sample import AUTOCORRELATION_FACTOR, MIN_DEPENDENCE, small_sample_factor
from streetloop.json_values import finite_or_none

_MIN_REFERENCE = 12
MIN_WINDOW = 5
"""Values that a window must have."""


@dataclass(frozen=True, slots=True)
class DetectionPolicy:
    """When a difference is drift.

    Attributes:
        false_discoveries: Share of alarms, over features, that may be false (the q of Benjamini and
            Hochberg).
        rarity: Probability that a window in which nothing changed is called drift, over all
            features of a camera together. Lower raises the thresholds.
        least_effect: Smallest Wasserstein distance that counts, in spreads of the reference.
        least_statistic: Smallest Kolmogorov-Smirnov statistic that counts, 0 to 1. Higher ignores
            what few values show, such as a bus that passes.
    """

    false_discoveries: float = 0.05
    rarity: float = 0.01
    least_effect: float = 1.0
    least_statistic: float = 0.4


@dataclass(frozen=True, slots=True)
class FeatureResult:
    """The comparison of one feature.

    Attributes:
        statistic: Kolmogorov-Smirnov, 0 to 1; this and all below is NaN where values are missing.
        p_value: Under the block bootstrap, adjusted for the number of features.
        effect_size: Wasserstein distance in spreads of the reference.
        change: Median of the window less that of the reference, in the feature's unit.
        threshold: The effect size from which on it would be an alarm.
        alarm: True if the difference is significant, large and rare.
        missing: How many values the window or the reference lacks for a comparison.
        usual: Median of the reference, in the feature's unit; NaN if unknown.
    """

    statistic: float
    p_value: float
    effect_size: float
    change: float
    threshold: float
    alarm: bool
    missing: int = 0
    usual: float = math.nan

    @property
    def enough(self) -> bool:
        """True if there were enough values to judge."""
        return self.missing == 0

    def as_json(self) -> dict[str, float | bool | None]:
        """Plain values; null where there were too few."""
        numbers = ("statistic", "p_value", "effect_size", "change", "threshold")
        plain = {name: finite_or_none(getattr(self, name), 9) for name in numbers}
        return {**plain, "alarm": self.alarm}


def too_few(missing: int) -> FeatureResult:
    """The result of a feature that lacks values.

    Args:
        missing: Values that are missing, at least 1.
    """
    nan = float("nan")
    return FeatureResult(nan, nan, nan, nan, nan, False, missing)


@dataclass(frozen=True, slots=True)
class _Raw:
    statistic: float
    p_value: float
    effect: float
    change: float
    rare: float
    usual: float


def compare(
    reference: Mapping[str, Floats],
    window: Mapping[str, Floats],
    min_spread: Mapping[str, float],
    policy: DetectionPolicy = DetectionPolicy(),
    seed: int = 0,
) -> dict[str, FeatureResult]:
    """Compare every feature that both sides have.

    Args:
        reference: (N,) values by feature, in the order of time; NaN where there was none.
        window: (W,) values by feature, in the order of time.
        min_spread: Smallest spread by feature, in its unit; keeps a feature that hardly varies from
            raising an alarm at every small step.
        policy: When a difference is drift.
        seed: Of the bootstrap; the same seed gives the same results.

    Returns:
        A result for each feature of both; where there are too few values, one that says how many
        are missing and raises no alarm.
    """
    names = [name for name in reference if name in window]
    raw: dict[str, _Raw] = {}
    results: dict[str, FeatureResult] = {}
    for name in names:
        before, since = (side[np.isfinite(side)] for side in (reference[name], window[name]))
        missing = _missing(before, since)
        if missing:
            results[name] = too_few(missing)
        else:
            raw[name] = _one(before, since, min_spread.get(name, 0.0), policy, len(names), seed)
    p_values = adjusted(np.array([r.p_value for r in raw.values()])).tolist()
    factor = _short_reference_factor([reference[name] for name in raw], policy.rarity / max(len(names), 1))
    for (name, r), p_value in zip(raw.items(), p_values, strict=True):
        threshold = max(policy.least_effect, r.rare) * factor
        common = r.statistic >= policy.least_statistic
        alarm = common and p_value <= policy.false_discoveries and r.effect >= threshold
        results[name] = FeatureResult(
            r.statistic, p_value, r.effect, r.change, threshold, alarm, usual=r.usual
        )
    return {name: results[name] for name in names}


def _short_reference_factor(columns: Sequence[Floats], rarity: float) -> float:
    """How much larger an effect must be because the reference is short.

    A few seconds of a street hold few independent moments, however many images they have. The
    feature that changes most slowly tells how few: all of them show the same traffic.
    """
    known = [column[np.isfinite(column)] for column in columns]
    independent = [len(k) / max(AUTOCORRELATION_FACTOR * block_length(k), MIN_DEPENDENCE) for k in known]
    return small_sample_factor(min(independent), rarity) if independent else 1.0


def _missing(before: Floats, since: Floats) -> int:
    """How many values are missing: a window must hold one block of the reference."""
    if len(before) < _MIN_REFERENCE:
        return _MIN_REFERENCE - len(before)
    return max(0, MIN_WINDOW - len(since))


def _one(
    before: Floats, since: Floats, min_spread: float, policy: DetectionPolicy, features: int, seed: int
) -> _Raw:
    rng = np.random.default_rng(seed)
    # A few large vehicles make long tails, which quartiles alone do not show.
    scale = max(median_and_spread(before)[1], float(before.std()), min_spread)
    block = block_for(before, len(since))
    ordered = np.sort(before)
    ks, wasserstein = KolmogorovSmirnov(), Wasserstein()
    statistic = float(ks.between(ordered, since[None])[0])
    effect = float(wasserstein.between(ordered, since[None])[0]) / scale
    nulls = [null_of(d, before, len(since), block, rng) for d in (ks, wasserstein)]
    rare = rare_distance(nulls[1].distances / scale, policy.rarity / max(features, 1))
    # The statistic that says more: far apart samples all have the same Kolmogorov-Smirnov.
    p_value = min(nulls[0].p_value(statistic), nulls[1].p_value(effect * scale)) * 2
    usual = float(np.median(before))
    return _Raw(statistic, min(p_value, 1.0), effect, float(np.median(since)) - usual, rare, usual)
