"""How much further than it looks a short reference may be from the truth."""

import numpy as np

AUTOCORRELATION_FACTOR = 3.0
"""A short series shows less of its autocorrelation than it has, by this factor."""

MIN_DEPENDENCE = 4.0
"""Values over which values always count as dependent."""

_MIN_FREEDOM = 4.0


def small_sample_factor(independent: float, rarity: float) -> float:
    """How many times wider than it looks the null of a short reference is.

    Few independent values estimate median and spread badly, and rare distances worst. The factor is
    the ratio of Student's to the normal quantile, times sqrt(1 + 1 / n) for the median.

    >>> round(small_sample_factor(1000, 1e-5), 2), round(small_sample_factor(20, 1e-5), 2)
    (1.01, 1.35)

    Args:
        independent: n, the number of independent values; below 5 counts as 5, or a young camera
            could not be watched at all.
        rarity: Probability of a false alarm in one test, in (0, 0.5); lower gives a larger factor.

    Reference: Student, "The probable error of a mean", 1908.
    """
    from scipy.stats import norm, t  # takes a second: where it is needed

    freedom = max(independent - 1, _MIN_FREEDOM)
    wider = float(t.isf(rarity, freedom) / norm.isf(rarity))
    return wider * float(np.sqrt(1 + 1 / max(independent, 1.0)))
