"""Series whose dependence is known."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter


def autoregressive(
    count: int, rho: float, chance: np.random.Generator, mean: float = 0.0
) -> NDArray[np.float64]:
    """AR(1) of variance 1, started from its own distribution."""
    noise = chance.standard_normal(count) * np.sqrt(1 - rho * rho)
    noise[0] = chance.standard_normal()
    series: NDArray[np.float64] = lfilter([1.0], [1.0, -rho], noise) + mean
    return series
