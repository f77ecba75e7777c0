"""Which backend runs a model, and that all of them answer alike."""

import logging
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from streetloop.errors import ConfigError, ModelUnsupported
from tests.support.material import material
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.backends import open_backend as module
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile, open_model
from train.model.predictor import Predictor

ONE_CAR = detector_output((32, 32, 20, 10, 0, 0.9))


@pytest.fixture
def tiny(tmp_path: Path) -> ModelFile:
    """A model without a checkpoint."""
    return open_model(str(write_tiny_model(tmp_path / "tiny.onnx", ONE_CAR)), tmp_path)


def test_the_torch_backend_needs_the_checkpoint(tiny: ModelFile) -> None:
    with pytest.raises(ConfigError, match=r"needs the \.pt file"):
        open_backend(tiny, "torch")


@pytest.mark.parametrize("kind", ["onnx", "torch"])
def test_only_openvino_computes_bf16(tiny: ModelFile, kind: str) -> None:
    with pytest.raises(ConfigError, match="use openvino"):
        open_backend(tiny, kind, precision="bf16")


def test_an_old_processor_gets_onnx_runtime(
    tiny: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = tmp_path / "cpuinfo"
    flags.write_text("flags : fpu sse4_2\n")
    monkeypatch.setattr(module, "_CPU_FLAGS", flags)
    assert open_backend(tiny).name == "onnx/fp32"


def test_another_kind_of_processor_gets_onnx_runtime(
    tiny: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert open_backend(tiny).name == "onnx/fp32"


@pytest.fixture
def without_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine for which there is no wheel."""
    monkeypatch.delitem(sys.modules, "train.model.backends.openvino_runtime", raising=False)
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setattr(module, "_suits_openvino", lambda: True)


@pytest.mark.usefixtures("without_openvino")
def test_without_openvino_onnx_runtime_runs_and_says_so(
    tiny: ModelFile, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert open_backend(tiny).name == "onnx/fp32"
    assert "OpenVINO is not installed here" in caplog.text
    assert "ONNX Runtime runs it" in caplog.text


@pytest.mark.usefixtures("without_openvino")
def test_who_asks_for_openvino_is_refused_without_it(tiny: ModelFile) -> None:
    with pytest.raises(ModelUnsupported, match="OpenVINO is not installed here"):
        open_backend(tiny, "openvino")


def test_a_network_that_openvino_refuses_runs_elsewhere(
    tiny: ModelFile, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise ModelUnsupported("tiny.onnx: OpenVINO refuses it: no such operation")

    monkeypatch.setattr(module, "_suits_openvino", lambda: True)
    monkeypatch.setattr(module, "_open_openvino", refuse)
    with caplog.at_level(logging.WARNING):
        assert open_backend(tiny).name == "onnx/fp32"
    assert "no such operation; ONNX Runtime runs it" in caplog.text


@pytest.mark.model
@pytest.mark.parametrize(
    ("kind", "precision", "pixels", "confidence"),
    [("torch", "auto", 0.1, 1e-3), ("openvino", "fp32", 0.1, 1e-3), ("openvino", "auto", 3.0, 0.05)],
)
def test_the_backends_agree(
    kind: str, precision: str, pixels: float, confidence: float, weights: Path, model_cache: Path
) -> None:
    photo = cv2.imread(str(material("datasets/coco128_val/images/val2017/000000000139.jpg")))
    model = open_model(str(weights), model_cache)
    reference = Predictor(model, open_backend(model, "onnx")).predict(photo, 0.3)
    found = Predictor(model, open_backend(model, kind, precision=precision)).predict(photo, 0.3)
    assert "person" in {model.names[k] for k in reference.class_id}
    assert sorted(found.class_id) == sorted(reference.class_id)
    order = np.lexsort((found.xyxy[:, 0], found.class_id))
    expected = np.lexsort((reference.xyxy[:, 0], reference.class_id))
    np.testing.assert_allclose(found.xyxy[order], reference.xyxy[expected], atol=pixels)
    np.testing.assert_allclose(found.confidence[order], reference.confidence[expected], atol=confidence)
