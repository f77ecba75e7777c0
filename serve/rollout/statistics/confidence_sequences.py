"""Sequential statistics: they are valid at every look.

A test at 5 % that is repeated every few seconds is sooner or later significant by chance. The
guarantees of this module are time-uniform: the probability that an interval *ever* misses the true
value, or that a likelihood ratio *ever* exceeds its threshold by chance, is at most ``alpha``.

References:
    - Wald, "Sequential Tests of Statistical Hypotheses", 1945.
    - Ville, "Étude critique de la notion de collectif", 1939.
    - Robbins, "Statistical Methods Related to the Law of the Iterated Logarithm", 1970.
    - Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and
      asymptotic confidence sequences", 2021.
"""

import math
from dataclasses import dataclass
from functools import cache

from streetloop.summable import Summable


@dataclass(frozen=True, slots=True)
class Moments(Summable):
    """Count, sum and sum of squares of values; two of them add up.

    >>> both = Moments.of(1.0) + Moments.of(3.0)
    >>> both.count, both.mean, both.variance
    (2, 2.0, 2.0)
    """

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, *values: float) -> "Moments":
        """Moments of these values."""
        return cls(len(values), math.fsum(values), math.fsum(v * v for v in values))

    @property
    def mean(self) -> float:
        """Mean; 0 without values."""
        return self.total / self.count if self.count else 0.0

    @property
    def variance(self) -> float:
        """Sample variance; 0 with fewer than two values."""
        if self.count < 2:
            return 0.0
        return max(self.squares - self.total * self.mean, 0.0) / (self.count - 1)


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the ends of its confidence sequence at this look.

    Attributes:
        mean: The estimate.
        low: Lower end; minus infinity (0 of a ratio) while nothing is certain.
        high: Upper end; infinity while nothing is certain.
    """

    mean: float
    low: float
    high: float


UNKNOWN = Interval(0.0, -math.inf, math.inf)
"""The interval of too few values."""


def mean_interval(
    values: Moments, alpha: float, optimal_count: int = 200, min_count: int = 20, min_std: float = 0.0
) -> Interval:
    """Asymptotic confidence sequence of a mean.

    The normal mixture of Robbins with an estimated variance (Waudby-Smith et al., eq. 13, two-sided
    at 2 ``alpha``). Its coverage is exact only as the count grows, hence ``min_count``.

    Args:
        values: Values that are independent, or nearly so: blocks, not neighbouring frames.
        alpha: Probability, for each end, that it is ever wrong; in (0, 0.5).
        optimal_count: The count at which the interval is narrowest; the mixture's rho follows from
            it. Smaller decides earlier, and less sharply later.
        min_count: With fewer values the interval is `UNKNOWN`.
        min_std: Lower bound of the standard deviation, against values that happen to be alike.

    >>> import random
    >>> draw = random.Random(0)
    >>> found = mean_interval(Moments.of(*[draw.gauss(0.2, 0.1) for _ in range(100)]), 0.01)
    >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3)
    (0.192, 0.153, 0.23)
    >>> mean_interval(Moments.of(0.1, 0.3), 0.01) == UNKNOWN
    True
    """
    count = values.count
    if count < min_count:
        return UNKNOWN
    std = max(math.sqrt(values.variance), min_std)
    half_width = std * normal_mixture_boundary(count, alpha, optimal_count)
    return Interval(values.mean, values.mean - half_width, values.mean + half_width)


def normal_mixture_boundary(count: int, alpha: float, optimal_count: int = 200) -> float:
    """Half width of `mean_interval` in standard deviations of one value.

    >>> normal_mixture_boundary(100, 0.005) > normal_mixture_boundary(400, 0.005) > 0
    True

    Args:
        count: Values so far, at least 1.
        alpha: Error probability, 0 to 1; lower widens the interval.
        optimal_count: Count at which the interval is tightest; higher widens it early on.
    """
    rho2 = _rho2(alpha, optimal_count)
    scaled = count * rho2 + 1
    return math.sqrt(2 * scaled / (count * count * rho2) * math.log(math.sqrt(scaled) / alpha))


@cache
def _rho2(alpha: float, optimal_count: int) -> float:
    """The square of the mixture's rho that is optimal at a count (Waudby-Smith et al., B.2)."""
    log = -2 * math.log(alpha)
    return (log + math.log(log + 1)) / optimal_count


def log_likelihood_ratio(failures: int, calls: int, p0: float, p1: float) -> float:
    """Logarithm of the likelihood of a failure rate ``p1`` over that of ``p0`` (Wald).

    Where calls fail at a rate of ``p0`` or less, the value ever exceeds log(1 / alpha) with a
    probability of at most alpha; where they fail at ``p1`` or more, its negative does (Ville).

    Args:
        failures: Calls that failed.
        calls: All calls, the failed ones included.
        p0: Failure rate that is harmless, in (0, 1).
        p1: Failure rate that is harmful, in (``p0``, 1).

    >>> round(log_likelihood_ratio(0, 500, 0.001, 0.01), 2)
    -4.52
    """
    return failures * math.log(p1 / p0) + (calls - failures) * math.log((1 - p1) / (1 - p0))
