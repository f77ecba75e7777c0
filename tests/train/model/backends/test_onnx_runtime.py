from pathlib import Path

import numpy as np
import pytest
from onnxruntime.capi import onnxruntime_pybind11_state  # type: ignore[import-untyped]

from streetloop.errors import DetectorError, ModelUnsupported
from tests.support.contracts.vendor_errors import errors_of
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.backends.backend import random_batch
from train.model.backends.onnx_runtime import ORT_ERRORS, OnnxBackend, half_precision

ONE_CAR = detector_output((5, 5, 4, 4, 0, 0.9))


def test_no_error_of_the_runtime_is_left_untranslated() -> None:
    raised = errors_of(onnxruntime_pybind11_state)
    assert len(raised) > 5
    assert [e for e in raised if not issubclass(e, ORT_ERRORS)] == []


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelUnsupported, match="ONNX Runtime refuses it"):
        OnnxBackend(path)


def test_half_precision_answers_nearly_the_same(tmp_path: Path) -> None:
    whole = write_tiny_model(tmp_path / "a.onnx", ONE_CAR, slope=0.5)
    half = tmp_path / "half.onnx"
    half.write_bytes(half_precision(whole))
    images = random_batch((2, 64, 64))
    np.testing.assert_allclose(OnnxBackend(half).run(images), OnnxBackend(whole).run(images), rtol=2e-3)


def test_a_batch_that_does_not_fit_is_a_failure_of_the_detector(tmp_path: Path) -> None:
    backend = OnnxBackend(write_tiny_model(tmp_path / "a.onnx", ONE_CAR))
    with pytest.raises(DetectorError, match="ONNX Runtime failed"):
        backend.run(random_batch((1, 32, 32))[..., :2])


def test_noise_is_the_same_for_the_same_seed() -> None:
    assert random_batch((2, 8, 16)).shape == (2, 8, 16, 3)
    np.testing.assert_array_equal(random_batch((1, 4, 4), 7), random_batch((1, 4, 4), 7))
