"""Compares a candidate with the champion on the same frames, with a paired bootstrap.

Pure functions: detections in, verdict out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from streetloop.types import Detections
from train.evaluation.matching import Matches, match

_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True)
class JudgedFrame:
    """One frame with its ground truth and the detections of both models.

    Attributes:
        truth: The ground truths.
        ignored: Boxes that count neither as found nor as missed.
        champion: Detections of the champion, from the lowest confidence on.
        candidate: Detections of the candidate, from the lowest confidence on.
        slices: Names of the slices that the frame counts for.
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
        frames: Number of frames.
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
        margin: mAP50 that it may lose in each other slice. Higher accepts more candidates, and
            lets them forget more.
        least_frames: Frames that a slice must have to be judged. Higher asks for more evidence.
        draws: Resamplings of the bootstrap; more make the interval less random, and take longer.
    """

    wanted: tuple[str, ...] = ()
    margin: float = 0.02
    least_frames: int = 10
    draws: int = 400


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a comparison.

    Attributes:
        accepted: True if the candidate may enter a rollout.
        reasons: One sentence each, for or against the candidate.
        gains: By slice; ``all`` is every frame.
        classes: mAP50 of the champion and of the candidate by class id, over all frames.
    """

    accepted: bool
    reasons: tuple[str, ...]
    gains: Mapping[str, Gain]
    classes: Mapping[int, tuple[float, float]] = field(default_factory=dict)


ALL = "all"


def judge(frames: Sequence[JudgedFrame], policy: JudgePolicy = JudgePolicy(), seed: int = 0) -> Verdict:
    """Compare two models frame by frame.

    The candidate is accepted if it gains in every wanted slice, with the whole 95 % interval of
    the paired bootstrap above 0, and loses more than the margin in none.

    Args:
        frames: The frames, with the detections of both models.
        policy: What the candidate must show.
        seed: Of the bootstrap; the same seed gives the same verdict.

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
    verdict = _verdict(gains, policy)
    theirs, ours = _by_class(champion), _by_class(candidate)
    return replace(verdict, classes={k: (theirs[k], ours[k]) for k in sorted(theirs.keys() & ours.keys())})


def judging_gaps(frames: Sequence[tuple[Sequence[str], int]], policy: JudgePolicy) -> list[str]:
    """What `judge` lacks to accept any candidate, one sentence each; known before a training.

    >>> judging_gaps([(("night",), 3)], JudgePolicy(wanted=("night",), least_frames=10))
    ['night: 1 frame to judge by, 10 are needed']

    Args:
        frames: Slices and number of objects of each frame to judge by.
        policy: What a candidate must show.
    """
    gaps = []
    for name in policy.wanted or (ALL,):
        objects = [count for slices, count in frames if name == ALL or name in slices]
        if len(objects) < policy.least_frames:
            word = "frame" if len(objects) == 1 else "frames"
            gaps.append(f"{name}: {len(objects)} {word} to judge by, {policy.least_frames} are needed")
        elif not sum(objects):
            gaps.append(f"{name}: its {len(objects)} frames to judge by have no objects")
    return gaps


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
            reasons.append(f"{name}: its {gain.frames} frames have no objects")
        elif gain.low <= 0:
            accepted = False
            reasons.append(f"{name}: no certain gain, {_said(gain)}")
        else:
            reasons.append(f"{name}: gains {_said(gain)}")
    for name, gain in gains.items():
        if name in wanted or gain.frames < policy.least_frames:
            continue
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
    """The paired bootstrap: both models on the same resampled frames, so that hard ones cancel out.

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
    """All matches of one model by class, for weighting by frame."""

    def __init__(self, frames: Sequence[Mapping[int, Matches]]) -> None:
        classes = sorted({k for frame in frames for k, m in frame.items() if m.ground_truths})
        self._classes = []
        for k in classes:
            rows = [(n, frame[k]) for n, frame in enumerate(frames) if k in frame]
            confidence = np.concatenate([m.confidence for _, m in rows])
            order = np.argsort(-confidence, kind="stable")
            correct = np.concatenate([m.correct for _, m in rows])[order]
            frame_of = np.concatenate([np.full(len(m.correct), n) for n, m in rows])[order]
            ground_truths = np.zeros(len(frames))
            for n, m in rows:
                ground_truths[n] = m.ground_truths
            self._classes.append((correct, frame_of.astype(np.intp), ground_truths))

    def map50(self, weights: NDArray[np.float64]) -> float:
        """Mean average precision at IoU 0.5, frames counted by (frames,) weights."""
        found = [
            average_precision(correct, weights[frame_of], float((ground_truths * weights).sum()))
            for correct, frame_of, ground_truths in self._classes
            if (ground_truths * weights).sum() > 0
        ]
        return float(np.mean(found)) if found else float("nan")


def average_precision(correct: NDArray[np.bool_], weight: NDArray[np.float64], ground_truths: float) -> float:
    """COCO's average precision at one IoU: precision at 101 recalls.

    Args:
        correct: (N,) True for each detection that matches a ground truth, most confident first.
        weight: (N,) how often each counts.
        ground_truths: Weighted number of ground truths, above 0.

    Returns:
        0 to 1.

    >>> average_precision(np.array([True, False]), np.ones(2), 1.0)
    1.0
    """
    if not len(correct):
        return 0.0
    true = np.cumsum(weight * correct)
    false = np.cumsum(weight * ~correct)
    recall = true / ground_truths
    precision = true / np.maximum(true + false, 1e-12)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, _RECALLS, side="left")
    return float(np.where(at < len(best), best[np.minimum(at, len(best) - 1)], 0).mean())


def _by_class(frames: Sequence[Mapping[int, Matches]]) -> dict[int, float]:
    """mAP50 of each class that has ground truths."""
    whole = np.ones(len(frames))
    present = {k for frame in frames for k, m in frame.items() if m.ground_truths}
    return {k: _Pool([{k: f[k]} if k in f else {} for f in frames]).map50(whole) for k in present}


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
