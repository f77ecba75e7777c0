"""A batch of frames, and a model's answer to it in pixels of those frames."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from serve.detector.client import Answer
from streetloop.types import Detections, Frame, Image
from train.model.preprocess import Letterbox


class DetectorProcess(NamedTuple):
    """A process that answers for an application.

    Attributes:
        model_version: The model that it runs.
        process: Its process id.
    """

    model_version: str
    process: int


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """A model's answer to a batch, with boxes in source pixels.

    A detector answers in pixels of its input (`serve.detector.client.Answer`). `Batch.to_source`
    alone makes one type from the other, so no box is converted twice or never.

    Attributes:
        application: The application that answered.
        model_version: The model behind it.
        detections: One `Detections` a frame; boxes in pixels of that frame, clipped to it.
        seconds: Computing time of the whole batch.
        backend: What computed it, such as ``onnx/fp32``.
        process: Id of the process that answered.
    """

    application: str
    model_version: str
    detections: list[Detections]
    seconds: float
    backend: str
    process: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames of one or several cameras that share an input shape.

    Attributes:
        frames: B frames.
        images: The frames letterboxed, (B, H, W, 3) uint8, BGR.
        letterboxes: How each frame was scaled and padded into its image.
    """

    frames: list[Frame]
    images: Image
    letterboxes: list[Letterbox]

    def to_source(self, answer: Answer, application: str) -> SourceAnswer:
        """Convert an answer's boxes from input pixels to source pixels.

        Raises:
            ValueError: The answer is not for as many images as the batch has.
        """
        detections = [
            replace(found, xyxy=letterbox.to_source(found.xyxy))
            for letterbox, found in zip(self.letterboxes, answer.detections, strict=True)
        ]
        return SourceAnswer(
            application, answer.model_version, detections, answer.seconds, answer.backend, answer.process
        )
