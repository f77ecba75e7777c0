"""Measures all combinations of a model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from flows.reports.bench.accuracy import differences, map50_95
from flows.reports.bench.choice import BenchRow, best_row
from flows.reports.bench.combinations import Combination, LeaveOut, combinations
from flows.reports.evaluation import EvaluationRequest, LabeledImages, class_ids, open_labels
from flows.reports.pictures import pictures_of
from streetloop.city.oracle import Oracle
from streetloop.errors import ConfigError, DetectorError, SourceError
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.types import Image
from train.model.find_model import find_model
from train.model.model_file import ModelFile
from train.model.preprocess import letterbox
from train.model.timing import time_in_turns

_ROUNDS = 5
_MAX_PICTURES = 24
_STREETS = (
    "sim://kingsport/crossing",
    "sim://larkfield/gantry",
    "sim://millbrook/high-street",
    "sim://stonebridge/quay",
)
_FRAMES_BETWEEN = 40  # in which the traffic of a street changes


@dataclass(frozen=True, slots=True)
class BenchRequest:
    """What is measured.

    Attributes:
        sizes: Image sizes, longest sides of the input in pixels; at least one.
        batches: Pictures of one inference; at least one.
        seconds: Measured time of a combination.
        images: Clip, folder or ``sim://`` URI of the pictures; None for the simulated city.
        dataset: Labeled images for mAP, see `EvaluationRequest`; None for none.
    """

    sizes: tuple[int, ...]
    batches: tuple[int, ...]
    seconds: float
    images: str | None = None
    dataset: str | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """The table.

    Attributes:
        rows: The fastest first.
        best: Index of the best row.
    """

    rows: tuple[BenchRow, ...]
    best: int


def run_bench(
    model: str, request: BenchRequest, settings: Settings, leave_out: LeaveOut, tell: Callable[[str], None]
) -> Bench:
    """Measure a model on this machine.

    Args:
        model: A file, a registry version or an alias.
        request: On what, and how long.
        settings: Threads and confidence as they serve, and where models are.
        leave_out: Told of each combination that is not measured, and why.
        tell: Told what is measured now.

    Raises:
        ConfigError: The pictures cannot be read.
        DatasetError: The dataset cannot be read, or the model lacks a class of it.
        ModelError: The model cannot be used.
        DetectorError: No combination works.
    """
    opened = find_model(model, settings)
    labels = _labels(request, opened, settings)
    pictures = _pictures(request.images)
    asked = combinations(opened, request.sizes, request.batches, settings.threads, leave_out)
    calls = {one: _call(one, pictures, settings.confidence) for one in asked}
    works = {one: call for one, call in calls.items() if _answers(one, call, leave_out)}
    if not works:
        raise DetectorError(f"{opened.version}: no combination works on this machine")
    tell(f"speed of {len(works)} combinations, {request.seconds:g} s each")
    timings = time_in_turns(works, _ROUNDS, request.seconds / _ROUNDS)
    networks = list(dict.fromkeys(one.network for one in works))
    tell(f"accuracy on {len(pictures)} pictures" + (f" and {len(labels.examples)} labeled" if labels else ""))
    moved = differences(networks, pictures, settings.confidence)
    scores = {network: map50_95(network.predictor, labels) for network in networks} if labels else {}
    rows = []
    for one, timing in timings.items():
        backend, precision = one.network.name.split("/")
        height, width = _input_size(one, pictures)
        rows.append(
            BenchRow(
                backend,
                precision,
                one.batch,
                height,
                width,
                fps=round(one.batch / timing.seconds, 2),
                cpu_ms=round(1000 * timing.cpu_s / one.batch, 2),
                map50_95=scores.get(one.network),
                difference=moved.get(one.network),
                settings=one.settings,
            )
        )
    rows.sort(key=lambda row: -row.fps)
    return Bench(tuple(rows), best_row(rows))


def _labels(request: BenchRequest, model: ModelFile, settings: Settings) -> LabeledImages | None:
    if request.dataset is None:
        return None
    labels = open_labels(EvaluationRequest(request.dataset), open_store(settings))
    class_ids(model, labels, {})  # refuses a model that lacks a class before anything is measured
    return labels


def _pictures(name: str | None) -> list[Image]:
    if name is None:
        oracle, each = Oracle(), _MAX_PICTURES // len(_STREETS)
        return [oracle.picture(uri, k * _FRAMES_BETWEEN) for uri in _STREETS for k in range(each)]
    try:
        found = list(pictures_of(name, _MAX_PICTURES))
    except SourceError as error:
        raise ConfigError(str(error)) from error
    if not found:
        raise ConfigError(f"{name}: holds no picture")
    return found


def _call(one: Combination, pictures: Sequence[Image], confidence: float) -> Callable[[], object]:
    """One inference; its batch is made of the pictures in turn."""
    height, width = _input_size(one, pictures)
    chosen = [pictures[k % len(pictures)] for k in range(one.batch)]
    batch = np.stack([letterbox(picture, width, height)[0] for picture in chosen])
    return partial(one.network.predictor.detect, batch, confidence)


def _input_size(one: Combination, pictures: Sequence[Image]) -> tuple[int, int]:
    height, width = pictures[0].shape[:2]
    return one.network.predictor.input_size(width, height)


def _answers(one: Combination, call: Callable[[], object], leave_out: LeaveOut) -> bool:
    try:
        call()
    except (DetectorError, MemoryError) as error:
        size = one.network.predictor.image_size
        leave_out(f"{one.network.name}, batch {one.batch}, size {size}: {error or 'out of memory'}")
        return False
    return True
