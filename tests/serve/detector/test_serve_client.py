"""A detector behind a real Serve, and callers that leave it alone."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import ray

from flows.runtime.ray_cluster import local_ray
from flows.runtime.session_start import start_serve
from serve.detector.client import Answer
from serve.detector.deployment import Detector, deploy
from serve.detector.serve_client import ServeDetector
from streetloop.settings import Settings
from streetloop.types import Image
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.model_file import open_model

pytestmark = [pytest.mark.ray, pytest.mark.timeout(180)]

IMAGES = np.zeros((1, 96, 160, 3), np.uint8)


class HeldDetector(Detector):
    """Answers once somebody has opened and closed the gate, a named pipe, if there is one."""

    async def detect(self, reference: list["ray.ObjectRef[Image]"]) -> Answer:
        gate = self._cache / "gate"
        if gate.exists():
            await asyncio.get_running_loop().run_in_executor(None, gate.read_bytes)
        return await super().detect(reference)


@ray.remote(num_cpus=0)
class Caller:
    """Calls the detector from a process of its own."""

    def __init__(self) -> None:
        self._client = ServeDetector()

    def call(self) -> int:
        return len(self._client.submit(IMAGES).result(timeout_s=60).detections)

    def process(self) -> int:
        return os.getpid()


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("held")
    settings = Settings(home=home, image_size=160, threads=1)
    model = open_model(
        str(write_tiny_model(home / "m.onnx", detector_output((80, 48, 40, 30, 0, 0.9)))), settings.models
    )
    with local_ray():
        start_serve(settings, with_app=False)
        deploy(model, settings, kind=HeldDetector)
        yield settings.models / "gate"


def test_a_caller_that_stands_still_in_a_call_keeps_nobody_else_waiting(gate: Path) -> None:
    caller = Caller.remote()
    assert ray.get(caller.call.remote()) == 1
    stopped = psutil.Process(ray.get(caller.process.remote()))
    gate.parent.mkdir(exist_ok=True)
    os.mkfifo(gate)
    held = caller.call.remote()
    with gate.open("wb"):  # once the replica reads: the call is there
        stopped.suspend()
        gate.unlink()
    try:
        for _ in range(3):
            assert len(ServeDetector().submit(IMAGES).result(timeout_s=10).detections) == 1
    finally:
        stopped.resume()
    assert ray.get(held) == 1
