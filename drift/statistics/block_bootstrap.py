"""The null distribution of a distance, by the moving-block bootstrap.

Periods of a camera depend on their neighbours, so a window of fifteen says less than fifteen
independent values, and textbook p-values are far too small. The bootstrap therefore draws windows
from the reference in blocks of neighbouring values, which keep that dependence.

References:
    Kuensch, "The jackknife and the bootstrap for general stationary observations", 1989.
    Politis and Romano, "A circular block-resampling procedure for stationary data", 1992.
"""

import math
from dataclasses import dataclass

import numpy as np

from drift.statistics.distance import Distance, Floats

_DRAWS = 999
_WINDOWS_A_REFERENCE = 20  # windows that are compared with one redrawn reference
_LONG_REFERENCE = 20  # a reference of so many windows counts as known exactly


@dataclass(frozen=True, slots=True)
class Null:
    """Distances of windows in which nothing has changed.

    Attributes:
        distances: (draws,) in rising order.
        block: Length of the blocks that they were drawn in.
    """

    distances: Floats
    block: int

    def p_value(self, distance: float) -> float:
        """Share of distances at least as large; never 0, for it is an estimate.

        Args:
            distance: Of the window, in the unit of the statistic.
        """
        above = len(self.distances) - int(np.searchsorted(self.distances, distance, side="left"))
        return (1 + above) / (1 + len(self.distances))


def block_length(values: Floats) -> int:
    """Over how many neighbours values depend on each other: 1 for independent ones.

    Twice the integrated autocorrelation time, with Sokal's window: summed over lags until the
    correlation has died away, or to five times the sum.

    >>> rng = np.random.default_rng(42)
    >>> noise = rng.normal(size=5000)
    >>> smooth = np.convolve(noise, np.ones(10) / 10, mode="valid")
    >>> block_length(noise), block_length(smooth)
    (1, 12)

    Args:
        values: (N,) values in the order of time, all finite.

    Returns:
        1 to N / 2.

    Reference: Sokal, "Monte Carlo methods in statistical mechanics", 1997 (automatic windowing).
    """
    count = len(values)
    if count < 4:
        return 1
    centred = values - values.mean()
    power = float((centred * centred).sum())
    if power <= 1e-12 * max(1.0, float(np.abs(values).max()) ** 2) * count:
        return 1
    spectrum = np.fft.rfft(centred, 2 * count)
    correlation = np.fft.irfft(spectrum * np.conj(spectrum))[:count] / power
    time = 1.0
    for lag in range(1, count // 2):
        time += 2 * max(float(correlation[lag]), 0.0)
        if lag >= 5 * time or correlation[lag] <= 0.0:
            break
    return max(1, min(math.ceil(time), count // 2)) if time > 1.2 else 1


def block_for(values: Floats, length: int) -> int:
    """The block length with which to draw windows of ``length`` values.

    Where the values hold many windows, each window is one block, with all the dependence that
    there is: seams between shorter blocks would hide some of it.

    Args:
        values: (N,) the reference, in the order of time.
        length: Values of a window.

    Returns:
        1 to ``length``.
    """
    if len(values) >= _LONG_REFERENCE * length:
        return length
    return min(block_length(values), length)


def draw_blocks(values: Floats, rows: int, length: int, block: int, rng: np.random.Generator) -> Floats:
    """Draw samples in blocks of neighbours; after the end comes the start (circular).

    Args:
        values: (N,) values in the order of time.
        rows: How many samples.
        length: Values of a sample.
        block: Values of a block, at most N; longer keeps more of the dependence.
        rng: The source of randomness.

    Returns:
        (rows, length) samples.
    """
    runs = -(-length // block)
    starts = rng.integers(0, len(values), (rows, runs, 1))
    index = (starts + np.arange(block)) % len(values)
    drawn: Floats = values[index.reshape(rows, runs * block)[:, :length]]
    return drawn


def null_of(
    distance: Distance,
    reference: Floats,
    length: int,
    block: int,
    rng: np.random.Generator,
    draws: int = _DRAWS,
) -> Null:
    """The distances of windows of ``length`` values in which nothing has changed.

    >>> from drift.statistics.wasserstein import Wasserstein
    >>> rng = np.random.default_rng(42)
    >>> null = null_of(Wasserstein(), rng.normal(size=1000), 15, 15, rng)
    >>> round(float(np.median(null.distances)), 3), null.p_value(0.3), null.p_value(1.0)
    (0.297, 0.485, 0.001)

    Args:
        distance: Which distance.
        reference: (N,) values in the order of time, all finite.
        length: Values of a window.
        block: As `block_for` says; shorter than the dependence makes p-values too small.
        rng: The source of randomness; the same seed gives the same null.
        draws: How many windows to draw; the smallest p-value is 1 / (1 + draws).
    """
    block = min(block, len(reference))
    windows = draw_blocks(reference, draws, length, block, rng)
    if len(reference) >= _LONG_REFERENCE * length:
        found = distance.between(np.sort(reference), windows)
    else:
        # A short reference is itself only one of many that could have been.
        groups = np.array_split(windows, -(-draws // _WINDOWS_A_REFERENCE))
        others = draw_blocks(reference, len(groups), len(reference), block, rng)
        others.sort(axis=1)
        found = np.concatenate(
            [distance.between(other, group) for other, group in zip(others, groups, strict=True)]
        )
    return Null(np.sort(found), block)
