"""The chi-square test of homogeneity, for counts such as the mix of classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MixChange:
    """How much a mix of classes changed.

    Attributes:
        statistic: Chi-square, corrected for dependence.
        p_value: Of the statistic.
        effect_size: Cramer's V, 0 (the same mix) to 1.
    """

    statistic: float
    p_value: float
    effect_size: float


def changed_share(reference: NDArray[np.int64], window: NDArray[np.int64]) -> float:
    """Total variation distance of two mixes: the share of objects that would have to change class.

    >>> changed_share(np.array([90, 10]), np.array([5, 5]))
    0.4

    Args:
        reference: (classes,) counts before, not all 0.
        window: (classes,) counts since, not all 0.

    Returns:
        0 (the same mix) to 1 (no class in common).
    """
    return float(np.abs(window / window.sum() - reference / reference.sum()).sum()) / 2


def compare_mixes(
    reference: NDArray[np.int64], window: NDArray[np.int64], design_effect: float = 1.0
) -> MixChange:
    """Compare counts by class.

    >>> rng = np.random.default_rng(42)
    >>> before, since = rng.multinomial(400, [0.7, 0.3]), rng.multinomial(60, [0.4, 0.6])
    >>> found = compare_mixes(before, since, design_effect=3.0)
    >>> round(found.statistic, 3), round(found.p_value, 4), round(found.effect_size, 3)
    (3.87, 0.0491, 0.159)

    Args:
        reference: (classes,) counts before.
        window: (classes,) counts since.
        design_effect: Rao and Scott's delta, the variance of the counts relative to independent
            ones; the statistic is divided by it. Higher is more conservative: a car that is
            counted in three frames asks for 3.

    Returns:
        The test; a p-value of 1 where one side is empty or there is one class only.

    Raises:
        ValueError: The two have different numbers of classes.

    References:
        Rao and Scott, "The analysis of categorical data from complex sample surveys", 1981.
        Cramer, "Mathematical methods of statistics", 1946.
    """
    if reference.shape != window.shape:
        raise ValueError(f"{len(reference)} classes in the reference, {len(window)} in the window")
    table = np.stack([reference, window]).astype(np.float64)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return MixChange(0.0, 1.0, 0.0)
    table /= max(design_effect, 1.0)
    from scipy.stats import chi2_contingency  # takes a second: where it is needed

    result = chi2_contingency(table, correction=False)
    size = float(np.sqrt(result.statistic / table.sum()))
    return MixChange(float(result.statistic), float(result.pvalue), size)
