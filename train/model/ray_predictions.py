"""What a model finds in the images of a dataset, on Ray Data: a model a worker, images by batch."""

import logging
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import ray.data
from ray.exceptions import RayError
from ray.util.annotations import RayDeprecationWarning

from streetloop.errors import DetectorError, StreetloopError
from streetloop.processes import lower_priority
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections
from train.data.dataset import Example
from train.model.backends import open_backend
from train.model.model_file import ModelFile
from train.model.predictions import DatasetPredictor
from train.model.predictor import Predictor

_BATCH = 8  # images that a worker takes at once
_CPUS = 0.25  # as the training's: what Ray counts; live detection has the rest


def predict_on_ray(
    model: ModelFile,
    examples: Sequence[Example],
    store: ObjectStore,
    classes: Mapping[int, int],
    image_size: int = 640,
    progress: Callable[[int], None] = lambda _: None,
    *,
    workers: int = 1,
    threads: int = 1,
) -> list[Detections]:
    """The same as `train.model.predictions.predict_examples`. Needs a running Ray.

    Args:
        model: Which; its files are where all machines see them.
        examples: The images.
        store: Where they are.
        classes: Class ids of the dataset by those of the model.
        image_size: Longest side of the model's input.
        progress: Called with the number of images done.
        workers: How many look at images, each with a model of its own.
        threads: Of each.

    Raises:
        DatasetError: An image cannot be read.
        DetectorError: The model failed.
    """
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # it warns that items are no table
    count = min(workers, max(1, len(examples) // _BATCH))
    # Plain items: a table would want one schema for boxes of all numbers and origins of all kinds.
    rows = [{"number": k, "example": replace(e, origin={})} for k, e in enumerate(examples)]
    blocks = max(1, math.ceil(len(rows) / _BATCH))
    items = ray.data.from_items(rows, override_num_blocks=blocks)
    with warnings.catch_warnings():
        # How often an actor is begun again has no name of its own in Ray Data yet.
        warnings.simplefilter("ignore", RayDeprecationWarning)
        answers = items.map_batches(
            _PredictionWorker,
            fn_constructor_args=(model, store, dict(classes), image_size, threads),
            batch_size=_BATCH,
            compute=ray.data.ActorPoolStrategy(size=count),
            num_cpus=_CPUS,
            # A worker that dies is an error, told once: whoever judges asks again. With restarts
            # Ray writes a doubt about its own on every terminal (ray-project/ray#53727).
            max_restarts=0,
        )
    found: dict[int, Detections] = {}
    try:
        for row in answers.iter_rows():
            if isinstance(row["found"], StreetloopError):
                raise row["found"]
            found[int(row["number"])] = row["found"]
            progress(len(found))
    except RayError as error:
        raise DetectorError(f"{model.version}: judging on Ray failed: {error}") from error
    return [found[k] for k in range(len(examples))]


class _PredictionWorker:
    """One model in one worker; errors of ours are answers, which Ray would wrap in its own."""

    def __init__(
        self, model: ModelFile, store: ObjectStore, classes: Mapping[int, int], image_size: int, threads: int
    ) -> None:
        lower_priority()
        self._look: DatasetPredictor | StreetloopError
        try:
            predictor = Predictor(model, open_backend(model, threads=threads), image_size)
            self._look = DatasetPredictor(predictor, store, classes)
        except StreetloopError as error:
            self._look = error

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        found = np.empty(len(batch["example"]), object)
        if isinstance(self._look, StreetloopError):
            found[:] = self._look
        else:
            try:
                for k, answer in enumerate(self._look.over(batch["example"])):
                    found[k] = answer
            except StreetloopError as error:
                found[:] = error
        return {"number": batch["number"], "found": found}
