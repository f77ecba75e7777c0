"""Operating points: the confidence from which on a class is shown, where it has one of its own.

Everything behind a model compares confidences with one number, the setting ``confidence``. A
class with a threshold of its own therefore has its confidences rescaled, so that the threshold
becomes that setting's default: what is shown, counted and tracked is what the threshold asks for.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from streetloop.errors import ModelUnsupported
from streetloop.host.files import write_whole
from streetloop.host.paths import is_file
from streetloop.settings import Settings
from streetloop.types import Detections, Floats

SHOWN: float = Settings.model_fields["confidence"].default
"""What a threshold becomes."""

_SUFFIX = ".thresholds.json"
_LEAST, _MOST = 0.01, 0.99


class OperatingPoints:
    """The thresholds of a model's classes.

    Args:
        names: Class names by class id.
        thresholds: Confidence by class name, 0 to 1; other classes keep the model's confidences.
    """

    def __init__(self, names: Sequence[str], thresholds: Mapping[str, float]) -> None:
        wanted = [thresholds.get(name, SHOWN) for name in names]
        self._by_class = np.clip(np.array(wanted, np.float32), _LEAST, _MOST)

    def floor(self, confidence: float) -> float:
        """The least confidence of the model that becomes ``confidence`` in some class."""
        at = self._by_class
        below, above = confidence * at / SHOWN, at + (confidence - SHOWN) * (1 - at) / (1 - SHOWN)
        return float(np.where(confidence < SHOWN, below, above).min())

    def rescaled(self, found: Detections, confidence: float) -> Detections:
        """A model's boxes with rescaled confidences, most confident first.

        >>> boxes, ids = np.zeros((3, 4), np.float32), np.array([0, 0, 1])
        >>> found = Detections(boxes, np.array([0.5, 0.3, 0.2], np.float32), ids)
        >>> points = OperatingPoints(["car", "bus"], {"car": 0.5, "bus": 0.1})
        >>> [round(c, 3) for c in points.rescaled(found, 0.2).confidence.tolist()]
        [0.333, 0.25]

        Args:
            found: The model's boxes.
            confidence: Least rescaled confidence of a box that is kept.
        """
        at = self._by_class[found.class_id]
        raw = found.confidence
        below, above = raw * SHOWN / at, SHOWN + (raw - at) * (1 - SHOWN) / (1 - at)
        scaled: Floats = np.where(raw < at, below, above).astype(np.float32)
        order = np.argsort(-scaled, kind="stable")
        kept = order[scaled[order] >= np.float32(confidence)]
        return replace(found.take(kept), confidence=scaled[kept])


def read_thresholds(model: Path) -> dict[str, float]:
    """The thresholds beside a model file; none where there is no such file.

    Args:
        model: The ``.onnx`` or ``.pt`` file.

    Raises:
        ModelUnsupported: They cannot be read.
    """
    file = thresholds_file(model)
    if not is_file(file, ModelUnsupported):
        return {}
    try:
        return {str(name): float(value) for name, value in json.loads(file.read_text("utf-8")).items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelUnsupported(f"{file}: is no table of thresholds ({type(error).__name__})") from None


def write_thresholds(model: Path, thresholds: Mapping[str, float]) -> None:
    """Put thresholds beside a model file, in the place of those that were there.

    Args:
        model: The ``.onnx`` or ``.pt`` file.
        thresholds: Confidence by class name; none removes the file.
    """
    file = thresholds_file(model)
    if not thresholds:
        file.unlink(missing_ok=True)
    elif read_thresholds(model) != thresholds:
        write_whole(file, json.dumps(dict(thresholds)))


def thresholds_file(model: Path) -> Path:
    """Where the thresholds of a model file are, if it has some."""
    return model.with_name(f"{model.stem}{_SUFFIX}")
