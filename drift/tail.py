"""How large a distance has to be to be rare: once in so many tests, beyond what was ever seen.

A month of minutes asks for probabilities far below what a thousand draws can show, so the tail of
the null is extended by the distribution that all tails tend to.

References:
    Pickands, "Statistical inference using extreme order statistics", 1975.
    Hosking and Wallis, "Parameter and quantile estimation for the generalized Pareto
    distribution", 1987 (probability-weighted moments).
    Siffer et al., "Anomaly detection in streams with extreme value theory", 2017.
"""

from dataclasses import dataclass

import numpy as np

from drift.statistics.distance import Floats

PEAKS = 0.1
"""Share of the null that counts as its tail."""
_SHAPES = (0.0, 0.3)  # no lighter than an exponential: an end that was not seen is not trusted


@dataclass(frozen=True, slots=True)
class Tail:
    """The tail of a null: a generalized Pareto distribution above ``start``.

    Attributes:
        start: Where the tail begins; exceeded with probability `PEAKS`.
        shape: Of the distribution; 0 is exponential.
        scale: Of the distribution; 0 if the null has no spread there.
    """

    start: float
    shape: float
    scale: float

    def distance(self, probability: float) -> float:
        """The distance that is exceeded with a probability of at most `PEAKS`."""
        ratio = min(probability / PEAKS, 1.0)
        if self.shape < 1e-6:
            return self.start - self.scale * float(np.log(ratio))
        return self.start + self.scale / self.shape * (float(ratio**-self.shape) - 1)

    def probability(self, distance: float) -> float:
        """How often a distance is exceeded; `PEAKS` or 1 for one that is not in the tail."""
        over = distance - self.start
        if over <= 0:
            return 1.0 if over < 0 else PEAKS
        if self.scale <= 0:
            return 0.0
        if self.shape < 1e-6:
            return PEAKS * float(np.exp(-over / self.scale))
        return PEAKS * float((1 + self.shape * over / self.scale) ** (-1 / self.shape))


def tail_of(null: Floats) -> Tail:
    """Fit the tail of a null.

    Args:
        null: Distances of windows in which nothing changed, in rising order, at least 50.

    Raises:
        ValueError: The null is too small to have a tail.
    """
    if len(null) < 50:
        raise ValueError(f"{len(null)} distances are too few to tell what is rare; 50 are needed")
    start = float(np.quantile(null, 1 - PEAKS))
    excess = np.sort(null[null > start]) - start
    if len(excess) < 5 or excess[-1] <= 0:
        return Tail(float(null[-1]), 0.0, 0.0)
    return Tail(start, *_pareto(excess))


def rare_distance(null: Floats, probability: float) -> float:
    """The distance that is exceeded with a probability in a window in which nothing changed.

    Args:
        null: Distances of such windows, in rising order, at least 50 of them.
        probability: In (0, 1).

    Raises:
        ValueError: The null is too small to have a tail.
    """
    tail = tail_of(null)
    if probability >= PEAKS:
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
