"""The chi-square test of homogeneity, for counts such as the mix of classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2_contingency


@dataclass(frozen=True, slots=True)
class MixChange:
    """How much a mix of kinds changed.

    Attributes:
        statistic: Chi-square, corrected for dependence.
        p_value: Of the statistic.
        effect_size: Cramer's V, 0 (the same mix) to 1.
    """

    statistic: float
    p_value: float
    effect_size: float


def changed_share(reference: NDArray[np.int64], window: NDArray[np.int64]) -> float:
    """Share of the things that would have to change their kind to turn one mix into the other.

    Half the total variation of the two mixes; both must hold something.

    >>> changed_share(np.array([90, 10]), np.array([5, 5]))
    0.4
    """
    return float(np.abs(window / window.sum() - reference / reference.sum()).sum()) / 2


def compare_mixes(
    reference: NDArray[np.int64], window: NDArray[np.int64], design_effect: float = 1.0
) -> MixChange:
    """Compare counts by kind.

    Args:
        reference: (kinds,) counts before.
        window: (kinds,) counts since.
        design_effect: How many counts say as much as one independent count would; a car that is
            seen for three minutes is counted three times. The statistic is divided by it.

    Raises:
        ValueError: The two have different numbers of kinds.

    References:
        Rao and Scott, "The analysis of categorical data from complex sample surveys", 1981.
        Cramer, "Mathematical methods of statistics", 1946.
    """
    if reference.shape != window.shape:
        raise ValueError(f"{len(reference)} kinds in the reference, {len(window)} in the window")
    table = np.stack([reference, window]).astype(np.float64)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return MixChange(0.0, 1.0, 0.0)
    result = chi2_contingency(table / max(design_effect, 1.0), correction=False)
    size = float(np.sqrt(result.statistic / (table.sum() / max(design_effect, 1.0))))
    return MixChange(float(result.statistic), float(result.pvalue), size)
