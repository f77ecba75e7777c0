"""Two versions of the registry, by what is on record of both."""

from typing import Literal

from pydantic import BaseModel, Field

Mark = Literal["better", "worse", "equal", "unknown"]

VersionForm = Literal["onnx", "pt"]
"""Files of a version: what serves, and the checkpoint."""


class ScoreRowView(BaseModel):
    """mAP50 of two versions in one part of the frames.

    Attributes:
        kind: ``all`` frames, a ``slice`` of them, or the boxes of one ``class``.
        name: Of the slice or the class.
        first: mAP50 of the first version; None where it was not measured.
        second: mAP50 of the second version.
        difference: The second less the first.
        mark: What the difference says of the second version: ``equal`` within the judge's margin,
            ``unknown`` where the two were not measured on the same frames.
    """

    kind: Literal["all", "slice", "class"]
    name: str
    first: float | None
    second: float | None
    difference: float | None
    mark: Mark


class VersionComparisonView(BaseModel):
    """Two versions beside each other.

    Attributes:
        first: Number of the first version.
        second: Number of the second version.
        same_frames: Whether both were measured on the same frames.
        basis: What was compared, in one sentence.
        margin: Differences below it are marked ``equal``.
        rows: All frames first, then slices, then classes.
        evaluations: Numbers of the evaluations of both on one dataset whose curves and frames are
            kept; None without such.
    """

    first: int
    second: int
    same_frames: bool
    basis: str
    margin: float = Field(ge=0)
    rows: list[ScoreRowView]
    evaluations: tuple[int, int] | None = None
