"""Selects frames for labeling: few, diverse, and some of them at random. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from labeling.appearance import distances
from streetloop.ledger.reviews import Candidate, SelectionReason
from streetloop.types import Floats

DAY_S = 86_400.0
"""Seconds after which a frame no longer counts as a duplicate of an older one."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Drift of a camera for which the finding asks for labels.

    Attributes:
        cause: The likeliest.
        since: Its estimated start (UTC).
    """

    cause: str
    since: datetime


@dataclass(frozen=True, slots=True)
class SelectionPolicy:
    """How frames are selected.

    Attributes:
        random_share: Share of the budget for random frames, 0 to 1. Only random frames measure a
            model without bias; more of them leave fewer informative frames.
        least_score: Lowest score of a selected frame, even if the budget allows more.
        alike_bits: Largest Hamming distance, of 256 bits, of two duplicates of one camera within
            a day. Higher drops more frames.
        alike_s: Seconds within which three times as many bits may differ between duplicates.
        spread: Weight of diversity beside the score; 0 selects the highest scores.
    """

    random_share: float = 0.1
    least_score: float = 0.15
    alike_bits: int = 8
    alike_s: float = 20.0
    spread: float = 1.0


def select(
    candidates: Sequence[Candidate],
    budget: int,
    asked: Sequence[Candidate] = (),
    policy: SelectionPolicy = SelectionPolicy(),
    seed: int = 0,
    at_random: int | None = None,
) -> list[Candidate]:
    """Select at most ``budget`` frames: by score and diversity first, then at random.

    Args:
        candidates: The frames to select from.
        budget: Largest number of frames.
        asked: Frames selected earlier; their duplicates are not selected.
        policy: How to select.
        seed: Of the random draw.
        at_random: How many of the budget to draw at random; None for the policy's share.

    Returns:
        The selection; no digest occurs twice.
    """
    known = {one.digest for one in asked}
    fresh = list({c.digest: c for c in candidates if c.digest not in known}.values())
    drawn = [c for c in fresh if c.reason is SelectionReason.RANDOM]
    wanted = [c for c in fresh if c.reason is not SelectionReason.RANDOM and c.score >= policy.least_score]
    if at_random is None:
        at_random = round(budget * policy.random_share)
    share = max(0, min(len(drawn), at_random, budget))
    rng = np.random.default_rng(seed)
    # Duplicates stay in: without them the sample would not be representative.
    random_ones = [drawn[k] for k in sorted(rng.permutation(len(drawn))[:share].tolist())]
    return _spread_out(wanted, budget - share, asked, policy) + random_ones


def _spread_out(
    candidates: Sequence[Candidate], count: int, asked: Sequence[Candidate], policy: SelectionPolicy
) -> list[Candidate]:
    """Select greedily the frame with the largest score times distance from the selection.

    A score-weighted form of greedy k-center selection on the embeddings. Each selected frame lowers
    the weight of its camera and hour. Duplicates of selected and earlier frames are excluded.

    Reference: Sener and Savarese, "Active learning for convolutional neural networks: a core-set
    approach", 2018.
    """
    if not candidates or count <= 0:
        return []
    looks = _Appearances(candidates, policy)
    points = np.stack([c.embedding for c in candidates])
    scores = np.array([c.score for c in candidates])
    cells = _cells(candidates)
    crowd = np.zeros(int(cells.max()) + 1)
    nearest = np.full(len(points), np.inf)
    open_ = np.ones(len(points), bool)
    for one in asked:
        nearest = np.minimum(nearest, _distance(points, one.embedding))
        open_[looks.doubles(one)] = False
    chosen: list[Candidate] = []
    while len(chosen) < count and open_.any():
        far = np.minimum(nearest, 1.0) if np.isfinite(nearest).any() else np.ones(len(points))
        worth = scores * (1e-6 + far) ** policy.spread / np.sqrt(1 + crowd[cells])
        best = int(np.argmax(np.where(open_, worth, -1.0)))
        open_[best] = False
        open_[looks.doubles(candidates[best])] = False
        crowd[cells[best]] += 1
        nearest = np.minimum(nearest, _distance(points, points[best]))
        chosen.append(candidates[best])
    return chosen


class _Appearances:
    """Fingerprints of the candidates, to find duplicates of a frame."""

    def __init__(self, candidates: Sequence[Candidate], policy: SelectionPolicy) -> None:
        self._policy = policy
        self._hashes = np.stack([c.fingerprint for c in candidates])
        self._times = np.array([c.captured_at.timestamp() for c in candidates])
        rows: dict[str, list[int]] = {}
        for k, one in enumerate(candidates):
            rows.setdefault(one.camera_id, []).append(k)
        self._rows = {camera: np.array(which, np.intp) for camera, which in rows.items()}

    def doubles(self, one: Candidate) -> NDArray[np.intp]:
        """Rows of the candidates that are duplicates of a frame of the same camera."""
        rows = self._rows.get(one.camera_id, np.empty(0, np.intp))
        apart_s = np.abs(self._times[rows] - one.captured_at.timestamp())
        most = np.where(apart_s <= DAY_S, self._policy.alike_bits, -1)
        most[apart_s <= self._policy.alike_s] = 3 * self._policy.alike_bits
        return rows[distances(one.fingerprint, self._hashes[rows]) <= most]


def _cells(candidates: Sequence[Candidate]) -> NDArray[np.int64]:
    """Number of the camera and hour of each candidate."""
    names = [(c.camera_id, c.captured_at.strftime("%Y%m%d%H")) for c in candidates]
    known = {name: k for k, name in enumerate(dict.fromkeys(names))}
    return np.array([known[name] for name in names], np.int64)


def _distance(points: NDArray[np.float32], point: Floats) -> NDArray[np.float64]:
    gap = points - point
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", gap, gap)), np.float64)


def boosted(candidates: Sequence[Candidate], since: Mapping[str, datetime], share: float) -> list[Candidate]:
    """Raise the scores of frames that show a drift for which labels are wanted.

    All other scores shrink meanwhile: on a crowded street every frame has a score near 1, and no
    score can be raised above that.

    Args:
        candidates: The frames to select from.
        since: Start of the drift by camera; only frames captured since then show it.
        share: Score of a drifting frame of which the model is confident, and the share that all
            other scores lose. Higher prefers drifting cameras more.
    """

    def boost(one: Candidate) -> Candidate:
        if one.reason is SelectionReason.RANDOM:
            return one
        drifts = one.camera_id in since and one.captured_at >= since[one.camera_id]
        return replace(one, score=(share if drifts else 0.0) + (1 - share) * one.score)

    return [boost(one) for one in candidates] if since else list(candidates)
