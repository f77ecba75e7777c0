"""The two-sample Kolmogorov-Smirnov statistic."""

import numpy as np
from numpy.typing import NDArray

from drift.statistics.distance import Floats


class KolmogorovSmirnov:
    """D = sup |F_n(x) - G_m(x)|, the largest difference of two distribution functions, 0 to 1.

    The same statistic as `scipy.stats.ks_2samp`, for many windows at once. The textbook p-value
    assumes independent values, which frames of a video are not: take the p-value from
    `drift.statistics.block_bootstrap`.

    >>> rng = np.random.default_rng(42)
    >>> reference = np.sort(rng.normal(0.0, 1.0, 500))
    >>> same, moved = rng.normal(0.0, 1.0, 15), rng.normal(2.0, 1.0, 15)
    >>> KolmogorovSmirnov().between(reference, np.stack([same, moved])).round(3)
    array([0.144, 0.866])

    Reference: Smirnov, "Table for estimating the goodness of fit of empirical distributions",
    Annals of Mathematical Statistics, 1948.
    """

    name = "ks"

    def between(self, reference: Floats, windows: Floats) -> Floats:
        """See `Distance.between`."""
        ordered = np.sort(windows, axis=1)
        count = ordered.shape[1]
        below = np.searchsorted(reference, ordered, side="left") / len(reference)
        upto = np.searchsorted(reference, ordered, side="right") / len(reference)
        # Between two of its values the window's function stands still, so the difference is
        # largest at one of them or just before it; equal values are one step.
        first = _first_of_equals(ordered)
        last = count - 1 - _first_of_equals(-ordered[:, ::-1])[:, ::-1]
        steps = np.maximum(np.abs((last + 1) / count - upto), np.abs(below - first / count))
        worst: Floats = steps.max(axis=1)
        return worst


def _first_of_equals(ordered: Floats) -> NDArray[np.intp]:
    """(K, W) for each value of ordered rows the position of the first that is equal."""
    fresh = np.ones(ordered.shape, bool)
    fresh[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    positions = np.where(fresh, np.arange(ordered.shape[1]), 0)
    return np.maximum.accumulate(positions, axis=1).astype(np.intp)
