"""Looks at recorded segments on Ray Data: one model per worker, one segment at a time."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import ray.data
from ray.exceptions import RayError
from ray.util.annotations import RayDeprecationWarning

from flows.archive.replay import Work, detect_and_keep
from flows.archive.segment_detections import SegmentDetections, streams_of
from streetloop.errors import DetectorError, StreetloopError
from streetloop.host.processes import lower_priority
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile
from train.model.predictor import Predictor

_CPUS = 0.25  # that Ray counts for a worker; live detection has the rest


def detect_on_ray(
    work: Sequence[Work], model: ModelFile, settings: Settings, store: ObjectStore, *, workers: int
) -> Mapping[str, SegmentDetections]:
    """See `flows.archive.replay.Detect`. Needs a running Ray.

    Args:
        work: The segments.
        model: The model, on a path that all workers see.
        settings: Those of the replay.
        store: Has the segments; keeps every answer, so that nothing is looked at twice.
        workers: Number of workers.

    Raises:
        DetectorError: A worker failed.
    """
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    rows = [{"number": number, "work": one} for number, one in enumerate(work)]
    items = ray.data.from_items(rows, override_num_blocks=len(rows))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RayDeprecationWarning)
        answers = items.map_batches(
            _SegmentWorker,
            fn_constructor_args=(model, settings, store, max(1, settings.threads // workers)),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(rows))),
            num_cpus=_CPUS,
            max_restarts=0,
        )
    found: dict[str, SegmentDetections] = {}
    try:
        for row in answers.iter_rows():
            if isinstance(row["found"], StreetloopError):
                raise row["found"]
            found[work[int(row["number"])][0].key] = SegmentDetections.from_bytes(row["found"])
    except RayError as error:
        raise DetectorError(f"{model.version}: the replay on Ray failed: {error}") from error
    return found


class _SegmentWorker:
    """One model in one worker; it returns our errors as results, because Ray would wrap them."""

    def __init__(self, model: ModelFile, settings: Settings, store: ObjectStore, threads: int) -> None:
        lower_priority()
        self._streams = streams_of(threads)
        backend = open_backend(model, settings.backend, threads, settings.precision, self._streams)
        self._predictor = Predictor(model, backend, settings.image_size)
        self._settings, self._store = settings, store

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        found = np.empty(len(batch["work"]), object)
        for row, (segment, frames) in enumerate(batch["work"]):
            try:
                one = detect_and_keep(
                    self._store, segment, frames, self._predictor, self._settings, self._streams
                )
                found[row] = one.to_bytes()
            except StreetloopError as error:
                found[row] = error
        return {"number": batch["number"], "found": found}
