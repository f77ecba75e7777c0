"""Classes with a threshold of their own."""

from pathlib import Path

import numpy as np
import pytest

from streetloop.errors import ModelUnsupported
from streetloop.types import Detections
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.model_file import open_model
from train.model.operating_points import SHOWN, OperatingPoints, read_thresholds, write_thresholds
from train.model.predictor import Predictor

NAMES = ("car", "bus", "truck")
POINTS = OperatingPoints(NAMES, {"car": 0.6, "bus": 0.08})


def found(*rows: tuple[int, float]) -> Detections:
    ids, confidence = np.array([k for k, _ in rows]), np.array([c for _, c in rows], np.float32)
    return Detections(np.zeros((len(rows), 4), np.float32), confidence, ids)


def test_a_threshold_becomes_the_default_of_confidence_and_other_classes_stay() -> None:
    scaled = POINTS.rescaled(found((0, 0.6), (1, 0.08), (2, 0.4)), 0.01)
    by_class = dict(zip(scaled.class_id.tolist(), scaled.confidence.tolist(), strict=True))
    assert by_class == {0: pytest.approx(SHOWN), 1: pytest.approx(SHOWN), 2: pytest.approx(0.4)}


def test_what_a_threshold_hides_is_not_shown() -> None:
    shown = POINTS.rescaled(found((0, 0.59), (0, 0.61), (1, 0.07), (1, 0.09), (2, 0.24), (2, 0.26)), SHOWN)
    assert sorted(shown.class_id.tolist()) == [0, 1, 2]


@pytest.mark.parametrize("class_id", [0, 1, 2])
def test_order_within_a_class_and_the_ends_of_the_scale_stay(class_id: int) -> None:
    raw = np.linspace(0, 1, 101)
    scaled = POINTS.rescaled(found(*((class_id, c) for c in raw)), 0.0).confidence
    assert len(scaled) == 101
    assert (np.diff(scaled) < 0).all(), "most confident first, and no two alike"
    assert (scaled[-1], scaled[0]) == (0, pytest.approx(1))


@pytest.mark.parametrize("confidence", [0.001, 0.1, 0.25, 0.5, 0.9])
def test_nothing_below_the_floor_would_be_kept(confidence: float) -> None:
    floor = POINTS.floor(confidence)
    below, above = 0.99 * floor, 1.01 * floor
    assert not len(POINTS.rescaled(found(*((k, below) for k in range(3))), confidence))
    assert len(POINTS.rescaled(found(*((k, above) for k in range(3))), confidence))


def test_a_model_shows_what_its_thresholds_ask_for_and_has_a_stamp_of_its_own(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "tiny.onnx", detector_output((32, 32, 20, 10, 0, 0.2)))
    plain = open_model(str(path), tmp_path)
    picture = np.zeros((64, 64, 3), np.uint8)
    assert not len(Predictor(plain, image_size=64).predict(picture, SHOWN))
    write_thresholds(path, {plain.names[0]: 0.15})
    lower = open_model(str(path), tmp_path)
    (confidence,) = Predictor(lower, image_size=64).predict(picture, SHOWN).confidence.tolist()
    assert confidence == pytest.approx(0.25 + 0.05 * 0.75 / 0.85)
    assert lower.version.startswith(f"{plain.version}-t")
    write_thresholds(path, {plain.names[0]: 0.16})
    assert open_model(str(path), tmp_path).version not in {plain.version, lower.version}
    write_thresholds(path, {})
    assert open_model(str(path), tmp_path) == plain


def test_a_damaged_table_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "m.thresholds.json").write_text("[0.4]")
    with pytest.raises(ModelUnsupported, match=r"m\.thresholds\.json: is no table of thresholds"):
        read_thresholds(tmp_path / "m.onnx")
