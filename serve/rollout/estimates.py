"""What the evidence says: intervals and odds that hold at every look."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from serve.rollout.camera_stats import CameraStats
from serve.rollout.confidence_sequences import UNKNOWN, Interval, evidence_of_failing, mean_interval
from serve.rollout.evidence import EVERYTHING, Evidence
from serve.rollout.policy import Policy
from serve.rollout.rate_ratio import Stratum, rate_ratio

_SPREAD = 0.02  # least standard deviation of a block's gain that is believed
_LATENCY_SPREAD = 0.05  # of the logarithm of a ratio of computing times


@dataclass(frozen=True, slots=True)
class Estimates:
    """What the evidence says.

    Attributes:
        gains: By group, F1 of the challenger less that of the champion.
        latency: Computing time a frame, times the champion's.
        failing: Odds (log) that it fails harmfully.
        breaking: How many times as often its tracks break as the champion's, on the same cameras.
    """

    gains: Mapping[str, Interval]
    latency: Interval
    failing: float
    breaking: Interval

    @classmethod
    def of(cls, evidence: Evidence, policy: Policy) -> "Estimates":
        """Of this evidence, with the policy's chance of being wrong."""
        gains = {
            group: mean_interval(values, policy.alpha, floor=_SPREAD)
            for group, values in sorted(evidence.gains.items())
        }
        breaking = breaking_ratio(evidence.cameras, policy)
        return cls(gains, _latency(evidence, policy), _failing(evidence, policy), breaking)

    @property
    def gain(self) -> Interval:
        """Over everything."""
        return self.gains.get(EVERYTHING, UNKNOWN)

    def ruled_out(self, policy: Policy) -> float:
        """How far harmful errors are ruled out; 1 is wholly."""
        return min(max(self.failing / math.log(policy.alpha), 0.0), 1.0)


def breaking_ratio(cameras: Mapping[str, CameraStats], policy: Policy) -> Interval:
    """How many times as often tracks break, each camera held against its own past.

    Args:
        cameras: What is known of them.
        policy: Of how much time of tracks is wanted of either model.
    """
    strata = [
        Stratum(one.champion.broken, one.champion.track_s, one.challenger.broken, one.challenger.track_s)
        for one in cameras.values()
        if one.champion.track_s and one.challenger.track_s
    ]
    least = min(sum(s.champion_s for s in strata), sum(s.challenger_s for s in strata))
    if least < 60 * policy.track_minutes:
        return UNKNOWN
    return rate_ratio(strata, policy.alpha)


def _latency(evidence: Evidence, policy: Policy) -> Interval:
    """Computing time a frame as a ratio of the champion's."""
    logs = mean_interval(evidence.latency, policy.alpha, floor=_LATENCY_SPREAD)
    high = math.exp(logs.high) if logs.high < 700 else math.inf
    return Interval(math.exp(logs.mean), math.exp(logs.low), high)


def _failing(evidence: Evidence, policy: Policy) -> float:
    """Odds (log) that it fails harmfully; what the champion suffers, too, is not its fault."""
    champion = evidence.champion
    shared = champion.failed / champion.asked if champion.asked else 0.0
    usual = min(max(policy.usual_errors, shared), 0.45)
    harmful = max(policy.harmful_errors, 2 * usual)
    calls = evidence.challenger
    return evidence_of_failing(calls.failed, calls.asked, usual, harmful)
