"""Statistics that stay valid however often they are looked at.

A test at 5 % that is repeated every few seconds will sooner or later be significant. What is here
holds for all looks together: the chance that an interval *ever* misses, or that evidence *ever*
gets so strong by luck, is at most ``alpha``.
"""

import math
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Moments:
    """A sum that can be added to: how many values, their sum and their sum of squares.

    >>> both = Moments.of(1.0) + Moments.of(3.0)
    >>> both.count, both.mean, both.variance
    (2, 2.0, 2.0)
    """

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, *values: float) -> "Moments":
        """Of these values."""
        return cls(len(values), math.fsum(values), math.fsum(v * v for v in values))

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        """Their mean; 0 of none."""
        return self.total / self.count if self.count else 0.0

    @property
    def variance(self) -> float:
        """Their sample variance; 0 of fewer than two."""
        if self.count < 2:
            return 0.0
        return max(self.squares - self.total * self.mean, 0.0) / (self.count - 1)


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a mean is, at every look at once."""

    mean: float
    low: float
    high: float


UNKNOWN = Interval(0.0, -math.inf, math.inf)
"""What too few values say."""


def mean_interval(
    values: Moments, alpha: float, planned: int = 200, least: int = 20, floor: float = 0.0
) -> Interval:
    """A confidence sequence for a mean; each end is wrong with a chance of at most ``alpha``.

    The normal mixture of Robbins, 1970, with an estimated variance: Waudby-Smith, Arbour, Sinha,
    Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences",
    2021 (eq. 13, two-sided at 2 alpha). Exact only as the count grows, hence ``least``.

    Args:
        values: Independent values, or nearly so: blocks, not neighbouring frames.
        alpha: Chance that an end is ever wrong.
        planned: The count at which the interval is to be narrowest.
        least: Fewer values say nothing.
        floor: Least standard deviation that is believed.

    >>> mean_interval(Moments.of(*[0.1, 0.3] * 50), 0.01).low > 0.15
    True
    >>> mean_interval(Moments.of(0.1, 0.3), 0.01) == UNKNOWN
    True
    """
    count = values.count
    if count < least:
        return UNKNOWN
    half = max(math.sqrt(values.variance), floor) * reach(count, alpha, planned)
    return Interval(values.mean, values.mean - half, values.mean + half)


def reach(count: int, alpha: float, planned: int = 200) -> float:
    """How many standard deviations of one value the ends of `mean_interval` are from the mean.

    >>> reach(100, 0.005) > reach(400, 0.005) > 0
    True
    """
    rate = _mixture(alpha, planned)
    scaled = count * rate + 1
    return math.sqrt(2 * scaled / (count * count * rate) * math.log(math.sqrt(scaled) / alpha))


@cache
def _mixture(alpha: float, planned: int) -> float:
    """The square of the mixture's parameter that makes ``planned`` the narrowest (ibid., B.2)."""
    log = -2 * math.log(alpha)
    return (log + math.log(log + 1)) / planned


def evidence_of_failing(failed: int, calls: int, usual: float, harmful: float) -> float:
    """The natural logarithm of the odds that calls fail at ``harmful`` and not at ``usual``.

    A likelihood ratio (Wald, 1945). Where calls fail at ``usual`` or less, it ever exceeds
    log(1/alpha) with a chance of at most alpha; where they fail at ``harmful`` or more, its
    negative does (Ville, 1939).

    >>> round(evidence_of_failing(0, 500, 0.001, 0.01), 2)
    -4.52
    """
    kept = calls - failed
    return failed * math.log(harmful / usual) + kept * math.log((1 - harmful) / (1 - usual))
