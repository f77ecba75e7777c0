"""The Wasserstein distance."""

import numpy as np

from drift.statistics.distance import Floats

_SHARE = (np.arange(64) + 0.5) / 64


class Wasserstein:
    """How far values must be carried on average to turn one sample into the other, in their unit.

    The area between the two quantile functions, at 64 evenly spaced quantiles. Unlike
    Kolmogorov-Smirnov it goes on growing when the samples no longer overlap, so that it tells a
    large change from a huge one.

    Reference: Ramdas, Garcia Trillos and Cuturi, "On Wasserstein two-sample testing", 2017.
    """

    name = "wasserstein"

    def between(self, reference: Floats, windows: Floats) -> Floats:
        """See `Distance.between`.

        >>> Wasserstein().between(np.array([0.0, 1, 2]), np.array([[10.0, 11, 12]]))
        array([10.])
        """
        before, since = quantiles_of(reference[None]), quantiles_of(windows)
        carried: Floats = np.abs(since - before).mean(axis=1)
        return carried


def quantiles_of(samples: Floats) -> Floats:
    """(K, 64) quantiles of (K, W) samples, each in a row, in any order; NaN values do not count.

    A row of nothing but NaN has NaN quantiles.
    """
    ordered = np.sort(samples, axis=1)  # NaN comes last
    known = np.isfinite(ordered).sum(axis=1)
    at = np.minimum((_SHARE * known[:, None]).astype(int), np.maximum(known - 1, 0)[:, None])
    found: Floats = np.take_along_axis(ordered, at, axis=1)
    return found
