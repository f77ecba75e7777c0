"""Images in, detections out: preprocessing, network and postprocessing together."""

from dataclasses import replace

import numpy as np

from streetloop.errors import AnswerInvalid
from streetloop.types import Detections, Floats, Image
from train.model.backends.backend import Backend
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile
from train.model.operating_points import OperatingPoints
from train.model.postprocess import decode
from train.model.preprocess import letterbox


class Predictor:
    """A model with its backend.

    Args:
        model: The model file.
        backend: Runs the network; by default the best that this machine has.
        image_size: Longest side of the input in pixels. Larger finds smaller objects, and costs
            time with its square. A model of fixed size has its own.
    """

    def __init__(self, model: ModelFile, backend: Backend | None = None, image_size: int = 640) -> None:
        self.model = model
        self.backend = backend or open_backend(model)
        self.image_size = image_size
        self._points = OperatingPoints(model.names, model.thresholds) if model.thresholds else None

    def detect(self, images: Image, confidence: float, *, multi_label: bool = False) -> list[Detections]:
        """Detect in letterboxed images.

        Images of a size that the model does not take, as those that were letterboxed for another
        one, are letterboxed once more.

        Args:
            images: (B, H, W, 3) uint8, blue first.
            confidence: Smallest score, in (0, 1]. Scores of classes with a threshold of their
                own are rescaled, see `train.model.operating_points`.
            multi_label: See `train.model.postprocess.decode`.

        Returns:
            Detections of each image, in pixels of the image, most confident first.

        Raises:
            DetectorError: The runtime failed.
            AnswerInvalid: The output is not what the model's contract says, or has values that are
                not numbers.
        """
        height, width = images.shape[1:3]
        if self.model.contract.input.accepts(height, width):
            return self._decoded(images, confidence, multi_label)
        height, width = self.input_size(width, height)
        boxed = [letterbox(image, width, height) for image in images]
        answers = self._decoded(np.stack([image for image, _ in boxed]), confidence, multi_label)
        return [
            replace(found, xyxy=box.to_source(found.xyxy))
            for found, (_, box) in zip(answers, boxed, strict=True)
        ]

    def predict(self, image: Image, confidence: float, *, multi_label: bool = False) -> Detections:
        """Detections of one (H, W, 3) image, blue first, in pixels of that image; see `detect`.

        Args:
            image: uint8, blue first.
            confidence: Least confidence of a box, 0 to 1; lower returns more boxes.
            multi_label: A box may have several classes.
        """
        height, width = self.input_size(image.shape[1], image.shape[0])
        boxed, box = letterbox(image, width, height)
        found = self.detect(boxed[None], confidence, multi_label=multi_label)[0]
        return Detections(box.to_source(found.xyxy), found.confidence, found.class_id)

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        """(height, width) in pixels of the input for a picture of this size."""
        return self.model.contract.input.size_for(width, height, self.image_size)

    def _decoded(self, images: Image, confidence: float, multi_label: bool) -> list[Detections]:
        """Detections in images of a size that the model takes."""
        contract, version = self.model.contract, self.model.version
        output = self._run(images)
        if not contract.fits(output.shape, len(images)):
            raise AnswerInvalid(
                f"{version} answers {len(images)} images with the shape {output.shape}, "
                f"which is not that of a detector of {len(contract.names)} classes"
            )
        if not np.isfinite(output).all():
            raise AnswerInvalid(f"{version} answers with values that are not numbers")
        floor = confidence if self._points is None else self._points.floor(confidence)
        found = decode(output, floor, contract.layout, multi_label=multi_label)
        for answer in found:
            if len(answer) and not 0 <= answer.class_id.min() <= answer.class_id.max() < len(contract.names):
                raise AnswerInvalid(f"{version} answers with a class that it does not name")
        return found if self._points is None else [self._points.rescaled(one, confidence) for one in found]

    def _run(self, images: Image) -> Floats:
        """The raw answer; a model of fixed batch gets as many at a time, the last filled up."""
        batch = self.model.contract.input.batch
        if batch is None or batch == len(images):
            return self.backend.run(images)
        answers = []
        for start in range(0, len(images), batch):
            part = images[start : start + batch]
            filled = np.concatenate([part, np.zeros((batch - len(part), *part.shape[1:]), np.uint8)])
            answers.append(self.backend.run(filled)[: len(part)])
        return np.concatenate(answers)
