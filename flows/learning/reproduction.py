"""Reproduces a version from its record, and compares the two."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from flows.learning.register_version import disk_told
from flows.learning.training_job import learn
from flows.learning.training_plan import TrainingRequest
from streetloop.errors import DatasetError, TrainingError
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from train.data.dataset import load_dataset
from train.fine_tuning.recipe import Progress
from train.model.find_model import find_model, open_registry
from train.model_registry import Registry, stamp


@dataclass(frozen=True, slots=True)
class Reproduction:
    """Comparison of a version with its reproduction.

    Attributes:
        number: The version.
        again: The reproduced version.
        equal: True if all weights are equal.
        largest: Largest absolute difference of a weight.
        scores: mAP50 by slice, of the version and of its reproduction.
    """

    number: int
    again: int
    equal: bool
    largest: float
    scores: dict[str, tuple[float, float]]


def reproduce(
    settings: Settings, name: str, say: Callable[[str], None], progress: Callable[[Progress], None]
) -> Reproduction:
    """Train a version again from its record. Needs a running Ray.

    Raises:
        DatasetError: Its dataset is gone, or it was not trained here.
        RegistryError: There is no such version.
        TrainingError: It started from a file that is no version.
    """
    registry: Registry = open_registry(settings)
    version = registry.find(name)
    record = version.record
    if record.parent is None or not record.dataset:
        raise DatasetError(f"version {version.number} was not trained here: it has no parent")
    if (start := record.trigger.get("start")) is not None:
        raise TrainingError(
            f"version {version.number} started from {start}, which is no version: it cannot be made again"
        )
    dataset = load_dataset(open_store(settings), record.dataset)
    wanted = tuple(str(s) for s in record.trigger.get("slices", ()))
    request = TrainingRequest(
        f"reproduce-{version.number}-{stamp()}",
        wanted,
        {"kind": "reproduction", "of": version.number, "slices": list(wanted)},
        record.recipe,
        challenges=False,
        classes=record.trigger.get("classes"),
    )
    parent = registry.find(str(record.parent))
    with disk_told(settings):
        outcome = learn(settings, parent, dataset, request, say, progress)
    again = outcome.version
    scores = {
        key: (value, again.record.scores.get(key, float("nan"))) for key, value in record.scores.items()
    }
    largest = _largest_difference(settings, version.number, again.number)
    return Reproduction(version.number, again.number, largest == 0.0, largest, scores)


def _largest_difference(settings: Settings, one: int, other: int) -> float:
    import onnx
    from onnx import numpy_helper

    weights = []
    for number in (one, other):
        model = onnx.load(str(find_model(str(number), settings).onnx))
        weights.append({t.name: numpy_helper.to_array(t) for t in model.graph.initializer})
    before, again = weights
    if before.keys() != again.keys():
        return float("inf")
    return max(
        (float(np.abs(before[k].astype(np.float64) - again[k]).max()) for k in before if before[k].size),
        default=0.0,
    )
