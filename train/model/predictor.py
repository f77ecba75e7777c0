"""Images in, detections out: preprocessing, network and postprocessing together."""

import numpy as np

from streetloop.errors import AnswerInvalid
from streetloop.types import Detections, Image
from train.model.backends.backend import Backend
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile
from train.model.postprocess import decode
from train.model.preprocess import input_shape, letterbox


class Predictor:
    """A model with its backend.

    Args:
        model: The model file.
        backend: Runs the network; by default the best that this machine has.
        image_size: Longest side of the input in pixels. Larger finds smaller objects, and costs
            time with its square.
    """

    def __init__(self, model: ModelFile, backend: Backend | None = None, image_size: int = 640) -> None:
        self.model = model
        self.backend = backend or open_backend(model)
        self.image_size = image_size

    def detect(self, images: Image, confidence: float, *, multi_label: bool = False) -> list[Detections]:
        """Detect in letterboxed images.

        Args:
            images: (B, H, W, 3) uint8, blue first.
            confidence: Smallest score, in (0, 1].
            multi_label: See `train.model.postprocess.decode`.

        Returns:
            Detections of each image, in pixels of the input, most confident first.

        Raises:
            DetectorError: The runtime failed.
            AnswerInvalid: The output is not of a detector's shape, or has values that are not
                numbers.
        """
        output = self.backend.run(images)
        if output.ndim != 3 or len(output) != len(images):
            raise AnswerInvalid(f"{self.model.version} answers with the shape {output.shape}")
        classes = output.shape[1] - 4
        fits = output.shape[2] == 6 if self.model.end2end else classes == len(self.model.names)
        if not fits:
            raise AnswerInvalid(
                f"{self.model.version} answers with the shape {output.shape}, "
                f"which is not that of a detector of {len(self.model.names)} classes"
            )
        if not np.isfinite(output).all():
            raise AnswerInvalid(f"{self.model.version} answers with values that are not numbers")
        return decode(output, confidence, end2end=self.model.end2end, multi_label=multi_label)

    def predict(self, image: Image, confidence: float, *, multi_label: bool = False) -> Detections:
        """Detections of one (H, W, 3) image, blue first, in pixels of that image; see `detect`.

        Args:
            image: uint8, blue first.
            confidence: Least confidence of a box, 0 to 1; lower returns more boxes.
            multi_label: A box may have several classes.
        """
        height, width = input_shape(image.shape[1], image.shape[0], self.image_size, self.model.stride)
        boxed, box = letterbox(image, width, height)
        found = self.detect(boxed[None], confidence, multi_label=multi_label)[0]
        return Detections(box.to_source(found.xyxy), found.confidence, found.class_id)
