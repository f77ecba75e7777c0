"""The tail of a null distribution: how large a distance must be to be rare.

Two months between false alarms ask for probabilities far below what a thousand bootstrap draws
can show, so a generalized Pareto distribution extends the tail of the null (peaks over threshold).

References:
    Pickands, "Statistical inference using extreme order statistics", 1975.
    Hosking and Wallis, "Parameter and quantile estimation for the generalized Pareto
    distribution", 1987 (probability-weighted moments).
    Siffer et al., "Anomaly detection in streams with extreme value theory", 2017.
"""

from dataclasses import dataclass

import numpy as np

from drift.statistics.distance import Floats

TAIL_SHARE = 0.1
"""Share of the null that counts as its tail."""
_MIN_NULL, _MIN_PEAKS = 50, 5
_SHAPES = (0.0, 0.3)  # no lighter than an exponential: an end that was not seen is not trusted


@dataclass(frozen=True, slots=True)
class Tail:
    """The tail of a null: a generalized Pareto distribution above a threshold.

    Attributes:
        start: Pickands' threshold; exceeded with probability `TAIL_SHARE`.
        shape: xi of the distribution; 0 is exponential, higher has the heavier tail.
        scale: sigma of the distribution; 0 if the null has no spread there.
    """

    start: float
    shape: float
    scale: float

    def distance(self, probability: float) -> float:
        """The distance that is exceeded with a probability of at most `TAIL_SHARE`.

        Args:
            probability: Of a larger distance, up to `TAIL_SHARE`; lower gives a larger distance.
        """
        ratio = min(probability / TAIL_SHARE, 1.0)
        if self.shape < 1e-6:
            return self.start - self.scale * float(np.log(ratio))
        return self.start + self.scale / self.shape * (float(ratio**-self.shape) - 1)

    def probability(self, distance: float) -> float:
        """How often a distance is exceeded; `TAIL_SHARE` or 1 for one that is not in the tail.

        Args:
            distance: In the unit of the statistic.
        """
        over = distance - self.start
        if over <= 0:
            return 1.0 if over < 0 else TAIL_SHARE
        if self.scale <= 0:
            return 0.0
        if self.shape < 1e-6:
            return TAIL_SHARE * float(np.exp(-over / self.scale))
        return TAIL_SHARE * float((1 + self.shape * over / self.scale) ** (-1 / self.shape))


def tail_of(null: Floats) -> Tail:
    """Fit the tail of a null by probability-weighted moments.

    >>> null = np.sort(np.random.default_rng(42).exponential(size=999))
    >>> tail = tail_of(null)
    >>> round(tail.start, 3), round(tail.scale, 3), round(tail.distance(1e-5), 2)
    (2.387, 0.966, 12.39)

    Args:
        null: (N,) distances of windows in which nothing changed, in rising order, N >= 50.

    Raises:
        ValueError: The null is too small to have a tail.
    """
    if len(null) < _MIN_NULL:
        raise ValueError(f"{len(null)} distances are too few to tell what is rare; {_MIN_NULL} are needed")
    start = float(np.quantile(null, 1 - TAIL_SHARE))
    excess = np.sort(null[null > start]) - start
    if len(excess) < _MIN_PEAKS or excess[-1] <= 0:
        return Tail(float(null[-1]), 0.0, 0.0)
    return Tail(start, *_pareto(excess))


def rare_distance(null: Floats, probability: float) -> float:
    """The distance that a window in which nothing changed exceeds with a given probability.

    Args:
        null: (N,) distances of such windows, in rising order, N >= 50.
        probability: In (0, 1); smaller gives a larger distance.

    Raises:
        ValueError: The null is too small to have a tail.
    """
    tail = tail_of(null)
    if probability >= TAIL_SHARE:
        return float(np.quantile(null, 1 - probability))
    return tail.distance(probability)


def _pareto(excess: Floats) -> tuple[float, float]:
    """Shape and scale of a generalized Pareto distribution, from rising values above 0."""
    count = len(excess)
    mean = float(excess.mean())
    weights = 1 - (np.arange(1, count + 1) - 0.35) / count
    weighted = float((weights * excess).mean())
    shape = 2 - mean / max(mean - 2 * weighted, 1e-12)
    shape = float(np.clip(shape, *_SHAPES))
    return shape, mean * (1 - shape)
