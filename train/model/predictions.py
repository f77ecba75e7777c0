"""Runs a model on the images of a dataset, in this process."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from streetloop.errors import DatasetError, ImageUnreadable
from streetloop.images import decode_image
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections, Image
from train.data.dataset import Example
from train.evaluation.metrics import translated
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile
from train.model.predictor import Predictor

MIN_CONFIDENCE = 0.001
"""Confidence from which on detections count for mAP, whose curve needs the unlikely ones, too."""


def predict_examples(
    model: ModelFile,
    examples: Sequence[Example],
    store: ObjectStore,
    classes: Mapping[int, int],
    image_size: int = 640,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Detections]:
    """Detections of a model in each image, with the dataset's class ids.

    Args:
        model: The model file.
        examples: The images.
        store: Keeps them.
        classes: Class ids of the dataset by those of the model; others are left out.
        image_size: Longest side of the model's input in pixels. Larger finds smaller objects, and
            costs time with its square.
        progress: Called with the number of images done.

    Raises:
        DatasetError: An image cannot be read.
        DetectorError: The model failed.
    """
    predictor = DatasetPredictor(Predictor(model, open_backend(model), image_size), store, classes)
    found: list[Detections] = []
    for answer in predictor.predict(examples):
        found.append(answer)
        progress(len(found))
    return found


class DatasetPredictor:
    """Runs a model on the images of a dataset.

    Args:
        predictor: The model.
        store: Keeps the images.
        classes: Class ids of the dataset by those of the model.
    """

    def __init__(self, predictor: Predictor, store: ObjectStore, classes: Mapping[int, int]) -> None:
        self._predictor = predictor
        self._store = store
        self._classes = classes

    def predict(self, examples: Sequence[Example]) -> Iterator[Detections]:
        """Detections of each image, with the dataset's class ids."""
        # A thread decodes the next image while the model runs on this one.
        with ThreadPoolExecutor(max_workers=1) as pool:
            coming = [pool.submit(read_image, example, self._store) for example in examples[:1]]
            for number in range(len(examples)):
                image = coming.pop().result()
                if number + 1 < len(examples):
                    coming.append(pool.submit(read_image, examples[number + 1], self._store))
                answer = self._predictor.predict(image, MIN_CONFIDENCE, multi_label=True)
                yield translated(answer, self._classes)


def read_image(example: Example, store: ObjectStore) -> Image:
    """The image of an example, (height, width, 3) uint8, blue first.

    Raises:
        DatasetError: It cannot be decoded.
        StoreError: It is not in the store.
    """
    data = store.get(example.key)
    try:
        return decode_image(data)
    except ImageUnreadable as error:
        raise DatasetError(f"image {example.image[:12]} cannot be read") from error
