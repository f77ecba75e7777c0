"""The Page-Hinkley statistic: one that remembers the order of time."""

import numpy as np

from drift.statistics.distance import Floats

_ALLOWED = 0.5  # spreads of the reference that may come and go


class PageHinkley:
    """The largest sum of excesses over the reference's median, up or down, in its spreads.

    Unlike distances of distributions it looks at the order: a change that lasts adds up, one that
    comes and goes does not. river's version has thresholds for independent values, which streams
    of video are not (`benchmarks.drift`); this one is held against a block bootstrap like every
    other distance, and tells when a change began.

    References:
        Page, "Continuous inspection schemes", 1954.
        Hinkley, "Inference about the change-point from cumulative sum tests", 1971.
    """

    name = "page-hinkley"

    def between(self, reference: Floats, windows: Floats) -> Floats:
        """See `Distance.between`; here the order of a window's values matters.

        >>> PageHinkley().between(np.array([0.0, 1, 2, 3, 4]), np.array([[2.0, 2, 9, 9]]))
        array([8.443])
        """
        middle, spread = centre_of(reference)
        scaled = (windows - middle) / spread
        rise, fall = _sums(scaled), _sums(-scaled)
        worst: Floats = np.round(np.maximum(rise.max(axis=1), fall.max(axis=1)), 6)
        return worst


def began(reference: Floats, values: Floats, least: float = 0.0) -> int:
    """Position of the value with which a change began that lasts to the end of ``values``.

    Args:
        reference: (N,) values in rising order before any change.
        values: (W,) values in the order of time, W >= 1.
        least: Difference that is not worth mentioning.

    Returns:
        The start of the last run of excesses; the position of the last value if there is none.

    >>> began(np.array([0.0, 1, 2, 3, 4]), np.array([2.0, 2, 9, 9, 9]))
    2
    """
    middle, spread = centre_of(reference)
    scaled = (values - middle) / max(spread, least)
    sums = max((_sums(side[None])[0] for side in (scaled, -scaled)), key=lambda s: s[-1])
    quiet = np.flatnonzero(sums <= 0)
    return min(int(quiet[-1]) + 1 if len(quiet) else 0, len(values) - 1)


def centre_of(reference: Floats) -> tuple[float, float]:
    """Median and spread (by quartiles) of a reference, the spread never 0."""
    low, middle, high = np.quantile(reference, [0.25, 0.5, 0.75])
    size = float(np.abs(reference).max())
    return float(middle), max(float(high - low) / 1.349, 1e-9 * max(size, 1.0))


def _sums(scaled: Floats) -> Floats:
    """(K, W) sums of what exceeds the allowance, begun anew whenever nothing is left of them."""
    sums = np.cumsum(scaled - _ALLOWED, axis=1)
    floor = np.minimum.accumulate(np.minimum(sums, 0.0), axis=1)
    grown: Floats = sums - floor
    return grown
