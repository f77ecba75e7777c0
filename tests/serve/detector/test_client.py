import threading
from pathlib import Path

import numpy as np
import pytest

from serve.detector.client import LocalDetector
from streetloop.errors import DetectorError
from streetloop.types import Floats, Image
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.backends.backend import random_batch
from train.model.model_file import open_model
from train.model.predictor import Predictor

ONE_CAR = detector_output((32, 32, 20, 10, 0, 0.9))


class SlowBackend:
    """Answers when it is let."""

    name, device = "slow", "cpu"

    def __init__(self) -> None:
        self.go = threading.Event()

    def run(self, images: Image) -> Floats:
        self.go.wait(60)
        return np.repeat(ONE_CAR[None], len(images), axis=0)


def test_batches_are_answered_with_the_version(tmp_path: Path) -> None:
    model = open_model(str(write_tiny_model(tmp_path / "tiny.onnx", ONE_CAR)), tmp_path)
    detector = LocalDetector(Predictor(model), 0.5)
    first, second = (detector.submit(random_batch((n, 64, 64))) for n in (1, 3))
    assert len(second.result(10).detections) == 3
    answer = first.result(10)
    assert answer.model_version == model.version
    assert answer.detections[0].xyxy.tolist() == [[22, 27, 42, 37]]
    detector.close()


def test_a_failure_and_a_missing_answer_are_detector_errors(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "bad.onnx", np.full_like(ONE_CAR, np.nan))
    model = open_model(str(path), tmp_path)
    broken = LocalDetector(Predictor(model), 0.5)
    with pytest.raises(DetectorError, match="not numbers"):
        broken.submit(random_batch((1, 64, 64))).result(10)
    broken.close()
    backend = SlowBackend()
    slow = LocalDetector(Predictor(model, backend), 0.5)
    pending = slow.submit(random_batch((1, 64, 64)))
    with pytest.raises(DetectorError, match=r"no answer within 0\.01 s"):
        pending.result(0.01)
    backend.go.set()
    slow.close()
