"""What a distance would be if nothing had changed: the block bootstrap.

Minutes of a camera depend on their neighbours, so a window of fifteen says less than fifteen
independent values, and textbook p-values are far too small. Windows are therefore drawn from the
reference in runs of neighbouring values, which keep that dependence.

References:
    Kuensch, "The jackknife and the bootstrap for general stationary observations", 1989.
    Politis and Romano, "A circular block-resampling procedure for stationary data", 1992.
"""

import math
from dataclasses import dataclass

import numpy as np

from drift.statistics.distance import Distance, Floats

_DRAWS = 999
_TOGETHER = 20  # windows that are held against one redrawn reference
_LONG = 20  # a reference of so many windows counts as known exactly


@dataclass(frozen=True, slots=True)
class Null:
    """Distances of windows in which nothing has changed.

    Attributes:
        distances: In rising order.
        block: Length of the runs that they were drawn in.
    """

    distances: Floats
    block: int

    def p_value(self, distance: float) -> float:
        """Share of distances at least as large; never 0, for it is an estimate."""
        above = len(self.distances) - int(np.searchsorted(self.distances, distance, side="left"))
        return (1 + above) / (1 + len(self.distances))


def block_length(values: Floats) -> int:
    """Over how many neighbours values depend on each other: 1 for independent ones.

    Twice the integrated autocorrelation time, summed until the correlation has died away.

    >>> block_length(np.tile([0.0, 1.0], 50))
    1

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
    """The runs in which windows of ``length`` values are drawn.

    Where the values hold many windows each is drawn in one run, with all the dependence that there
    is: seams between shorter runs would hide some of it.
    """
    if len(values) >= _LONG * length:
        return length
    return min(block_length(values), length)


def draw_blocks(values: Floats, rows: int, length: int, block: int, rng: np.random.Generator) -> Floats:
    """(rows, length) samples out of runs of ``block`` neighbours; after the end comes the start."""
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

    Args:
        distance: Which distance.
        reference: (N,) values in the order of time.
        length: Values of a window.
        block: As `block_length`, or longer.
        rng: Where randomness comes from.
        draws: How many windows to draw.
    """
    block = min(block, len(reference))
    windows = draw_blocks(reference, draws, length, block, rng)
    if len(reference) >= _LONG * length:
        found = distance.between(np.sort(reference), windows)
    else:
        # A short reference is itself only one of many that could have been.
        groups = np.array_split(windows, -(-draws // _TOGETHER))
        others = draw_blocks(reference, len(groups), len(reference), block, rng)
        others.sort(axis=1)
        found = np.concatenate(
            [distance.between(other, group) for other, group in zip(others, groups, strict=True)]
        )
    return Null(np.sort(found), block)
