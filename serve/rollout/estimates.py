"""Estimates from the evidence: intervals and likelihood ratios that hold at every look."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from serve.rollout.policy import Policy
from serve.rollout.statistics.camera_stats import CameraStats
from serve.rollout.statistics.confidence_sequences import (
    UNKNOWN,
    Interval,
    log_likelihood_ratio,
    mean_interval,
)
from serve.rollout.statistics.evidence import EVERYTHING, Evidence
from serve.rollout.statistics.rate_ratio import Stratum, rate_ratio

_MIN_GAIN_STD = 0.02  # of a block's gain
_MIN_LATENCY_STD = 0.05  # of the logarithm of a ratio of computing times
_MAX_USUAL_ERRORS = 0.45  # leaves room for a harmful rate of twice as much below 1


@dataclass(frozen=True, slots=True)
class Estimates:
    """What the evidence says of a challenger, at the policy's error probability.

    Attributes:
        gains: By group, F1 of the challenger minus that of the champion.
        latency: Computing time per frame, as a ratio to the champion's.
        failure_log_ratio: Log likelihood ratio of a harmful rate of failing calls over the usual.
        broken_ratio: Rate of broken tracks, as a ratio to the champion's on the same cameras.
    """

    gains: Mapping[str, Interval]
    latency: Interval
    failure_log_ratio: float
    broken_ratio: Interval

    @classmethod
    def of(cls, evidence: Evidence, policy: Policy) -> "Estimates":
        """Estimate from evidence."""
        gains = {
            group: mean_interval(values, policy.alpha, min_std=_MIN_GAIN_STD)
            for group, values in sorted(evidence.gains.items())
        }
        return cls(
            gains,
            _latency(evidence, policy),
            _failure_log_ratio(evidence, policy),
            broken_ratio(evidence.cameras, policy),
        )

    @property
    def gain(self) -> Interval:
        """Gain over all frames."""
        return self.gains.get(EVERYTHING, UNKNOWN)

    def ruled_out(self, policy: Policy) -> float:
        """How far a harmful rate of failing calls is ruled out: 0 not at all, 1 completely."""
        return min(max(self.failure_log_ratio / math.log(policy.alpha), 0.0), 1.0)


def broken_ratio(cameras: Mapping[str, CameraStats], policy: Policy) -> Interval:
    """Rate of broken tracks, challenger to champion, each camera compared with itself.

    Args:
        cameras: Statistics by camera.
        policy: ``track_minutes`` of either model are required; otherwise `UNKNOWN`.
    """
    strata = [
        Stratum(one.champion.broken, one.champion.track_s, one.challenger.broken, one.challenger.track_s)
        for one in cameras.values()
        if one.champion.track_s and one.challenger.track_s
    ]
    track_s = min(sum(s.champion_s for s in strata), sum(s.challenger_s for s in strata))
    if track_s < 60 * policy.track_minutes:
        return UNKNOWN
    return rate_ratio(strata, policy.alpha)


def _latency(evidence: Evidence, policy: Policy) -> Interval:
    logs = mean_interval(evidence.latency, policy.alpha, min_std=_MIN_LATENCY_STD)
    high = math.exp(logs.high) if logs.high < 700 else math.inf
    return Interval(math.exp(logs.mean), math.exp(logs.low), high)


def _failure_log_ratio(evidence: Evidence, policy: Policy) -> float:
    """A challenger is not to blame for failures that the champion has, too."""
    champion = evidence.champion
    shared = champion.failed / champion.asked if champion.asked else 0.0
    usual = min(max(policy.usual_errors, shared), _MAX_USUAL_ERRORS)
    harmful = max(policy.harmful_errors, 2 * usual)
    calls = evidence.challenger
    return log_likelihood_ratio(calls.failed, calls.asked, usual, harmful)
