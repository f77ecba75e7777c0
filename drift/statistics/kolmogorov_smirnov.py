"""The Kolmogorov-Smirnov statistic."""

import numpy as np
from numpy.typing import NDArray

from drift.statistics.distance import Floats


class KolmogorovSmirnov:
    """The largest difference of the two distribution functions, 0 to 1.

    The same statistic as `scipy.stats.ks_2samp`, for many windows at once. Its textbook p-value
    does not hold for video, whose frames depend on each other; `drift.bootstrap` gives one that
    does.

    Reference: Smirnov, "Table for estimating the goodness of fit of empirical distributions", 1948.
    """

    name = "ks"

    def between(self, reference: Floats, windows: Floats) -> Floats:
        """See `Distance.between`.

        >>> KolmogorovSmirnov().between(np.array([1.0, 2, 3, 4]), np.array([[3.0, 4], [1, 4]]))
        array([0.5 , 0.25])
        """
        ordered = np.sort(windows, axis=1)
        count = ordered.shape[1]
        below = np.searchsorted(reference, ordered, side="left") / len(reference)
        upto = np.searchsorted(reference, ordered, side="right") / len(reference)
        # Between two of its values the window's function stands still, so the difference is
        # largest at one of them or just before it; equal values are one step.
        first = _first_of_equals(ordered)
        last = count - 1 - _first_of_equals(-ordered[:, ::-1])[:, ::-1]
        worst: Floats = np.maximum(np.abs((last + 1) / count - upto), np.abs(below - first / count)).max(
            axis=1
        )
        return worst


def _first_of_equals(ordered: Floats) -> NDArray[np.intp]:
    """(K, W) for each value of ordered rows the position of the first that is equal."""
    fresh = np.ones(ordered.shape, bool)
    fresh[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    positions = np.where(fresh, np.arange(ordered.shape[1]), 0)
    return np.maximum.accumulate(positions, axis=1).astype(np.intp)
