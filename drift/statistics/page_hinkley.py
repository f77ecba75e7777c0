"""The Page-Hinkley test: dates the beginning of a change that lasts.

The Wasserstein distance and its bootstrap null (`drift.reference`) decide whether there is a
change; this cumulative sum tells only since when, for which it needs no threshold.

References:
    Page, "Continuous inspection schemes", Biometrika, 1954.
    Hinkley, "Inference about the change-point from cumulative sum tests", Biometrika, 1971.
"""

import numpy as np

from drift.statistics.distance import Floats, median_and_spread


def change_start(reference: Floats, values: Floats, min_spread: float = 0.0, delta: float = 0.5) -> int:
    """Position of the first value of a change that lasts to the end of ``values``.

    Page's cumulative sum m_t = max(0, m_(t-1) + x_t - delta) of the standardised values, upwards
    and downwards; the change starts after the last zero of the larger sum.

    >>> rng = np.random.default_rng(42)
    >>> before = np.sort(rng.normal(0.0, 1.0, 500))
    >>> values = np.concatenate([rng.normal(0.0, 1.0, 20), rng.normal(3.0, 1.0, 10)])
    >>> change_start(before, values), change_start(before, values, delta=1.5)
    (18, 19)

    Args:
        reference: (N,) values in rising order before any change.
        values: (W,) values in the order of time, W >= 1.
        min_spread: Smallest spread to divide by, in the unit of the values; higher ignores the
            small steps of a reference that hardly varies.
        delta: Page's allowed magnitude of change in spreads; higher dates a slow change later,
            and lets random variation move the date less.

    Returns:
        0 to W - 1; W - 1 if no change lasts to the end.
    """
    middle, spread = median_and_spread(reference)
    scaled = (values - middle) / max(spread, min_spread)
    sums = max((_cumulative(side, delta) for side in (scaled, -scaled)), key=lambda s: s[-1])
    zeros = np.flatnonzero(sums <= 0)
    return min(int(zeros[-1]) + 1 if len(zeros) else 0, len(values) - 1)


def _cumulative(scaled: Floats, delta: float) -> Floats:
    """(W,) Page's sums m_t."""
    sums = np.cumsum(scaled - delta)
    grown: Floats = sums - np.minimum.accumulate(np.minimum(sums, 0.0))
    return grown
