"""Is a candidate better than the champion, on the same frames? With how much certainty?

Everything here is pure: predictions in, verdict out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streetloop.types import Detections
from train.evaluation.matching import Matches, match

_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True)
class JudgedFrame:
    """One frame with its truth and what two models found in it.

    Attributes:
        truth: What is there.
        ignored: What may be found or missed.
        champion: What the champion found, at least confidence.
        candidate: What the candidate found.
        slices: Names that the frame is judged under.
    """

    truth: Detections
    ignored: Detections
    champion: Detections
    candidate: Detections
    slices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gain:
    """The candidate's mAP50 less the champion's.

    Attributes:
        champion: mAP50 of the champion.
        candidate: mAP50 of the candidate.
        low: Lower end of the 95 % interval of the difference.
        high: Upper end.
        frames: On how many frames.
    """

    champion: float
    candidate: float
    low: float
    high: float
    frames: int

    @property
    def mean(self) -> float:
        """The difference."""
        return self.candidate - self.champion


@dataclass(frozen=True, slots=True)
class JudgePolicy:
    """What a candidate must show.

    Attributes:
        wanted: Slices in which it must gain; empty for all frames together.
        margin: What it may lose elsewhere, in mAP50.
        least_frames: Frames of a slice without which nothing is said about it.
        draws: Of the bootstrap.
    """

    wanted: tuple[str, ...] = ()
    margin: float = 0.02
    least_frames: int = 10
    draws: int = 400


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement.

    Attributes:
        accepted: True if the candidate may go on to a rollout.
        reasons: One sentence each, what speaks for or against it.
        gains: By slice; ``all`` is every frame.
    """

    accepted: bool
    reasons: tuple[str, ...]
    gains: Mapping[str, Gain]


ALL = "all"


def judge(frames: Sequence[JudgedFrame], policy: JudgePolicy = JudgePolicy(), seed: int = 0) -> Verdict:
    """Compare two models frame by frame.

    The candidate is accepted if it gains where it was asked to, with the whole interval of the
    paired bootstrap above 0, and loses nowhere more than a margin.

    Args:
        frames: The same frames for both.
        policy: What is asked for.
        seed: Of the bootstrap.

    Raises:
        ValueError: There are no frames.
    """
    if not frames:
        raise ValueError("there are no frames to judge by")
    slices = {ALL: list(range(len(frames)))}
    for number, frame in enumerate(frames):
        for name in frame.slices:
            slices.setdefault(name, []).append(number)
    champion = [_matches(f.truth, f.champion, f.ignored) for f in frames]
    candidate = [_matches(f.truth, f.candidate, f.ignored) for f in frames]
    rng = np.random.default_rng(seed)
    gains = {
        name: _gain([champion[k] for k in rows], [candidate[k] for k in rows], policy.draws, rng)
        for name, rows in slices.items()
    }
    return _verdict(gains, policy)


def _verdict(gains: Mapping[str, Gain], policy: JudgePolicy) -> Verdict:
    reasons: list[str] = []
    accepted = True
    wanted = policy.wanted or (ALL,)
    for name in wanted:
        gain = gains.get(name)
        if gain is None or gain.frames < policy.least_frames:
            frames = 0 if gain is None else gain.frames
            accepted = False
            reasons.append(f"{name}: {frames} frames are too few to show a gain")
        elif not np.isfinite(gain.mean):
            accepted = False
            reasons.append(f"{name}: there is nothing to find on its {gain.frames} frames")
        elif gain.low <= 0:
            accepted = False
            reasons.append(f"{name}: no certain gain, {_said(gain)}")
        else:
            reasons.append(f"{name}: gains {_said(gain)}")
    for name, gain in gains.items():
        if name in wanted or gain.frames < policy.least_frames:
            continue
        # What it loses for certain, or by the best estimate, whichever says more.
        if gain.mean < -policy.margin:
            accepted = False
            reasons.append(f"{name}: loses more than {policy.margin:g}, {_said(gain)}")
    return Verdict(accepted, tuple(reasons), gains)


def _said(gain: Gain) -> str:
    return f"{gain.mean:+.3f} mAP50 ({gain.low:+.3f} to {gain.high:+.3f}) on {gain.frames} frames"


def _gain(
    champion: Sequence[Mapping[int, Matches]],
    candidate: Sequence[Mapping[int, Matches]],
    draws: int,
    rng: np.random.Generator,
) -> Gain:
    """Both models on the same resampled frames: what is hard for both cancels out.

    Reference: Efron and Tibshirani, "An introduction to the bootstrap", 1993.
    """
    ours, theirs = _Pool(candidate), _Pool(champion)
    whole = np.ones(len(champion))
    count = len(champion)
    differences = []
    for _ in range(draws):
        weights = np.bincount(rng.integers(0, count, count), minlength=count).astype(np.float64)
        differences.append(ours.map50(weights) - theirs.map50(weights))
    known = np.array([d for d in differences if np.isfinite(d)])
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
    return Gain(theirs.map50(whole), ours.map50(whole), float(low), float(high), count)


class _Pool:
    """All matches of one model by class, ready to be weighted by frame."""

    def __init__(self, frames: Sequence[Mapping[int, Matches]]) -> None:
        classes = sorted({k for frame in frames for k, m in frame.items() if m.ground_truths})
        self._classes = []
        for k in classes:
            rows = [(n, frame[k]) for n, frame in enumerate(frames) if k in frame]
            confidence = np.concatenate([m.confidence for _, m in rows])
            order = np.argsort(-confidence, kind="stable")
            right = np.concatenate([m.correct for _, m in rows])[order]
            frame_of = np.concatenate([np.full(len(m.correct), n) for n, m in rows])[order]
            things = np.zeros(len(frames))
            for n, m in rows:
                things[n] = m.ground_truths
            self._classes.append((right, frame_of.astype(np.intp), things))

    def map50(self, weights: NDArray[np.float64]) -> float:
        """Mean over classes of the average precision, frames counted by weight."""
        found = [
            average_precision(right, weights[frame_of], float((things * weights).sum()))
            for right, frame_of, things in self._classes
            if (things * weights).sum() > 0
        ]
        return float(np.mean(found)) if found else float("nan")


def average_precision(right: NDArray[np.bool_], weight: NDArray[np.float64], things: float) -> float:
    """COCO's average precision at one IoU: precision at 101 recalls.

    Args:
        right: (N,) whether each found box is right, the most confident first.
        weight: (N,) how often each counts.
        things: How many true boxes there are, weighted.

    >>> average_precision(np.array([True, False]), np.ones(2), 1.0)
    1.0
    """
    true = np.cumsum(weight * right)
    false = np.cumsum(weight * ~right)
    recall = true / things
    precision = true / np.maximum(true + false, 1e-12)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, _RECALLS, side="left")
    return (
        float(np.where(at < len(best), best[np.minimum(at, len(best) - 1)], 0).mean()) if (len(best)) else 0.0
    )


def _matches(truth: Detections, found: Detections, ignored: Detections) -> dict[int, Matches]:
    classes = {*truth.class_id.tolist(), *found.class_id.tolist()}
    return {
        k: match(
            truth.take(truth.class_id == k),
            found.take(found.class_id == k),
            ignored.take(ignored.class_id == k),
        )
        for k in classes
    }
