"""What an answer says it took: what tells two models apart that share a machine."""

import threading
import time
from pathlib import Path

import numpy as np

from serve.detector.client import answer
from streetloop.types import Floats, Image
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.backends.backend import random_batch
from train.model.model_file import open_model
from train.model.predictor import Predictor

ONE_CAR = detector_output((32, 32, 20, 10, 0, 0.9))
WAIT_S = 0.2


class _Backend:
    """Waits, or works, before it answers."""

    name = "scripted"

    def __init__(self, device: str, works: bool) -> None:
        self.device = device
        self._works = works

    def run(self, images: Image) -> Floats:
        end = time.perf_counter() + WAIT_S
        if self._works:
            began = time.thread_time()
            while time.thread_time() - began < WAIT_S:
                pass
        else:
            threading.Event().wait(end - time.perf_counter())
        return np.repeat(ONE_CAR[None], len(images), axis=0)


def _seconds(folder: Path, device: str, works: bool) -> float:
    model = open_model(str(write_tiny_model(folder / "tiny.onnx", ONE_CAR)), folder)
    found = answer(Predictor(model, _Backend(device, works)), random_batch((2, 64, 64)), 0.5)
    assert found.model_version == model.version
    assert [len(boxes) for boxes in found.detections] == [1, 1]
    return found.seconds


def test_on_a_processor_waiting_for_others_does_not_count(tmp_path: Path) -> None:
    assert _seconds(tmp_path, "cpu", works=False) < WAIT_S / 2


def test_on_a_processor_work_counts(tmp_path: Path) -> None:
    assert _seconds(tmp_path, "cpu", works=True) >= WAIT_S


def test_elsewhere_the_clock_counts(tmp_path: Path) -> None:
    assert _seconds(tmp_path, "gpu", works=False) >= WAIT_S
