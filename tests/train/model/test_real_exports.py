"""A real detector finds the same boxes however it was exported."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from streetloop.types import Detections, Image
from tests.support.material import material
from tests.support.samples.exports import export, in_half_precision
from train.model.backends.backend import random_batch
from train.model.backends.open_backend import open_backend
from train.model.contract import OutputLayout
from train.model.model_file import ModelFile, open_model
from train.model.predictor import Predictor
from train.model.preprocess import letterbox

pytestmark = pytest.mark.model

_PHOTOS = ("000000000139", "000000000785", "000000000885")
_KINDS = ("onnx", "openvino")


@pytest.fixture(scope="module")
def photos() -> list[Image]:
    folder = material("datasets/coco128_val/images/val2017")
    return [cv2.imread(str(folder / f"{name}.jpg")) for name in _PHOTOS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def dynamic(weights: Path, folder: Path) -> ModelFile:
    return open_model(str(export(weights, "dynamic", folder)), folder)


def _predictor(model: ModelFile, kind: str) -> Predictor:
    return Predictor(model, open_backend(model, kind, 1, "fp32" if kind == "openvino" else "auto"))


def _ordered(found: Detections) -> Detections:
    return found.take(np.lexsort((found.xyxy[:, 0].round(), found.class_id)))


def _assert_same(found: Detections, expected: Detections, pixels: float) -> None:
    ours, theirs = _ordered(found), _ordered(expected)
    assert ours.class_id.tolist() == theirs.class_id.tolist()
    np.testing.assert_allclose(ours.xyxy, theirs.xyxy, atol=pixels)
    np.testing.assert_allclose(ours.confidence, theirs.confidence, atol=0.02)


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize(
    ("name", "size", "batch"),
    [
        ("fixed", (640, 640), 1),
        ("small", (320, 320), 1),
        ("wide", (384, 640), 1),
        ("batch of 4", (640, 640), 4),
    ],
)
def test_a_fixed_export_finds_what_the_free_one_does_at_that_size(
    name: str,
    size: tuple[int, int],
    batch: int,
    kind: str,
    weights: Path,
    dynamic: ModelFile,
    photos: list[Image],
    folder: Path,
) -> None:
    model = open_model(str(export(weights, name, folder)), folder)
    assert (model.contract.input.height, model.contract.input.width) == size
    assert model.contract.input.batch == batch
    fixed, free = _predictor(model, kind), _predictor(dynamic, kind)
    boxed = np.stack([letterbox(photo, size[1], size[0])[0] for photo in photos])
    found = fixed.detect(boxed, 0.3)
    assert sum(len(answer) for answer in found) > 5
    for ours, theirs in zip(found, free.detect(boxed, 0.3), strict=True):
        _assert_same(ours, theirs, 0.5)


@pytest.mark.parametrize("kind", _KINDS)
def test_nms_in_the_network_finds_the_same_in_every_image_of_a_batch(
    kind: str, weights: Path, dynamic: ModelFile, photos: list[Image], folder: Path
) -> None:
    model = open_model(str(export(weights, "nms", folder)), folder)
    assert model.contract.layout is OutputLayout.SELECTED
    boxed = np.stack([letterbox(photo, 640, 640)[0] for photo in photos])
    found = _predictor(model, kind).detect(boxed, 0.3)
    for ours, theirs in zip(found, _predictor(dynamic, kind).detect(boxed, 0.3), strict=True):
        _assert_same(ours, theirs, 0.5)


@pytest.mark.parametrize("kind", _KINDS)
def test_half_precision_moves_a_box_by_less_than_a_pixel(
    kind: str, dynamic: ModelFile, photos: list[Image], folder: Path
) -> None:
    model = open_model(str(in_half_precision(dynamic.onnx, folder / "half.onnx")), folder)
    assert model.contract.input.dtype == "float16"
    for photo in photos:
        ours, theirs = _predictor(model, kind), _predictor(dynamic, kind)
        _assert_same(ours.predict(photo, 0.3), theirs.predict(photo, 0.3), 1.0)


@pytest.mark.parametrize("kind", _KINDS)
def test_a_stride_of_64_runs_on_a_picture_of_4_to_3(kind: str, folder: Path) -> None:
    model = open_model(str(export("yolov8n-p6.yaml", "dynamic", folder)), folder)
    predictor = _predictor(model, kind)
    assert predictor.input_size(640, 480) == (512, 640)
    predictor.predict(np.zeros((480, 640, 3), np.uint8), 0.3)


@pytest.mark.slow
def test_torch_runs_the_head_that_was_exported(tmp_path: Path) -> None:
    """YOLO26 has two: one that needs NMS, and one that does not."""
    from ultralytics import YOLO  # type: ignore[attr-defined]

    # Ultralytics itself would replace a file of this name by a download.
    path = tmp_path / "yolov5n.pt"
    YOLO("yolo26n.yaml").save(path)
    model = open_model(str(path), tmp_path)
    boxed = random_batch((1, 64, 64))
    shapes = [open_backend(model, kind, 1).run(boxed).shape for kind in ("onnx", "torch")]
    assert shapes[0] == shapes[1]
    assert model.contract.fits(shapes[1], 1)
