"""The drift reference of a model: features of its training images, beside its checkpoint."""

import itertools
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from drift.history import Past
from drift.measurement.features import NAMES
from drift.measurement.image_features import measure_image
from streetloop.boxes import area
from streetloop.errors import ModelUnsupported
from streetloop.types import Detections, Image
from train.model.model_file import ModelFile

_SUFFIX = ".reference.npz"
_BEFORE_BLOCKINESS = 11  # columns of files of versions before 0.2.0
_DAMAGED = (
    *(OSError, ValueError, TypeError, KeyError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)
"""What NumPy and zipfile raise for a damaged file; each becomes `ModelUnsupported`."""


def write_training_past(
    pictures: Iterable[Image], checkpoint: Path, found: Sequence[Detections | None] | None = None
) -> Path:
    """Measure the training images of a checkpoint and write their features beside it.

    Args:
        pictures: (height, width, 3) uint8 each, blue first, camera by camera: their order shows how
            they depend on each other.
        checkpoint: The ``.pt`` file.
        found: Detections of the model in each image, None where they are unknown; by default
            nowhere.

    Returns:
        The file.
    """
    detections = itertools.repeat(None) if found is None else found
    rows = []
    for picture, answer in zip(pictures, detections, strict=found is not None):
        values = {
            **measure_image(picture),
            **(_model_features(answer, picture) if answer is not None else {}),
        }
        rows.append([values.get(name, np.nan) for name in NAMES])
    np.savez_compressed(_beside(checkpoint), values=np.array(rows, np.float16))
    return _beside(checkpoint)


def _model_features(found: Detections, picture: Image) -> dict[str, float]:
    """The `MODEL_FEATURES` of one image, as a drift period has them."""
    if not len(found):
        return {"detections": 0.0}
    share = area(found.xyxy) / (picture.shape[0] * picture.shape[1])
    return {
        "detections": float(len(found)),
        "confidence": float(found.confidence.mean()),
        "box_area": float(np.sqrt(np.median(share))),
    }


def training_past(model: ModelFile) -> Past | None:
    """The training images of a model, as if each were a drift period; None if unknown.

    Raises:
        ModelUnsupported: The file beside the checkpoint is damaged.
    """
    if model.checkpoint is None or not _beside(model.checkpoint).is_file():
        return None
    path = _beside(model.checkpoint)
    try:
        with np.load(path, allow_pickle=False) as file:
            values = np.asarray(file["values"], np.float32)
    except _DAMAGED as error:
        raise ModelUnsupported(f"{path}: is not a reference for drift: {error}") from error
    if values.ndim != 2 or values.shape[1] not in {_BEFORE_BLOCKINESS, len(NAMES)}:
        raise ModelUnsupported(f"{path}: is a reference of other features; make it again")
    # A feature that is newer than the file is NaN, as one that could not be measured.
    newer = len(NAMES) - values.shape[1]
    values = np.pad(values, ((0, 0), (0, newer)), constant_values=np.nan)
    count = len(values)
    return Past(np.arange(count, dtype=np.float64), values, np.zeros((count, 0), np.int32))


def _beside(checkpoint: Path) -> Path:
    return checkpoint.with_name(checkpoint.stem + _SUFFIX)
