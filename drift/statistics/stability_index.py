"""The population stability index."""

import numpy as np
from numpy.typing import NDArray

from drift.statistics.distance import Floats

_BINS = 10


class StabilityIndex:
    """The symmetric divergence of two histograms over the reference's deciles; 0.25 counts as much.

    What lies beyond anything in the reference has a bin of its own at either end. A bin that is
    empty on one side is given half a value, so that nothing is divided by zero.

    Reference: Yurdakul, "Statistical properties of population stability index", 2018.
    """

    name = "psi"

    def between(self, reference: Floats, windows: Floats) -> Floats:
        """See `Distance.between`.

        >>> bool(StabilityIndex().between(np.arange(100.0), np.arange(100.0)[None])[0] < 0.01)
        True
        """
        deciles = np.quantile(reference, np.linspace(0, 1, _BINS + 1)[1:-1])
        ends = (reference[0], np.nextafter(reference[-1], np.inf))
        cuts = np.unique(np.concatenate([deciles, ends]))
        bins = len(cuts) + 1
        before = _counts(np.searchsorted(cuts, reference, side="right")[None], bins)
        since = _counts(np.searchsorted(cuts, windows, side="right"), bins)
        expected = np.maximum(before, 0.5) / len(reference)
        found = np.maximum(since, 0.5) / windows.shape[1]
        terms = np.where((before > 0) | (since > 0), (found - expected) * np.log(found / expected), 0)
        index: Floats = terms.sum(axis=1)
        return index


def _counts(bin_of: NDArray[np.intp], bins: int) -> Floats:
    """(K, bins) how many of each row's values are in each bin."""
    rows = len(bin_of)
    flat = (np.arange(rows)[:, None] * bins + bin_of).ravel()
    counts = np.bincount(flat, minlength=rows * bins)
    return counts.reshape(rows, bins).astype(np.float64)
