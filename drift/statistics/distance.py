"""What every statistic promises."""

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


class Distance(Protocol):
    """How different samples are from a reference; larger is more different, 0 is no difference.

    Attributes:
        name: Names it in reports.
    """

    name: str

    def between(self, reference: Floats, windows: Floats) -> Floats:
        """The distance of each window from the reference.

        Args:
            reference: (N,) values in rising order, N >= 1, all finite.
            windows: (K, W) values, each row a sample in the order of time, W >= 1, all finite.
                Only sequential statistics look at the order.

        Returns:
            (K,) distances, finite and not negative.
        """
