"""Runs a model on the images of a dataset, on Ray Data: one model per worker."""

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
from streetloop.host.processes import lower_priority
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections
from train.data.dataset import Example
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile
from train.model.predictions import DatasetPredictor
from train.model.predictor import Predictor
from train.ray_placement import on_this_node

_BATCH = 8  # images per task of a worker
_CPUS = 0.25  # that Ray counts for a worker, as for one of a training; live detection has the rest


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
        model: The model file, on a path that all machines see.
        examples: The images.
        store: Keeps them.
        classes: Class ids of the dataset by those of the model; others are left out.
        image_size: Longest side of the model's input in pixels.
        progress: Called with the number of images done.
        workers: Number of workers, each with a model of its own.
        threads: CPU threads of each worker.

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
        # Ray Data has no option of its own for the restarts of an actor yet.
        warnings.simplefilter("ignore", RayDeprecationWarning)
        answers = items.map_batches(
            _PredictionWorker,
            fn_constructor_args=(model, store, dict(classes), image_size, threads),
            batch_size=_BATCH,
            compute=ray.data.ActorPoolStrategy(size=count),
            num_cpus=_CPUS,
            resources=on_this_node(),
            # The caller retries when a worker dies. With restarts Ray prints a warning about its
            # own defaults on every terminal (ray-project/ray#53727).
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
    """One model in one worker; it returns our errors as results, because Ray would wrap them."""

    def __init__(
        self, model: ModelFile, store: ObjectStore, classes: Mapping[int, int], image_size: int, threads: int
    ) -> None:
        lower_priority()
        self._predictor: DatasetPredictor | StreetloopError
        try:
            predictor = Predictor(model, open_backend(model, threads=threads), image_size)
            self._predictor = DatasetPredictor(predictor, store, classes)
        except StreetloopError as error:
            self._predictor = error

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        found = np.empty(len(batch["example"]), object)
        if isinstance(self._predictor, StreetloopError):
            found[:] = self._predictor
        else:
            try:
                for k, answer in enumerate(self._predictor.predict(batch["example"])):
                    found[k] = answer
            except StreetloopError as error:
                found[:] = error
        return {"number": batch["number"], "found": found}
