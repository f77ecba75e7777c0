"""Simulates rollouts of modelled candidates, to measure a policy before it is used.

The model has: blocks of frames of several cameras with a random number of objects; the objects that
either model finds, paired, as both see the same frames; the difficulty of a scene, which lasts for
minutes; the variation of a candidate's gain from camera to camera; computing times; failing calls.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from serve.rollout.decision import Action, decide
from serve.rollout.policy import Phase, Policy
from serve.rollout.statistics.confidence_sequences import Moments
from serve.rollout.statistics.evidence import EVERYTHING, Calls, Evidence, Situation

Grid = NDArray[np.float64]
Counts = NDArray[np.int64]

_CHAMPION_RECALL = 0.7
_FALSE_POSITIVES = 0.08  # of either model, per object
_BASE_BLOCK_S = 20.0  # of the block that `SimulatedFleet` describes
_SHARED_MISSES = 0.9  # of what one model misses, how much the other misses for the same reason
_DIFFICULTY_STD = 0.1  # of the innovations of a scene's difficulty, in recall
_LATENCY_STD = 0.15  # of the logarithm of a ratio of computing times


@dataclass(frozen=True, slots=True)
class SimulatedFleet:
    """The cameras of a simulation.

    Attributes:
        cameras: Number of cameras.
        fps: Analysed frames per second of each camera.
        batch: Frames per call.
        ground_truths: Mean number of independent views of an object in 20 s of one camera.
        autocorrelation: Of a scene's difficulty over 20 s, 0 to 1.
        gain_std: Standard deviation of a candidate's gain from camera to camera.
    """

    cameras: int = 8
    fps: float = 5.0
    batch: int = 4
    ground_truths: float = 20.0
    autocorrelation: float = 0.8
    gain_std: float = 0.01


@dataclass(frozen=True, slots=True)
class SimulatedCandidate:
    """A modelled candidate, compared with the champion.

    Attributes:
        recall: Its recall minus the champion's.
        latency: Ratio of its computing time per frame to the champion's.
        errors: Share of its calls that fail, 0 to 1.
    """

    recall: float = 0.0
    latency: float = 1.0
    errors: float = 0.0


KINDS: Mapping[str, tuple[SimulatedCandidate, ...]] = {
    "harmful": (
        SimulatedCandidate(recall=-0.05),
        SimulatedCandidate(recall=-0.15),
        SimulatedCandidate(latency=2.0),
        SimulatedCandidate(recall=0.05, latency=2.0),
        SimulatedCandidate(errors=0.01),
        SimulatedCandidate(recall=0.05, errors=0.01),
    ),
    "equal": (SimulatedCandidate(),),
    "better": (SimulatedCandidate(recall=0.05),),
}
"""The candidates that `simulate_policy` simulates; the runs of a kind take them in turn."""


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """How one simulated rollout ended.

    Attributes:
        outcome: ``promoted``, ``rolled back`` or ``undecided``.
        minutes: Its duration in minutes.
        max_share: Largest share of the cameras that the candidate served, 0 to 1.
    """

    outcome: str
    minutes: float
    max_share: float


def simulate_policy(
    policy: Policy, runs: int, hours: float = 4.0, fleet: SimulatedFleet = SimulatedFleet(), seed: int = 0
) -> dict[str, Any]:
    """Simulate rollouts under a policy.

    Args:
        policy: The policy to measure.
        runs: Simulated rollouts of each kind of candidate.
        hours: A rollout that has not ended by then is undecided.
        fleet: The cameras.
        seed: Seed of the random numbers; the same seed gives the same result.

    Returns:
        By kind of candidate: the share of each outcome, the median minutes until promotion and
        rollback, and the largest share of the cameras that was served.

    >>> found = simulate_policy(Policy(), runs=2, hours=0.2)
    >>> found["runs"], found["harmful"]["promoted"]
    (2, 0.0)
    """
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {"runs": runs}
    for kind, candidates in KINDS.items():
        simulated = [
            simulate_run(policy, candidates[run % len(candidates)], fleet, hours, rng) for run in range(runs)
        ]
        found[kind] = _summary(simulated)
    return found


def simulate_run(
    policy: Policy,
    candidate: SimulatedCandidate,
    fleet: SimulatedFleet,
    hours: float,
    rng: np.random.Generator,
) -> SimulatedRun:
    """Simulate one rollout from shadow to its end; it is evaluated after each block.

    Args:
        policy: The policy under test.
        candidate: True quality of the challenger.
        fleet: The cameras.
        hours: Longest duration of the rollout.
        rng: Random numbers.
    """
    block_s = policy.block_s
    looks = max(1, round(hours * 3600 / block_s))
    gains = _running(simulate_gains(candidate, fleet, looks, rng, block_s))
    noise = _LATENCY_STD * rng.standard_normal((looks, fleet.cameras))
    latencies = _running(np.log(candidate.latency) + noise)
    phase, share, phase_look, phase_frames = Phase(), 0.0, 0, 0
    frames = asked = failed = 0
    for look in range(looks):
        new = int(fleet.cameras * fleet.fps * block_s * max(share, policy.sample))
        calls = max(1, new // fleet.batch)
        frames, asked = frames + new, asked + calls
        failed += int(rng.binomial(calls, candidate.errors)) if candidate.errors else 0
        evidence = Evidence(frames, Calls(asked, failed), Calls(), latencies[look], {EVERYTHING: gains[look]})
        minutes = (look + 1) * block_s / 60
        in_phase = minutes - phase_look * block_s / 60
        action = decide(phase, Situation(evidence, in_phase, frames - phase_frames, minutes), policy).action
        if action is Action.ADVANCE:
            phase = phase.following()
            share, phase_look, phase_frames = phase.share(policy), look + 1, frames
        elif action is not Action.HOLD:
            outcome = "promoted" if action is Action.PROMOTE else "rolled back"
            return SimulatedRun(outcome, minutes, share)
    return SimulatedRun("undecided", looks * block_s / 60, share)


def simulate_gains(
    candidate: SimulatedCandidate,
    fleet: SimulatedFleet,
    looks: int,
    rng: np.random.Generator,
    block_s: float = _BASE_BLOCK_S,
) -> Grid:
    """Simulate F1 of the candidate minus that of the champion; (looks, cameras), one per block.

    Args:
        candidate: The candidate.
        fleet: The cameras.
        looks: Blocks of each camera.
        rng: Random numbers.
        block_s: Duration of a block in seconds; shorter ones have fewer objects and are more alike.
    """
    shape = (looks, fleet.cameras)
    correlation = fleet.autocorrelation ** (block_s / _BASE_BLOCK_S)
    noise = rng.standard_normal(shape) * np.sqrt(1 - correlation**2)
    difficulty = _DIFFICULTY_STD * lfilter([1.0], [1.0, -correlation], noise, axis=0)
    by_camera = fleet.gain_std * rng.standard_normal(fleet.cameras)
    gain = candidate.recall + by_camera - by_camera.mean()  # the fleet's mean is the candidate's
    ground_truths = rng.poisson(fleet.ground_truths * block_s / _BASE_BLOCK_S, shape)
    champion = np.clip(_CHAMPION_RECALL + difficulty, 0.05, 0.98)
    challenger = np.clip(champion + gain, 0.02, 0.99)
    found_champion, found_challenger = _paired_finds(champion, challenger, ground_truths, rng)
    false_champion, false_challenger = (rng.poisson(_FALSE_POSITIVES * ground_truths) for _ in range(2))
    return _f1(found_challenger, false_challenger, ground_truths) - _f1(
        found_champion, false_champion, ground_truths
    )


def _paired_finds(
    champion: Grid, challenger: Grid, ground_truths: Counts, rng: np.random.Generator
) -> tuple[Counts, Counts]:
    """Objects that either model finds at these recalls: most are found or missed by both."""
    paired = rng.binomial(ground_truths, _SHARED_MISSES)
    both = rng.binomial(paired, np.minimum(champion, challenger))
    only_better = np.clip(np.abs(challenger - champion) / (1 - np.minimum(champion, challenger)), 0, 1)
    extra = rng.binomial(paired - both, only_better)
    alone = ground_truths - paired
    found_champion = both + np.where(champion > challenger, extra, 0) + rng.binomial(alone, champion)
    found_challenger = both + np.where(challenger > champion, extra, 0)
    return found_champion, found_challenger + rng.binomial(alone, challenger)


def _f1(found: Counts, false: Counts, ground_truths: Counts) -> Grid:
    """F1 of blocks; 1 of a block without objects and boxes."""
    counted = found + false + ground_truths
    return np.where(counted > 0, 2 * found / np.maximum(counted, 1), 1.0)


def _running(values: Grid) -> list[Moments]:
    """Moments of all values of (looks, cameras) up to each look."""
    totals, squares = values.sum(axis=1).cumsum(), (values**2).sum(axis=1).cumsum()
    counts = values.shape[1] * np.arange(1, len(values) + 1)
    return [Moments(int(n), float(t), float(s)) for n, t, s in zip(counts, totals, squares, strict=True)]


def _summary(runs: list[SimulatedRun]) -> dict[str, Any]:
    outcomes = Counter(run.outcome for run in runs)
    found: dict[str, Any] = {
        name.replace(" ", "_"): outcomes[name] / max(len(runs), 1)
        for name in ("promoted", "rolled back", "undecided")
    }
    for name in ("promoted", "rolled back"):
        took = [run.minutes for run in runs if run.outcome == name]
        found[f"minutes_until_{name.replace(' ', '_')}"] = round(median(took), 1) if took else None
    found["most_share_served"] = max((run.max_share for run in runs), default=0.0)
    return found
