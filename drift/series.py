"""Features of pictures gathered into what `comparison` and `causes` compare."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from drift.causes import Evidence, likely_causes
from drift.comparison import Answer, Policy, compare
from drift.images import IMAGE_FEATURES, Edges, edges_of, measure_image, shift_between
from drift.statistics.distance import Floats
from streetloop.types import Image

_LEAST = {feature.name: feature.least for feature in IMAGE_FEATURES}


@dataclass(frozen=True, slots=True)
class ImageSeries:
    """Pictures of one camera, in the order of time, as numbers.

    Attributes:
        values: (N,) by feature.
        edges: Mean of their `edges_of`.
    """

    values: dict[str, Floats]
    edges: Edges

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))


def gather(pictures: Iterable[Image]) -> ImageSeries:
    """Measure pictures one by one; none of them is kept."""
    rows: dict[str, list[float]] = {feature.name: [] for feature in IMAGE_FEATURES}
    edges = np.zeros((90, 160), np.float32)
    count = 0
    for picture in pictures:
        for name, value in measure_image(picture).items():
            rows[name].append(value)
        edges += edges_of(picture)
        count += 1
    values = {name: np.array(row, np.float64) for name, row in rows.items()}
    return ImageSeries(values, np.asarray(edges / max(count, 1), np.float32))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a window is drift, and why.

    Attributes:
        answers: By feature.
        causes: Likeliest first; empty without drift.
        shift: How far the view moved, as a fraction of the image's width.
    """

    answers: dict[str, Answer]
    causes: list[str]
    shift: float

    @property
    def enough(self) -> bool:
        """True if there were enough pictures on both sides to judge every feature."""
        return bool(self.answers) and all(answer.enough for answer in self.answers.values())

    @property
    def missing(self) -> int:
        """How many pictures are wanting, 0 if there are enough."""
        return max((answer.missing for answer in self.answers.values()), default=0)

    def as_json(self) -> dict[str, Any]:
        """Plain values; null where there was not enough to tell."""
        return {
            "drift": bool(self.causes),
            "causes": self.causes,
            "features": {name: answer.as_json() for name, answer in self.answers.items()},
            "enough": self.enough,
            "missing": self.missing,
        }


def compare_series(reference: ImageSeries, window: ImageSeries, policy: Policy) -> Verdict:
    """Compare two stretches of one camera."""
    answers = compare(reference.values, window.values, _LEAST, policy)
    if not all(answer.enough for answer in answers.values()):
        return Verdict(answers, [], 0.0)
    shift, likeness = shift_between(reference.edges, window.edges)
    causes = likely_causes(Evidence(answers, shift, likeness))
    return Verdict(answers, causes, shift)
