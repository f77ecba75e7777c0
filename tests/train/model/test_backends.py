from pathlib import Path

import numpy as np
import pytest
from onnxruntime.capi import onnxruntime_pybind11_state  # type: ignore[import-untyped]

from streetloop.errors import DetectorError, ModelUnsupported
from tests.support.tiny_model import detector_output, write_tiny_model
from tests.support.vendor_errors import errors_of
from train.model.backends import ORT_ERRORS, OnnxBackend, random_batch


def test_no_error_of_the_runtime_is_left_untranslated() -> None:
    raised = errors_of(onnxruntime_pybind11_state)
    assert len(raised) > 5
    assert [e for e in raised if not issubclass(e, ORT_ERRORS)] == []


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelUnsupported, match="ONNX Runtime refuses it"):
        OnnxBackend(path)


def test_a_batch_that_does_not_fit_is_a_failure_of_the_detector(tmp_path: Path) -> None:
    backend = OnnxBackend(write_tiny_model(tmp_path / "a.onnx", detector_output((5, 5, 4, 4, 0, 0.9))))
    with pytest.raises(DetectorError, match="ONNX Runtime failed"):
        backend.run(random_batch((1, 32, 32))[..., :2])


def test_noise_is_the_same_for_the_same_seed() -> None:
    assert random_batch((2, 8, 16)).shape == (2, 8, 16, 3)
    np.testing.assert_array_equal(random_batch((1, 4, 4), 7), random_batch((1, 4, 4), 7))
