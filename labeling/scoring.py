"""Scores how much a frame deserves a label: uncertainty, flicker, and model disagreement."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streetloop.boxes import iou
from streetloop.types import UNCONFIRMED, Detections, Tracked

_MATCH_IOU = 0.5  # least IoU of two boxes of one object


@dataclass(frozen=True, slots=True)
class Band:
    """Confidences at which a model is unsure.

    Attributes:
        low: Lower bound; a box below it is noise. Lower finds more missed objects, and more noise.
        high: Upper bound; above it the model is confident.
        weight: Weight of the class in the score; 1 is the default, 0 ignores the class.
    """

    low: float = 0.25
    high: float = 0.6
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 1 or self.weight < 0:
            raise ValueError(f"a band goes from low to high within 0 to 1; this is {self}")


@dataclass(frozen=True, slots=True)
class Bands:
    """The band of every class.

    Attributes:
        default: Band of the classes that are not in `of_class`.
        of_class: Bands by class name.
    """

    default: Band = Band()
    of_class: Mapping[str, Band] = field(default_factory=dict)

    def of(self, name: str) -> Band:
        """The band of a class."""
        return self.of_class.get(name, self.default)


def uncertainty(found: Detections, names: tuple[str, ...], bands: Bands = Bands()) -> float:
    """How unsure a model is of a frame, 0 (confident) to 1.

    Each box inside its band counts, most in the middle of the band. Boxes combine as independent
    probabilities (1 minus the product of complements), so a crowd saturates below 1.

    >>> one = Detections(np.zeros((1, 4), np.float32), np.array([0.425], np.float32), np.array([0]))
    >>> round(uncertainty(one, ("car",)), 2)
    0.5

    Args:
        found: The model's boxes.
        names: Class names by class id.
        bands: Confidences at which the model is unsure, by class; wider bands raise the score.
    """
    return 1 - float(np.prod(1 - np.minimum(0.5 * attention(found, names, bands), 1.0)))


def attention(found: Detections, names: tuple[str, ...], bands: Bands = Bands()) -> NDArray[np.float64]:
    """(N,) uncertainty of each box: its class's weight in the middle of the band, 0 outside.

    Args:
        found: The model's boxes.
        names: Class names by class id.
        bands: Confidences at which the model is unsure, by class.
    """
    asked: NDArray[np.float64] = np.zeros(len(found))
    for k, (confidence, class_id) in enumerate(zip(found.confidence, found.class_id, strict=True)):
        band = bands.of(names[int(class_id)])
        half = (band.high - band.low) / 2
        asked[k] = band.weight * max(0.0, 1 - abs(float(confidence) - band.low - half) / half)
    return asked


def disagreement(
    ours: Detections, theirs: Detections, names: tuple[str, ...], bands: Bands = Bands()
) -> float:
    """How much two models disagree on one frame, 0 (not at all) to 1.

    Each box that only one model has counts, weighted by `unmatched_weights`; boxes combine as
    independent probabilities. An object that both find with different classes counts twice.

    >>> box = np.array([[0, 0, 9, 9]], np.float32)
    >>> car = Detections(box, np.array([0.9], np.float32), np.array([0]))
    >>> bus = Detections(box, np.array([0.9], np.float32), np.array([1]))
    >>> disagreement(car, car, ("car", "bus")), disagreement(car, bus, ("car", "bus"))
    (0.0, 0.75)

    Args:
        ours: One model's boxes.
        theirs: The other model's boxes, in the same pixels.
        names: Class names by class id, of both models.
        bands: As of `unmatched_weights`.
    """
    each = (unmatched_weights(ours, theirs, names, bands), unmatched_weights(theirs, ours, names, bands))
    return 1 - float(np.prod(1 - np.minimum(0.5 * np.concatenate(each), 1.0)))


def unmatched_weights(
    found: Detections, other: Detections, names: tuple[str, ...], bands: Bands = Bands()
) -> NDArray[np.float64]:
    """(N,) weight of each box of a model that has no match among another model's boxes.

    A match has the same class and an IoU of at least 0.5, at any confidence. An unmatched box
    weighs its class's weight above the band, 0 below it, and in between proportionally to its
    confidence: even two good models differ in the weak boxes of any frame.

    Args:
        found: One model's boxes.
        other: The other model's boxes, in the same pixels.
        names: Class names by class id, of both models.
        bands: Confidences at which a model is unsure, by class.
    """
    is_same = iou(found.xyxy, other.xyxy) >= _MATCH_IOU
    is_same &= found.class_id[:, None] == other.class_id[None]
    is_box = (found.xyxy[:, 2:] > found.xyxy[:, :2]).all(axis=1)  # not one cut off at the edge
    counts: NDArray[np.float64] = np.zeros(len(found))
    for k in np.flatnonzero(is_box & ~is_same.any(axis=1)):
        band = bands.of(names[int(found.class_id[k])])
        sure = (float(found.confidence[k]) - band.low) / (band.high - band.low)
        counts[k] = band.weight * min(max(sure, 0.0), 1.0)
    return counts


@dataclass(slots=True)
class _Seen:
    class_id: int
    last_s: float
    toggles: list[float] = field(default_factory=list)


class FlickerWatch:
    """Detects tracks of one camera whose class or existence toggles.

    An object does not change its class. A model that calls it car, truck and car again within
    seconds, or loses and finds it, may be confident in every frame and is still unsure.

    Args:
        memory_s: Media seconds for which a toggle counts. Longer scores more frames.
        gap_s: Shortest absence, in media seconds of analyzed frames, that counts as a toggle.
            Shorter counts more short misses.

    Attributes:
        toggles: Number of toggles so far, of all tracks.
    """

    def __init__(self, memory_s: float = 3.0, gap_s: float = 0.25) -> None:
        self.toggles = 0
        self._memory_s = memory_s
        self._gap_s = gap_s
        self._before_s = -np.inf
        self._tracks: dict[int, _Seen] = {}

    def score(self, pts: float, tracked: Tracked) -> float:
        """Flicker score of a frame, 0 to 1: toggles of its worst track.

        Args:
            pts: Media time of the frame in seconds, rising.
            tracked: Its tracked boxes.
        """
        worst = 0
        class_ids = tracked.detections.class_id.tolist()
        for track_id, class_id in zip(tracked.track_id.tolist(), class_ids, strict=True):
            if track_id == UNCONFIRMED:
                continue
            seen = self._tracks.setdefault(track_id, _Seen(class_id, pts))
            # Only analyzed frames count: a gated or dropped frame says nothing about a track.
            was_lost = seen.last_s < self._before_s and pts - seen.last_s >= self._gap_s
            new = (class_id != seen.class_id) + was_lost
            seen.toggles += [pts] * new
            self.toggles += new
            seen.class_id, seen.last_s = class_id, pts
            seen.toggles = [t for t in seen.toggles if pts - t <= self._memory_s]
            worst = max(worst, len(seen.toggles))
        for track_id, seen in list(self._tracks.items()):
            if pts - seen.last_s > self._memory_s:
                del self._tracks[track_id]
        self._before_s = pts
        return min(max(worst - 1, 0) / 3, 1.0)  # one change is a correction
