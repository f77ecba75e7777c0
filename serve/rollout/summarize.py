"""Summarizes evidence: intervals, rates and shares, rounded for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from serve.rollout.estimates import Estimates, broken_ratio
from serve.rollout.policy import Policy
from serve.rollout.rollout_summary import (
    DetectionTotals,
    GainSummary,
    IntervalSummary,
    JudgeVerdict,
    RolloutSummary,
    Score,
    ScoresByModel,
    ServedByModel,
    ServedSummary,
)
from serve.rollout.statistics.camera_stats import CameraStats, ServedStats, sum_stats
from serve.rollout.statistics.confidence_sequences import UNKNOWN, Interval, Moments
from serve.rollout.statistics.detection_counts import DetectionCounts
from serve.rollout.statistics.evidence import EVERYTHING, Evidence, Situation
from streetloop.json_values import finite_or_none


def summarize(
    now: Situation,
    policy: Policy,
    cities: Mapping[str, str | None] | None = None,
    verdict: JudgeVerdict | None = None,
    waits_for: Sequence[str] | None = None,
    cameras: Mapping[str, str] | None = None,
) -> RolloutSummary:
    """Summarize a rollout at one look.

    Args:
        now: The evidence, and the state of the challenger's process.
        policy: Its ``alpha`` is the error probability of the intervals.
        cities: City by camera, where it has one; each gets a group of its own.
        verdict: What the offline judge said of the challenger, if that is on record.
        waits_for: What must still be shown before the rollout advances.
        cameras: Application that serves each camera.
    """
    evidence = now.evidence
    estimates = Estimates.of(evidence, policy)
    noted: dict[str, Any] = {"verdict": verdict, "waits_for": waits_for, "cameras": cameras}
    return RolloutSummary(
        frames=evidence.frames,
        gains={group: _gain(gain, evidence.gains[group].count) for group, gain in estimates.gains.items()},
        latency_ratio=_ratio(estimates.latency),
        calls=evidence.challenger,
        champion_calls=evidence.champion,
        errors_ruled_out=round(estimates.ruled_out(policy), 3),
        agreement=round(evidence.agreement.mean, 4),
        confidence_shift=round(evidence.shift.mean, 4),
        detections=DetectionTotals(champion=evidence.detections[0], challenger=evidence.detections[1]),
        shed=evidence.shed,
        crashes=now.crashes,
        memory_mb=round(now.memory_mb, 1),
        scores={
            group: ScoresByModel(champion=_score(one.champion), challenger=_score(one.challenger))
            for group, one in sorted(evidence.scores.items())
        },
        served=_served(evidence, policy, cities or {}),
        **{name: value for name, value in noted.items() if value is not None},
    )


def _served(evidence: Evidence, policy: Policy, cities: Mapping[str, str | None]) -> dict[str, ServedByModel]:
    """Served answers over all cameras, and by city."""
    groups: dict[str, dict[str, CameraStats]] = {EVERYTHING: dict(evidence.cameras)}
    for city in sorted({city for camera in evidence.cameras if (city := cities.get(camera)) is not None}):
        groups[f"city:{city}"] = {c: one for c, one in evidence.cameras.items() if cities.get(c) == city}
    return {group: _by_model(cameras, policy) for group, cameras in groups.items() if cameras}


def _by_model(cameras: Mapping[str, CameraStats], policy: Policy) -> ServedByModel:
    both = sum_stats(cameras)
    ratio = broken_ratio(cameras, policy)
    return ServedByModel(
        champion=_of_model(both.champion, (one.champion for one in cameras.values())),
        challenger=_of_model(both.challenger, (one.challenger for one in cameras.values())),
        broken_ratio=None if ratio == UNKNOWN else _ratio(ratio),
        agreement=_mean(both.agreement),
        confidence_shift=_mean(both.shift),
    )


def _of_model(total: ServedStats, cameras: Iterable[ServedStats]) -> ServedSummary:
    return ServedSummary(
        cameras=sum(one.frames > 0 for one in cameras),
        frames=total.frames,
        track_minutes=round(total.track_s / 60, 1),
        detections_a_frame=_rounded(total.detections_a_frame, 3),
        broken_a_1000_s=_rounded(total.broken_a_1000_s, 2),
        flickers_a_s=_rounded(total.flickers_a_s, 4),
    )


def _score(counts: DetectionCounts) -> Score:
    return Score(
        precision=_rounded(counts.precision, 4),
        recall=_rounded(counts.recall, 4),
        boxes=counts.true_positives + counts.false_positives,
        ground_truths=counts.ground_truths,
    )


def _mean(values: Moments) -> float | None:
    return round(values.mean, 4) if values.count else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else finite_or_none(value, digits)


def _gain(gain: Interval, blocks: int) -> GainSummary:
    low, high = finite_or_none(gain.low, 4), finite_or_none(gain.high, 4)
    return GainSummary(mean=round(gain.mean, 4), low=low, high=high, blocks=blocks)


def _ratio(ratio: Interval) -> IntervalSummary:
    """A lower end of 0 is that of a ratio of which nothing is certain."""
    low = finite_or_none(ratio.low, 4) if ratio.low > 0 else None
    return IntervalSummary(mean=round(ratio.mean, 4), low=low, high=finite_or_none(ratio.high, 4))
