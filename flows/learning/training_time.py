"""How long a training takes, estimated from the last one here."""

from collections.abc import Mapping
from typing import Any

from streetloop.errors import DatasetError
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from train.data.dataset import TRAIN, load_dataset
from train.fine_tuning.recipe import RECIPE
from train.model.find_model import has_registry, open_registry
from train.model_registry import VersionRecord

_SECONDS_PER_MEGAPIXEL = 0.62  # docs/benchmarks.md: 63.4 ms for an image of 320 x 320, on two cores
_START_S = 30.0  # workers, exports, registration
_JUDGE_S = 0.15  # a frame by both models


def training_seconds(settings: Settings, recipe: Mapping[str, Any], images: int, judged: int) -> float:
    """Estimated seconds of a training.

    Args:
        settings: Where the registry is.
        recipe: Options other than the default ones.
        images: Images to learn from.
        judged: Frames to judge by.
    """
    pace = _pace(settings) or _SECONDS_PER_MEGAPIXEL
    return _START_S + pace * _megapixels({**RECIPE, **recipe}, images) + _JUDGE_S * judged


def _pace(settings: Settings) -> float | None:
    """Seconds per megapixel of the newest version that was trained here; None if there is none."""
    if not has_registry(settings):
        return None
    for version in open_registry(settings).versions():
        if version.record.seconds > 0 and version.record.dataset:
            return _pace_of(settings, version.record)
    return None


def _pace_of(settings: Settings, record: VersionRecord) -> float | None:
    try:
        images = len(load_dataset(open_store(settings), record.dataset).split(TRAIN))
    except DatasetError:
        return None
    megapixels = _megapixels(record.recipe, images)
    return record.seconds / megapixels if megapixels > 0 else None


def _megapixels(recipe: Mapping[str, Any], images: int) -> float:
    """What a training looks at, in millions of pixels, over all epochs."""
    options = {**RECIPE, **recipe}
    return float(images * options["epochs"] * options["imgsz"] ** 2) / 1e6
