"""The Wasserstein distance."""

import numpy as np

from drift.statistics.distance import Floats

_QUANTILES = 64


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
        share = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
        ordered = np.sort(windows, axis=1)
        at = np.minimum((share * len(reference)).astype(int), len(reference) - 1)
        there = np.minimum((share * ordered.shape[1]).astype(int), ordered.shape[1] - 1)
        carried: Floats = np.abs(ordered[:, there] - reference[at]).mean(axis=1)
        return carried
