"""The evidence as people and programs read it; what is not known is None."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from serve.rollout.estimates import Estimates, broken_ratio
from serve.rollout.policy import Policy
from serve.rollout.statistics.camera_stats import CameraStats, ServedStats, sum_stats
from serve.rollout.statistics.confidence_sequences import UNKNOWN, Interval, Moments
from serve.rollout.statistics.detection_counts import DetectionCounts
from serve.rollout.statistics.evidence import EVERYTHING, Evidence, Situation
from streetloop.json_values import finite_or_none


def reading(now: Situation, policy: Policy, cities: Mapping[str, str | None] | None = None) -> dict[str, Any]:
    """All that is known, as plain values.

    Args:
        now: What is known.
        policy: What is wanted.
        cities: City by camera, where it has one.
    """
    evidence = now.evidence
    estimates = Estimates.of(evidence, policy)
    return {
        "frames": evidence.frames,
        "gains": {
            group: _shown(gain) | {"blocks": evidence.gains[group].count}
            for group, gain in estimates.gains.items()
        },
        "latency_ratio": _shown(estimates.latency),
        "calls": asdict(evidence.challenger),
        "champion_calls": asdict(evidence.champion),
        "errors_ruled_out": round(estimates.ruled_out(policy), 3),
        "agreement": round(evidence.agreement.mean, 4),
        "confidence_shift": round(evidence.shift.mean, 4),
        "detections": {"champion": evidence.detections[0], "challenger": evidence.detections[1]},
        "shed": evidence.shed,
        "crashes": now.crashes,
        "memory_mb": round(now.memory_mb, 1),
        "scores": {
            group: {"champion": _score(one.champion), "challenger": _score(one.challenger)}
            for group, one in sorted(evidence.scores.items())
        },
        "arms": arms(evidence, policy, cities or {}),
    }


def arms(evidence: Evidence, policy: Policy, cities: Mapping[str, str | None]) -> dict[str, dict[str, Any]]:
    """What either model served, over all cameras and by city.

    Args:
        evidence: All that is known.
        policy: What is wanted.
        cities: City by camera, where it has one.
    """
    groups = {EVERYTHING: frozenset(evidence.cameras)}
    for city in sorted({city for c in evidence.cameras if (city := cities.get(c)) is not None}):
        groups[f"city:{city}"] = frozenset(c for c in evidence.cameras if cities.get(c) == city)
    return {
        group: _arms({c: evidence.cameras[c] for c in cameras}, policy)
        for group, cameras in groups.items()
        if cameras
    }


def _arms(cameras: Mapping[str, CameraStats], policy: Policy) -> dict[str, Any]:
    both = sum_stats(cameras)
    breaking = broken_ratio(cameras, policy)
    return {
        "champion": _arm(both.champion, sum(c.champion.frames > 0 for c in cameras.values())),
        "challenger": _arm(both.challenger, sum(c.challenger.frames > 0 for c in cameras.values())),
        "broken_ratio": None if breaking == UNKNOWN else _shown(breaking),
        "agreement": _mean(both.agreement),
        "confidence_shift": _mean(both.shift),
    }


def _arm(served: ServedStats, cameras: int) -> dict[str, Any]:
    return {
        "cameras": cameras,
        "frames": served.frames,
        "track_minutes": round(served.track_s / 60, 1),
        "detections_a_frame": _rounded(served.detections_a_frame, 3),
        "broken_a_1000_s": _rounded(served.broken_a_1000_s, 2),
        "flickers_a_s": _rounded(served.flickers_a_s, 4),
    }


def _score(counts: DetectionCounts) -> dict[str, float | int | None]:
    shares = {"precision": counts.precision, "recall": counts.recall}
    rounded = {name: None if v is None else round(v, 4) for name, v in shares.items()}
    return {
        **rounded,
        "boxes": counts.true_positives + counts.false_positives,
        "things": counts.ground_truths,
    }


def _mean(values: Moments) -> float | None:
    return round(values.mean, 4) if values.count else None


def _shown(interval: Interval) -> dict[str, float | None]:
    low = None if interval.low == 0.0 else finite_or_none(interval.low, 4)
    high = finite_or_none(interval.high, 4)
    return {"mean": round(interval.mean, 4), "low": low, "high": high}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
