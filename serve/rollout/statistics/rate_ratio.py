"""Ratio of the rates at which something happens under two models."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from serve.rollout.statistics.confidence_sequences import UNKNOWN, Interval, normal_mixture_boundary

_DISPERSION = 2.0  # variance of a count over its mean: what breaks one track often breaks another
_MIN_EXPOSURE_S = 1.0
_MAX_LOG = 700.0  # math.exp overflows beyond


@dataclass(frozen=True, slots=True)
class Stratum:
    """One camera under both models.

    Attributes:
        champion: Count of events under the champion.
        champion_s: Exposure of the champion in seconds.
        challenger: Count of events under the challenger.
        challenger_s: Exposure of the challenger in seconds.
    """

    champion: int
    champion_s: float
    challenger: int
    challenger_s: float


def rate_ratio(strata: Iterable[Stratum], alpha: float, min_events: int = 20) -> Interval:
    """The challenger's rate over the champion's, with a confidence sequence.

    The ratio of Mantel and Haenszel compares each camera with itself only. The variance of its
    logarithm is that of Greenland and Robins, "Estimation of a common effect parameter from sparse
    follow-up data", Biometrics, 1985, times a factor for events that come in clusters. One event is
    added, split as the exposure is, so that no ratio is infinite.

    Args:
        strata: Cameras; one that only one model has served adds no information.
        alpha: Probability, for each end, that it is ever wrong; in (0, 0.5).
        min_events: With fewer events in total the interval is `UNKNOWN`.

    >>> found = rate_ratio([Stratum(20, 1000.0, 60, 1000.0)] * 4, 0.005)
    >>> round(found.mean, 2), found.low > 1.2
    (2.99, True)
    >>> rate_ratio([Stratum(0, 1000.0, 500, 0.0)], 0.005) == UNKNOWN
    True
    """
    observed = [s for s in strata if min(s.champion_s, s.challenger_s) >= _MIN_EXPOSURE_S]
    events = sum(s.champion + s.challenger for s in observed)
    if events < min_events:
        return UNKNOWN
    champion_s = sum(s.champion_s for s in observed)
    challenger_s = sum(s.challenger_s for s in observed)
    added = champion_s * challenger_s / (champion_s + challenger_s) ** 2
    numerator = denominator = spread = added
    for s in observed:
        exposure = s.champion_s + s.challenger_s
        numerator += s.challenger * s.champion_s / exposure
        denominator += s.champion * s.challenger_s / exposure
        spread += (s.champion + s.challenger) * s.champion_s * s.challenger_s / exposure**2
    log = math.log(numerator / denominator)
    variance = _DISPERSION * spread / (numerator * denominator)
    half_width = math.sqrt(variance * events) * normal_mixture_boundary(events, alpha)
    high = math.exp(min(log + half_width, _MAX_LOG))
    return Interval(math.exp(log), math.exp(log - half_width), high)
