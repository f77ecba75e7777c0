"""The contract of every distance between a sample and its reference."""

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


class Distance(Protocol):
    """How different a sample is from a reference: 0 for no difference, larger for more.

    Attributes:
        name: Names it in reports.
    """

    name: str

    def between(self, reference: Floats, windows: Floats) -> Floats:
        """The distance of each window from the reference.

        Args:
            reference: (N,) values in rising order, N >= 1, all finite.
            windows: (K, W) values, each row a sample, W >= 1, all finite.

        Returns:
            (K,) distances, finite and not negative.
        """


def median_and_spread(reference: Floats) -> tuple[float, float]:
    """Median and robust standard deviation (the interquartile range / 1.349) of a sample.

    >>> median_and_spread(np.array([1.0, 2, 3, 4, 100]))
    (3.0, 1.4825796886582654)

    Args:
        reference: (N,) values in any order, N >= 1, all finite.

    Returns:
        Both in the unit of the values; the spread is above 0 for a constant sample, too.
    """
    low, middle, high = np.quantile(reference, [0.25, 0.5, 0.75])
    size = float(np.abs(reference).max())
    return float(middle), max(float(high - low) / 1.349, 1e-9 * max(size, 1.0))
