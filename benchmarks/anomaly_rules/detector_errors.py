"""An error model of the shipped detector: misses, false boxes, jitter and confusion of classes.

It is fitted to the detector's answers to consecutive pictures of simulated cameras, whose truth is
known, and then turns true boxes of other cameras into what the detector might have answered.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streetloop.boxes import iou
from streetloop.types import Detections, Floats

_SIDES = np.array([12.0, 18.0, 26.0, 40.0, 70.0])  # pixels; bounds of size bins: sqrt of the area
_SEEN = np.array([0.5, 0.8])  # bounds of bins of the visible share
_SAME_IOU = 0.4
_PRIOR = 2.0
_FEWEST = 5  # boxes of a size from which it has figures of its own

FalseBox = tuple[Floats, float, int]
"""A false box with its confidence and class."""


@dataclass(frozen=True)
class ErrorModel:
    """What the detector does to true boxes.

    Attributes:
        found: Share of true boxes that were found, by size, visible share, and whether the same
            object was found in the frame before.
        jitter: Standard deviation of each side of a box as a share of its size, by size.
        confusion: (sizes, classes, classes) sums over the answered classes of their probability.
        confidence: Confidences of boxes that were found, by size.
        begin_per_frame: Mean number of false objects that begin in a frame.
        false: False objects: their boxes in consecutive frames.
    """

    found: NDArray[np.float64]
    jitter: NDArray[np.float64]
    confusion: NDArray[np.float64]
    confidence: Mapping[int, NDArray[np.float64]]
    begin_per_frame: float
    false: Sequence[Sequence[FalseBox]]


@dataclass
class FaultyDetector:
    """A detector of one camera that errs as the model says.

    Args:
        model: How it errs.
        rng: Source of chance.
    """

    model: ErrorModel
    rng: np.random.Generator
    _found: dict[int, bool] = field(default_factory=dict)
    _false: list[tuple[Sequence[FalseBox], int]] = field(default_factory=list)

    def answer(
        self, ids: Sequence[int], xyxy: Floats, class_id: NDArray[np.int64], visible: NDArray[np.float32]
    ) -> Detections:
        """What the detector might answer; frames come in order.

        Args:
            ids: (N,) ids of the true objects.
            xyxy: (N, 4) their boxes in pixels of a 640 x 360 picture.
            class_id: (N,) their classes; one that the detector does not have is never confused.
            visible: (N,) their visible shares.
        """
        model, rng = self.model, self.rng
        sizes = _size_bin(xyxy)
        before = np.array([self._found.get(name, True) for name in ids], np.int64)
        share = model.found[sizes, np.digitize(visible, _SEEN), before]
        hits = rng.random(len(xyxy)) < share
        self._found = dict(zip(ids, hits.tolist(), strict=True))
        rows = np.flatnonzero(hits)
        size = sizes[rows]
        sides = np.sqrt(np.maximum(np.prod(xyxy[rows, 2:] - xyxy[rows, :2], axis=1), 1.0))
        boxes = xyxy[rows] + rng.normal(size=(len(rows), 4)) * (model.jitter[size] * sides)[:, None]
        boxes[:, :2] = np.minimum(boxes[:, :2], boxes[:, 2:] - 1)
        scores = [model.confidence[k][int(u * len(model.confidence[k]))] for k, u in self._dice(size)]
        known = class_id[rows] < model.confusion.shape[1]
        answered = class_id[rows].copy()
        chances = model.confusion[size[known], answered[known]]
        answered[known] = (rng.random((len(chances), 1)) > chances).sum(axis=1)
        false = self._false_boxes()
        return Detections(
            np.vstack([boxes, *(box[None] for box, _, _ in false)]).astype(np.float32),
            np.array([*scores, *(score for _, score, _ in false)], np.float32),
            np.array([*answered.tolist(), *(one for _, _, one in false)], np.int64),
        )

    def _dice(self, size: NDArray[np.intp]) -> list[tuple[int, float]]:
        return list(zip(size.tolist(), self.rng.random(len(size)).tolist(), strict=True))

    def _false_boxes(self) -> list[FalseBox]:
        """The false boxes of the next frame; a false object stays as long as one was seen to."""
        model, rng = self.model, self.rng
        born = rng.poisson(model.begin_per_frame) if model.false else 0
        self._false += [(model.false[k], 0) for k in rng.integers(max(len(model.false), 1), size=born)]
        boxes = [chain[age] for chain, age in self._false]
        self._false = [(chain, age + 1) for chain, age in self._false if age + 1 < len(chain)]
        return boxes


@dataclass(frozen=True, slots=True)
class Answer:
    """True boxes of a picture and the detector's answer, in pixels of a 640 x 360 picture."""

    ids: Sequence[int]
    xyxy: Floats
    class_id: NDArray[np.int64]
    visible: NDArray[np.float32]
    unclear: Floats
    found: Detections


