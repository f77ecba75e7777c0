"""Compares two recordings of one camera: images, or periods of the log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drift.causes import CauseEvidence, likely_causes
from drift.comparison import DetectionPolicy, FeatureResult, compare
from drift.measurement.features import MIN_SPREADS, NAMES
from drift.measurement.image_features import IMAGE_FEATURES, Edges, edges_of, measure_image, shift_between
from drift.measurement.period import DriftPeriod
from drift.scan import MIX_EFFECT
from drift.statistics.chi_square import changed_share, compare_mixes
from drift.statistics.distance import Floats
from streetloop.types import Image

_DESIGN_EFFECT = 3.0  # of tracks: cars come in platoons of one class


@dataclass(frozen=True, slots=True)
class Series:
    """A stretch of one camera in the order of time: of images, or of periods.

    Attributes:
        values: (N,) by feature.
        edges: (90, 160) mean of the images' `edges_of`; None if none was kept.
        mix: Tracks that appeared, by class.
    """

    values: dict[str, Floats]
    edges: Edges | None = None
    mix: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))


def gather(pictures: Iterable[Image]) -> Series:
    """Measure images (height, width, 3), blue first, one by one; none of them is kept."""
    rows: dict[str, list[float]] = {feature.name: [] for feature in IMAGE_FEATURES}
    edges = np.zeros((90, 160), np.float32)
    count = 0
    for picture in pictures:
        for name, value in measure_image(picture).items():
            rows[name].append(value)
        edges += edges_of(picture)
        count += 1
    values = {name: np.array(row, np.float64) for name, row in rows.items()}
    return Series(values, np.asarray(edges / max(count, 1), np.float32))


def gather_periods(periods: Iterable[DriftPeriod]) -> Series:
    """Put periods of a camera's log together."""
    periods = list(periods)
    values = {name: np.array([m.values[name] for m in periods], np.float64) for name in NAMES}
    kept = [period.edges for period in periods if period.edges is not None]
    edges = np.asarray(np.mean(kept, axis=0), np.float32) if kept else None
    mix: dict[str, int] = {}
    for period in periods:
        for name, count in period.mix.items():
            mix[name] = mix.get(name, 0) + count
    return Series(values, edges, mix)


@dataclass(frozen=True, slots=True)
class SeriesVerdict:
    """Whether a window is drift, and why.

    Attributes:
        results: By feature.
        causes: Likeliest first; empty without drift.
        shift: How far the view moved, as a fraction of the image's width.
    """

    results: dict[str, FeatureResult]
    causes: list[str]
    shift: float

    @property
    def enough(self) -> bool:
        """True if both sides have enough values to compare every feature of images."""
        images = [self.results[f.name] for f in IMAGE_FEATURES if f.name in self.results]
        return bool(images) and all(result.enough for result in images)

    @property
    def missing(self) -> int:
        """How many values are missing for a comparison; 0 if there are enough."""
        if self.enough:
            return 0
        return max((result.missing for result in self.results.values()), default=0)

    def as_json(self) -> dict[str, Any]:
        """Plain values; null where there were too few."""
        return {
            "drift": bool(self.causes),
            "causes": self.causes,
            "features": {name: result.as_json() for name, result in self.results.items()},
            "enough": self.enough,
            "missing": self.missing,
        }


def compare_series(reference: Series, window: Series, policy: DetectionPolicy) -> SeriesVerdict:
    """Compare two stretches of one camera; name the likely causes of a difference.

    Args:
        reference: What counts as normal.
        window: What is compared with it.
        policy: When a difference is drift.

    Returns:
        Without causes if there are too few values, or no drift.
    """
    results = compare(reference.values, window.values, MIN_SPREADS, policy)
    verdict = SeriesVerdict(results, [], 0.0)
    if not verdict.enough:
        return verdict
    shift = likeness = 0.0
    if reference.edges is not None and window.edges is not None:
        shift, likeness = shift_between(reference.edges, window.edges)
    mix = _mix_changed(reference.mix, window.mix, policy)
    return SeriesVerdict(results, likely_causes(CauseEvidence(results, shift, likeness, mix)), shift)


def _mix_changed(reference: Mapping[str, int], window: Mapping[str, int], policy: DetectionPolicy) -> bool:
    names = sorted({*reference, *window})
    before = np.array([reference.get(name, 0) for name in names], np.int64)
    since = np.array([window.get(name, 0) for name in names], np.int64)
    if not (before.sum() and since.sum()):
        return False
    effect = changed_share(before, since)
    found = compare_mixes(before, since, _DESIGN_EFFECT)
    return effect >= MIX_EFFECT and found.p_value <= policy.rarity
