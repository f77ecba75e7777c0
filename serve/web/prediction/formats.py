"""Detections of a picture as JSON: our own, Roboflow's and Ultralytics'."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import BaseModel, Field

from streetloop.types import Detections

PredictionFormat: TypeAlias = Literal["native", "roboflow", "ultralytics"]

_DECIMALS = 5  # as Ultralytics rounds


@dataclass(frozen=True, slots=True)
class PictureDetections:
    """What was found in a picture.

    Attributes:
        model: Version of the model that answered.
        width: Of the picture in pixels.
        height: Of the picture in pixels.
        found: Boxes in pixels of the picture.
        names: Class names by class id.
    """

    model: str
    width: int
    height: int
    found: Detections
    names: tuple[str, ...]

    def rows(self) -> Iterator[tuple[tuple[float, float, float, float], float, int, str]]:
        """Box, confidence, class id and class name of each detection."""
        found = self.found
        rows = found.xyxy.tolist(), found.confidence.tolist(), found.class_id.tolist()
        for box, confidence, k in zip(*rows, strict=True):
            yield tuple(box), confidence, k, self.names[k]


class BoxView(BaseModel):
    """One detection."""

    class_id: int = Field(ge=0)
    class_name: str
    confidence: float = Field(ge=0, le=1)
    xyxy: tuple[float, float, float, float] = Field(
        description="left, top, right, bottom in pixels of the picture"
    )


class Prediction(BaseModel):
    """What was found in a picture."""

    model: str = Field(description="version of the model that answered")
    width: int = Field(description="width of the picture in pixels")
    height: int = Field(description="height of the picture in pixels")
    detections: list[BoxView]


class RoboflowBox(BaseModel):
    """One detection, as Roboflow's inference server has it."""

    x: float = Field(description="of the centre, in pixels of the picture")
    y: float = Field(description="of the centre, in pixels of the picture")
    width: float
    height: float
    confidence: float = Field(ge=0, le=1)
    class_name: str = Field(serialization_alias="class")
    class_id: int = Field(ge=0)
    detection_id: str = Field(description="a UUID of its own")


class RoboflowImage(BaseModel):
    """Size of a picture in pixels."""

    width: int
    height: int


class RoboflowPrediction(BaseModel):
    """What was found in a picture, as Roboflow's inference server has it."""

    image: RoboflowImage
    predictions: list[RoboflowBox]


class UltralyticsBox(BaseModel):
    """Corners in pixels of the picture."""

    x1: float
    y1: float
    x2: float
    y2: float


class UltralyticsDetection(BaseModel):
    """One detection, as Ultralytics' ``Results.summary()`` has it."""

    name: str
    class_id: int = Field(serialization_alias="class", ge=0)
    confidence: float = Field(ge=0, le=1)
    box: UltralyticsBox


OneAnswer: TypeAlias = Prediction | RoboflowPrediction | list[UltralyticsDetection]
SeveralAnswers: TypeAlias = list[Prediction] | list[RoboflowPrediction] | list[list[UltralyticsDetection]]


def _native(one: PictureDetections) -> Prediction:
    boxes = [
        BoxView(class_id=k, class_name=name, confidence=confidence, xyxy=box)
        for box, confidence, k, name in one.rows()
    ]
    return Prediction(model=one.model, width=one.width, height=one.height, detections=boxes)


def _roboflow(one: PictureDetections) -> RoboflowPrediction:
    boxes = [
        RoboflowBox(
            x=(x1 + x2) / 2,
            y=(y1 + y2) / 2,
            width=x2 - x1,
            height=y2 - y1,
            confidence=confidence,
            class_name=name,
            class_id=k,
            detection_id=str(uuid.uuid4()),
        )
        for (x1, y1, x2, y2), confidence, k, name in one.rows()
    ]
    return RoboflowPrediction(image=RoboflowImage(width=one.width, height=one.height), predictions=boxes)


def _ultralytics(one: PictureDetections) -> list[UltralyticsDetection]:
    return [
        UltralyticsDetection(
            name=name,
            class_id=k,
            confidence=round(confidence, _DECIMALS),
            box=UltralyticsBox(
                **{key: round(v, _DECIMALS) for key, v in zip(("x1", "y1", "x2", "y2"), box, strict=True)}
            ),
        )
        for box, confidence, k, name in one.rows()
    ]


FORMATS: Mapping[PredictionFormat, Callable[[PictureDetections], OneAnswer]] = {
    "native": _native,
    "roboflow": _roboflow,
    "ultralytics": _ultralytics,
}
"""What makes the answer of a picture, by format."""
