"""One look at a camera: its last minutes beside its reference, every feature at once."""

from dataclasses import dataclass

import numpy as np

from drift.comparison import LEAST_WINDOW
from drift.features import NAMES
from drift.history import Past
from drift.reference import Reference
from drift.statistics.chi_square import changed_share, compare_mixes
from drift.statistics.distance import Floats
from drift.statistics.wasserstein import quantiles_of

MIX_EFFECT = 0.12
"""Share of the tracks that must have changed class before anybody cares."""

_LEAST_TRACKS = 25  # of the window, before its mix says anything


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look found.

    Attributes:
        effects: (features,) Wasserstein distances in spreads, NaN where it cannot be told.
        p_values: (features + 1,) of the features and of the mix; 1 where nothing stands out.
        mix_effect: Share of the tracks that changed class.
    """

    effects: Floats
    p_values: Floats
    mix_effect: float


def scan(window: Past, reference: Reference) -> Scan:
    """Hold a window against a reference."""
    values = window.values.T.astype(np.float64)
    if not len(window):
        values = np.full((len(NAMES), 1), np.nan)
    known = np.isfinite(values).sum(axis=1)
    effects = np.abs(quantiles_of(values) - reference.quantiles).mean(axis=1) / reference.spreads
    effects[known < LEAST_WINDOW] = np.nan
    p_values = np.ones(len(NAMES) + 1)
    for k, name in enumerate(NAMES):
        column = reference.columns[name]
        # Small effects are not looked up: their p-values do not change which are small.
        if column is not None and effects[k] >= column.tail.start * column.small_sample_factor:
            p_values[k] = column.p_value(float(effects[k]))
    effect, p_values[-1] = _mix(window, reference)
    return Scan(effects, p_values, effect)


def _mix(window: Past, reference: Reference) -> tuple[float, float]:
    counts = window.mix.sum(axis=0, dtype=np.int64)
    before = np.pad(reference.mix, (0, len(counts) - len(reference.mix)))
    if counts.sum() < _LEAST_TRACKS or before.sum() < 4 * _LEAST_TRACKS:
        return 0.0, 1.0
    effect = changed_share(before, counts)
    if effect < MIX_EFFECT or not np.isfinite(reference.overdispersion):
        return effect, 1.0
    return effect, compare_mixes(before, counts, reference.overdispersion).p_value
