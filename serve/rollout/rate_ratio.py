"""How many times as often something happens under one model as under the other."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from serve.rollout.confidence_sequences import UNKNOWN, Interval, reach

_CLUMPS = 2.0  # variance of a count over its mean: what breaks one track often breaks its neighbour
_LEAST_S = 1.0


@dataclass(frozen=True, slots=True)
class Stratum:
    """One camera under both models.

    Attributes:
        champion: How often it happened under the champion.
        champion_s: In how many seconds.
        challenger: How often under the challenger.
        challenger_s: In how many seconds.
    """

    champion: int
    champion_s: float
    challenger: int
    challenger_s: float


def rate_ratio(strata: Iterable[Stratum], alpha: float, least: int = 20) -> Interval:
    """The challenger's rate over the champion's, with a confidence sequence.

    Each camera is held against itself only: the ratio of Mantel and Haenszel with the variance of
    its logarithm by Greenland and Robins, "Estimation of a common effect parameter from sparse
    follow-up data", Biometrics, 1985. One happening is added, shared out as the time is, so that
    no ratio is infinite. The ends hold at all looks, as `confidence_sequences.mean_interval`.

    Args:
        strata: Cameras; one that only one model has served says nothing.
        alpha: Chance that an end is ever wrong.
        least: Fewer happenings in all say nothing.

    >>> found = rate_ratio([Stratum(20, 1000.0, 60, 1000.0)] * 4, 0.005)
    >>> round(found.mean, 2), found.low > 1.2
    (2.99, True)
    >>> rate_ratio([Stratum(0, 1000.0, 500, 0.0)], 0.005) == UNKNOWN
    True
    """
    observed = [s for s in strata if min(s.champion_s, s.challenger_s) >= _LEAST_S]
    count = sum(s.champion + s.challenger for s in observed)
    if count < least:
        return UNKNOWN
    ours = sum(s.champion_s for s in observed)
    theirs = sum(s.challenger_s for s in observed)
    extra = ours * theirs / (ours + theirs) ** 2
    above = below = spread = extra
    for s in observed:
        both = s.champion_s + s.challenger_s
        above += s.challenger * s.champion_s / both
        below += s.champion * s.challenger_s / both
        spread += (s.champion + s.challenger) * s.champion_s * s.challenger_s / both**2
    log, variance = math.log(above / below), _CLUMPS * spread / (above * below)
    half = math.sqrt(variance * count) * reach(count, alpha)
    return Interval(math.exp(log), math.exp(log - half), math.exp(min(log + half, 700.0)))
