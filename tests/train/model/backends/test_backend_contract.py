"""All backends keep one contract, on a real detector."""

from pathlib import Path

import pytest

from tests.support.contracts.backend_contract import BackendContract
from train.model.backends.backend import Backend
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile, open_model

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def detector(weights: Path, model_cache: Path) -> ModelFile:
    return open_model(str(weights), model_cache)


class _OfDetector(BackendContract):
    @pytest.fixture
    def model(self, detector: ModelFile) -> ModelFile:
        return detector


class TestOnnxRuntime(_OfDetector):
    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls, detector: ModelFile) -> Backend:
        return open_backend(detector, "onnx", 1)


class TestOpenVino(_OfDetector):
    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls, detector: ModelFile) -> Backend:
        return open_backend(detector, "openvino", 1, "fp32")


class TestTorch(_OfDetector):
    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls, detector: ModelFile) -> Backend:
        return open_backend(detector, "torch", 1)
