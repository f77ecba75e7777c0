"""Evidence as a rollout gathers it, for and against."""

import math

from serve.rollout.statistics.confidence_sequences import Moments
from serve.rollout.statistics.evidence import EVERYTHING, Calls, Evidence, Situation

FAULTLESS = Calls(2000)


def spread(mean: float, count: int, deviation: float = 0.05) -> Moments:
    """So many values with a mean, spread evenly to both sides."""
    pairs = count // 2
    return Moments.of(*[mean - deviation, mean + deviation] * pairs)


def evidence(
    gain: float = 0.1,
    blocks: int = 200,
    latency: float = 1.0,
    calls: Calls = FAULTLESS,
    champion: Calls = FAULTLESS,
    detections: tuple[int, int] = (5000, 5000),
    frames: int = 10_000,
    **groups: float,
) -> Evidence:
    """Of a candidate that is better and in order, unless it is said otherwise.

    Args:
        gain: Mean gain over everything.
        blocks: How many blocks say so.
        latency: Its computing time, times the champion's.
        calls: Its calls.
        champion: The champion's calls.
        detections: Boxes of (champion, challenger) found.
        frames: It answered.
        groups: Mean gains of other groups; ``class_bus`` is ``class:bus``.
    """
    gains = {name.replace("_", ":"): spread(mean, blocks) for name, mean in groups.items()}
    return Evidence(
        frames,
        calls,
        champion,
        spread(math.log(latency), blocks),
        {EVERYTHING: spread(gain, blocks), **gains},
        detections,
    )


def situation(
    found: Evidence,
    phase_minutes: float = 60.0,
    phase_frames: int = 5000,
    minutes: float = 120.0,
    crashes: int = 0,
    memory_mb: float = 500.0,
) -> Situation:
    """A look at a rollout that has lasted long enough, unless it is said otherwise."""
    return Situation(found, phase_minutes, phase_frames, minutes, crashes, memory_mb)
