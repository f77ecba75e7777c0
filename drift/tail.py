"""How large a distance has to be to be rare: once in so many tests, beyond what was ever seen.

A month of minutes asks for probabilities far below what a thousand draws can show, so the tail of
the null is extended by the distribution that all tails tend to.

References:
    Pickands, "Statistical inference using extreme order statistics", 1975.
    Hosking and Wallis, "Parameter and quantile estimation for the generalized Pareto
    distribution", 1987 (probability-weighted moments).
    Siffer et al., "Anomaly detection in streams with extreme value theory", 2017.
"""

import numpy as np

from drift.statistics.distance import Floats

_PEAKS = 0.1  # share of the null that counts as its tail
_SHAPES = (0.0, 0.3)  # no lighter than an exponential: an end that was not seen is not trusted


def rare_distance(null: Floats, probability: float) -> float:
    """The distance that is exceeded with a probability in a window in which nothing changed.

    Args:
        null: Distances of such windows, in rising order, at least 50 of them.
        probability: In (0, 1).

    Raises:
        ValueError: The null is too small to have a tail.
    """
    if len(null) < 50:
        raise ValueError(f"{len(null)} distances are too few to tell what is rare; 50 are needed")
    if probability >= _PEAKS:
        return float(np.quantile(null, 1 - probability))
    start = float(np.quantile(null, 1 - _PEAKS))
    excess = np.sort(null[null > start]) - start
    if len(excess) < 5 or excess[-1] <= 0:
        return float(null[-1])
    shape, scale = _pareto(excess)
    ratio = probability / _PEAKS
    if abs(shape) < 1e-6:
        return start - scale * float(np.log(ratio))
    return start + scale / shape * (float(ratio**-shape) - 1)


def _pareto(excess: Floats) -> tuple[float, float]:
    """Shape and scale of a generalized Pareto distribution, from rising values above 0."""
    count = len(excess)
    mean = float(excess.mean())
    weights = 1 - (np.arange(1, count + 1) - 0.35) / count
    weighted = float((weights * excess).mean())
    shape = 2 - mean / max(mean - 2 * weighted, 1e-12)
    shape = float(np.clip(shape, *_SHAPES))
    return shape, mean * (1 - shape)
