"""Rehearsal: a policy played against modelled candidates, before anybody trusts it.

What is modelled: blocks of frames of several cameras, each with some things in it; how many of
them either model finds, paired, because both see the same frames; how hard the scene is at the
time, which lasts for minutes; how much a candidate's gain differs from camera to camera; computing
times; calls that fail.
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

_RECALL, _FALSE = 0.7, 0.08  # of the champion: recall, and false boxes a true thing
_USUAL_S = 20.0  # of the block that a street is described by
_MISSED_ALIKE = 0.9  # of what one model misses, how much the other misses for the same reason


@dataclass(frozen=True, slots=True)
class Street:
    """What the fleet is like.

    Attributes:
        cameras: How many.
        fps: Analysed frames a second of each.
        batch: Frames a call.
        ground_truths: Mean number of independent looks at a thing that 20 s of one camera show.
        memory: How much of a scene's difficulty is left after 20 s.
        uneven: Standard deviation of a candidate's gain from camera to camera.
    """

    cameras: int = 8
    fps: float = 5.0
    batch: int = 4
    ground_truths: float = 20.0
    memory: float = 0.8
    uneven: float = 0.01


@dataclass(frozen=True, slots=True)
class SimulatedCandidate:
    """What a modelled candidate is like beside the champion.

    Attributes:
        recall: Recall more than the champion's.
        latency: Computing time a frame, times the champion's.
        errors: Share of calls that fail.
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
"""What `simulate_policy` plays: the runs of a kind take its candidates in turn."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How one run ended.

    Attributes:
        outcome: ``promoted``, ``rolled back`` or ``undecided``.
        minutes: After how long.
        most_share: Largest share of the cameras that it served.
    """

    outcome: str
    minutes: float
    most_share: float


def simulate_policy(
    policy: Policy, runs: int, hours: float = 4.0, street: Street = Street(), seed: int = 0
) -> dict[str, Any]:
    """Play a policy, and say how often each kind of candidate ends how, and after how long.

    Args:
        policy: What is to be tried.
        runs: Runs of each kind.
        hours: When a run is called undecided.
        street: What the fleet is like.
        seed: The same seed gives the same answer.

    >>> found = simulate_policy(Policy(), runs=2, hours=0.2)
    >>> found["runs"], found["harmful"]["promoted"]
    (2, 0.0)
    """
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {"runs": runs}
    for kind, candidates in KINDS.items():
        played = [play(policy, candidates[run % len(candidates)], street, hours, rng) for run in range(runs)]
        found[kind] = _summary(played)
    return found


def play(
    policy: Policy, candidate: SimulatedCandidate, street: Street, hours: float, rng: np.random.Generator
) -> Ending:
    """One run from shadow to its end; it is looked at after each of the policy's blocks."""
    block_s = policy.block_s
    looks = max(1, round(hours * 3600 / block_s))
    gains = modelled_gains(candidate, street, looks, rng, block_s)
    totals, squares = gains.sum(axis=1).cumsum(), (gains**2).sum(axis=1).cumsum()
    logs = np.log(candidate.latency) + 0.15 * rng.standard_normal((looks, street.cameras))
    slow, slow_squares = logs.sum(axis=1).cumsum(), (logs**2).sum(axis=1).cumsum()
    seen = street.cameras * street.fps * block_s
    phase, share, began, before = Phase(), 0.0, 0, 0
    frames = asked = failed = 0
    for look in range(looks):
        new = int(seen * max(share, policy.sample))
        calls = max(1, new // street.batch)
        frames, asked = frames + new, asked + calls
        failed += int(rng.binomial(calls, candidate.errors)) if candidate.errors else 0
        count = (look + 1) * street.cameras
        evidence = Evidence(
            frames,
            Calls(asked, failed),
            Calls(),
            Moments(count, float(slow[look]), float(slow_squares[look])),
            {EVERYTHING: Moments(count, float(totals[look]), float(squares[look]))},
        )
        minutes = (look + 1) * block_s / 60
        in_phase = minutes - began * block_s / 60
        now = Situation(evidence, in_phase, frames - before, minutes)
        action = decide(phase, now, policy).action
        if action is Action.ADVANCE:
            phase = phase.following()
            share, began, before = phase.share(policy), look + 1, frames
        elif action is not Action.HOLD:
            return Ending("promoted" if action is Action.PROMOTE else "rolled back", minutes, share)
    return Ending("undecided", looks * block_s / 60, share)


def modelled_gains(
    candidate: SimulatedCandidate,
    street: Street,
    looks: int,
    rng: np.random.Generator,
    block_s: float = _USUAL_S,
) -> Grid:
    """(looks, cameras) F1 of the candidate less that of the champion, a value a block.

    Args:
        candidate: What it is like.
        street: What the fleet is like.
        looks: How many blocks of each camera.
        rng: Whose draws are used.
        block_s: Seconds of one block; shorter ones show less and are more alike.
    """
    shape = (looks, street.cameras)
    memory = street.memory ** (block_s / _USUAL_S)
    noise = rng.standard_normal(shape) * np.sqrt(1 - memory**2)
    hard = 0.1 * lfilter([1.0], [1.0, -memory], noise, axis=0)
    uneven = street.uneven * rng.standard_normal(street.cameras)
    own = candidate.recall + uneven - uneven.mean()  # the fleet's gain is the candidate's
    ground_truths = rng.poisson(street.ground_truths * block_s / _USUAL_S, shape)
    ours = np.clip(_RECALL + hard, 0.05, 0.98)
    theirs = np.clip(ours + own, 0.02, 0.99)
    alike = rng.binomial(ground_truths, _MISSED_ALIKE)  # things that both find or both miss
    both = rng.binomial(alike, np.minimum(ours, theirs))
    lucky = alike - both
    either = np.clip(np.abs(theirs - ours) / (1 - np.minimum(ours, theirs)), 0, 1)
    extra = rng.binomial(lucky, either)
    found_ours = both + np.where(ours > theirs, extra, 0) + rng.binomial(ground_truths - alike, ours)
    found_theirs = both + np.where(theirs > ours, extra, 0)
    found_theirs = found_theirs + rng.binomial(ground_truths - alike, theirs)
    false_ours, false_theirs = (rng.poisson(_FALSE * ground_truths) for _ in range(2))
    return _f1(found_theirs, false_theirs, ground_truths) - _f1(found_ours, false_ours, ground_truths)


def _f1(found: Counts, false: Counts, ground_truths: Counts) -> Grid:
    """Of blocks; one without things and boxes is perfect."""
    counted = found + false + ground_truths
    return np.where(counted > 0, 2 * found / np.maximum(counted, 1), 1.0)


def _summary(played: list[Ending]) -> dict[str, Any]:
    outcomes = Counter(ending.outcome for ending in played)
    found: dict[str, Any] = {
        name.replace(" ", "_"): outcomes[name] / max(len(played), 1)
        for name in ("promoted", "rolled back", "undecided")
    }
    for name in ("promoted", "rolled back"):
        took = [ending.minutes for ending in played if ending.outcome == name]
        found[f"minutes_until_{name.replace(' ', '_')}"] = round(median(took), 1) if took else None
    found["most_share_served"] = max((ending.most_share for ending in played), default=0.0)
    return found