def fit(runs: Sequence[Sequence[Answer]], classes: int) -> ErrorModel:
    """Fit the model to runs of consecutive pictures.

    Args:
        runs: Pictures of one camera each, in order.
        classes: Number of the detector's classes.
    """
    bins = range(len(_SIDES) + 1)
    hits = np.full((len(bins), len(_SEEN) + 1, 2, 2), _PRIOR / 2)
    confusion = np.tile(np.eye(classes) * _PRIOR, (len(bins), 1, 1))
    spread, scores = defaultdict(list), defaultdict(list)
    false: list[list[FalseBox]] = []
    for run in runs:
        before: dict[int, bool] = {}
        chains: list[list[FalseBox]] = []
        for one in run:
            matched = _match(one)
            sizes, shares = _size_bin(one.xyxy), np.digitize(one.visible, _SEEN)
            for k, name in enumerate(one.ids):
                row = matched.get(k)
                hits[sizes[k], shares[k], int(before.get(name, True)), int(row is not None)] += 1
                before[name] = row is not None
                if row is not None:
                    side = np.sqrt(np.prod(one.xyxy[k, 2:] - one.xyxy[k, :2]))
                    spread[int(sizes[k])].append((one.found.xyxy[row] - one.xyxy[k]) / side)
                    scores[int(sizes[k])].append(float(one.found.confidence[row]))
                    confusion[sizes[k], one.class_id[k], one.found.class_id[row]] += 1
            chains, ended = _continued(chains, _false(one, set(matched.values())))
            false += ended
        false += chains
    everything = [score for found in scores.values() for score in found]
    return ErrorModel(
        hits[..., 1] / hits.sum(axis=-1),
        np.array([np.std(spread[k]) if len(spread[k]) > _FEWEST else 0.05 for k in bins]),
        np.cumsum(confusion / confusion.sum(axis=2, keepdims=True), axis=2)[:, :, :-1],
        {k: np.array(scores[k] if len(scores[k]) > _FEWEST else everything) for k in bins},
        len(false) / max(sum(len(run) for run in runs), 1),
        false,
    )


def _continued(
    chains: Sequence[list[FalseBox]], boxes: Sequence[FalseBox]
) -> tuple[list[list[FalseBox]], list[list[FalseBox]]]:
    """False objects that are in a frame with these boxes, and those that ended before it."""
    free = list(boxes)
    alive, ended = [], []
    for chain in chains:
        overlap = [float(iou(chain[-1][0][None], box[None])[0, 0]) for box, _, _ in free]
        if overlap and max(overlap) >= _SAME_IOU:
            alive.append([*chain, free.pop(int(np.argmax(overlap)))])
        else:
            ended.append(chain)
    return [*alive, *([box] for box in free)], ended


def _match(one: Answer) -> dict[int, int]:
    """Row of the answer by row of the truth."""
    if not len(one.found) or not len(one.xyxy):
        return {}
    overlap = iou(one.xyxy, one.found.xyxy)
    pairs = sorted(zip(*np.where(overlap >= _SAME_IOU), strict=True), key=lambda pair: -overlap[pair])
    matched: dict[int, int] = {}
    for k, row in pairs:
        if int(k) not in matched and int(row) not in matched.values():
            matched[int(k)] = int(row)
    return matched


def _false(one: Answer, taken: set[int]) -> list[FalseBox]:
    """Answered boxes that neither a clear nor an unclear object explains."""
    true = np.concatenate([one.xyxy, one.unclear]).astype(np.float32)
    overlap = iou(one.found.xyxy, true) if len(true) else np.zeros((len(one.found), 1))
    return [
        (one.found.xyxy[row], float(one.found.confidence[row]), int(one.found.class_id[row]))
        for row in range(len(one.found))
        if row not in taken and overlap[row].max(initial=0) < 0.2
    ]


def _size_bin(xyxy: Floats) -> NDArray[np.intp]:
    sides = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0.0)
    found: NDArray[np.intp] = np.digitize(np.sqrt(sides.prod(axis=1)), _SIDES)
    return found
