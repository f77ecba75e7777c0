"""Curves and frames of two versions, from evaluations."""

from pydantic import BaseModel, Field


class CurvePairView(BaseModel):
    """Precision by recall of two versions, at an IoU of 0.5.

    Attributes:
        name: Of the class; None for all, of which precision is the mean over the classes.
        first: Of the first version, by the recalls of the comparison; None where a recall is not
            reached.
        second: Of the second version.
        first_area: Area under the first curve, which is its mAP50.
        second_area: Area under the second.
    """

    name: str | None
    first: list[float | None]
    second: list[float | None]
    first_area: float
    second_area: float


class ComparedBoxView(BaseModel):
    """A box in a frame.

    Attributes:
        xyxy: Left, top, right, bottom in pixels.
        class_name: Its class.
        confidence: 0 to 1; 1 for a true box.
        right: Whether it matches a true box of its class.
    """

    xyxy: tuple[int, int, int, int]
    class_name: str
    confidence: float
    right: bool


class FrameSideView(BaseModel):
    """What one version found in a frame.

    Attributes:
        missed: True boxes that it did not find.
        false: Boxes that match none.
        boxes: What it found, the most confident first.
    """

    missed: int
    false: int
    boxes: list[ComparedBoxView]


class ComparedFrameView(BaseModel):
    """A frame on which two versions differ.

    Attributes:
        image: SHA-256 of its image.
        camera_id: Its camera; empty without one.
        width: In pixels.
        height: In pixels.
        truth: The true boxes.
        first: What the first version found.
        second: What the second version found.
    """

    image: str
    camera_id: str
    width: int
    height: int
    truth: list[ComparedBoxView]
    first: FrameSideView
    second: FrameSideView


class ComparisonDetailsView(BaseModel):
    """Curves and frames of two versions, measured on the same dataset.

    Attributes:
        first: Number of the first version.
        second: Number of the second version.
        evaluations: Numbers of the evaluations that measured them.
        dataset: Digest of the dataset.
        images: Frames of the dataset that were evaluated.
        looked_at: Of these, those whose boxes are kept.
        confidence: From which on a box counts as found in a frame.
        recalls: Of the curves, from 0 to 1.
        curves: All classes first, then by name.
        frames: Those on which the two differ most, by missed and false boxes; none if they do not.
    """

    first: int
    second: int
    evaluations: tuple[int, int]
    dataset: str
    images: int
    looked_at: int
    confidence: float = Field(ge=0, le=1)
    recalls: list[float]
    curves: list[CurvePairView]
    frames: list[ComparedFrameView]
