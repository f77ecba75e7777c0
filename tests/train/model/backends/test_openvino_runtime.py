"""OpenVINO's own: its errors, its precisions, its shapes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest

from streetloop.errors import DetectorError, ModelUnsupported
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.backends.backend import random_batch
from train.model.backends.onnx_runtime import OnnxBackend, half_precision
from train.model.backends.openvino_runtime import OpenVinoBackend

ONE_CAR = detector_output((32, 32, 20, 10, 0, 0.9))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A model whose answer follows the brightness of the image."""
    return write_tiny_model(tmp_path / "tiny.onnx", ONE_CAR, slope=2.0)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelUnsupported, match="OpenVINO refuses it") as refused:
        OpenVinoBackend(path)
    assert "\n" not in str(refused.value)


def test_a_batch_that_does_not_fit_is_a_failure_of_the_detector(tiny: Path) -> None:
    backend = OpenVinoBackend(tiny)
    with pytest.raises(DetectorError, match="OpenVINO failed on"):
        backend.run(random_batch((1, 32, 32))[..., :2])
    assert len(backend.run(random_batch((1, 32, 32)))) == 1, "and the next batch is answered"


def test_one_network_takes_every_shape(tiny: Path) -> None:
    backend, reference = OpenVinoBackend(tiny), OnnxBackend(tiny)
    for shape in ((1, 64, 96), (3, 64, 96), (2, 32, 32), (1, 64, 96)):
        images = random_batch(shape)
        np.testing.assert_allclose(backend.run(images), reference.run(images), rtol=1e-5)


def test_a_network_of_fixed_shape_takes_that_shape_only(tiny: Path, tmp_path: Path) -> None:
    fixed = tmp_path / "fixed.onnx"
    model = onnx.load(tiny)
    for dimension, size in zip(model.graph.input[0].type.tensor_type.shape.dim, (1, 3, 64, 96), strict=True):
        dimension.dim_value = size
    onnx.save(model, fixed)
    backend = OpenVinoBackend(fixed)
    assert backend.run(random_batch((1, 64, 96))).shape == (1, *ONE_CAR.shape)
    with pytest.raises(DetectorError, match="OpenVINO failed on"):
        backend.run(random_batch((1, 32, 32)))


def test_a_network_in_half_precision_is_read(tiny: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.onnx"
    half.write_bytes(half_precision(tiny))
    images = random_batch((2, 64, 64))
    np.testing.assert_allclose(OpenVinoBackend(half).run(images), OnnxBackend(tiny).run(images), rtol=5e-3)


def test_the_name_says_the_precision(tiny: Path) -> None:
    assert OpenVinoBackend(tiny, precision="fp32").name == "openvino/fp32"
    assert OpenVinoBackend(tiny).name in {"openvino/fp32", "openvino/bf16"}


@pytest.mark.parametrize("streams", [1, 3])
def test_two_threads_may_ask_at_once(tiny: Path, streams: int) -> None:
    backend, together = OpenVinoBackend(tiny, streams=streams), threading.Barrier(4)
    batches = [random_batch((1, 32, 32), seed) for seed in range(4)]

    def ask(images: np.ndarray) -> np.ndarray:
        together.wait(60)
        return backend.run(images)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, batches))
    reference = OnnxBackend(tiny)
    for images, answer in zip(batches, answers, strict=True):
        np.testing.assert_allclose(answer, reference.run(images), rtol=1e-5)
