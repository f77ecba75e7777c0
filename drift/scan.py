"""One scan of a camera: its last periods compared with its reference, all features at once."""

from dataclasses import dataclass

import numpy as np

from drift.comparison import MIN_WINDOW
from drift.history import Past
from drift.measurement.features import NAMES
from drift.reference import Reference
from drift.statistics.chi_square import changed_share, compare_mixes
from drift.statistics.distance import Floats
from drift.statistics.wasserstein import quantiles_of

MIX_EFFECT = 0.12
"""Smallest share of tracks of another class that counts as a change of the mix."""

_MIN_TRACKS = 25  # that a window must have for its mix to be compared


@dataclass(frozen=True, slots=True)
class Scan:
    """What one scan found.

    Attributes:
        effects: (features,) Wasserstein distances in spreads, NaN where there are too few values.
        p_values: (features + 1,) of the features and of the mix; 1 for small effects.
        mix_effect: Share of the tracks that changed class, 0 to 1.
    """

    effects: Floats
    p_values: Floats
    mix_effect: float


def scan(window: Past, reference: Reference) -> Scan:
    """Compare a window of at most `drift.reference.WINDOW` periods with a reference."""
    values = window.values.T.astype(np.float64)
    if not len(window):
        values = np.full((len(NAMES), 1), np.nan)
    known = np.isfinite(values).sum(axis=1)
    effects = np.abs(quantiles_of(values) - reference.quantiles).mean(axis=1) / reference.spreads
    effects[known < MIN_WINDOW] = np.nan
    p_values = np.ones(len(NAMES) + 1)
    for k, name in enumerate(NAMES):
        column = reference.columns[name]
        # Small effects keep 1: their p-values would not change which are significant.
        if column is not None and effects[k] >= column.tail.start * column.small_sample_factor:
            p_values[k] = column.p_value(float(effects[k]))
    effect, p_values[-1] = _mix(window, reference)
    return Scan(effects, p_values, effect)


def _mix(window: Past, reference: Reference) -> tuple[float, float]:
    counts = window.mix.sum(axis=0, dtype=np.int64)
    before = np.pad(reference.mix, (0, len(counts) - len(reference.mix)))
    if counts.sum() < _MIN_TRACKS or before.sum() < 4 * _MIN_TRACKS:
        return 0.0, 1.0
    effect = changed_share(before, counts)
    if effect < MIX_EFFECT or not np.isfinite(reference.overdispersion):
        return effect, 1.0
    return effect, compare_mixes(before, counts, reference.overdispersion).p_value
