"""Faulty models and detectors, with the faults that occur in practice."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from serve.detector.client import Answer
from serve.detector.deployment import Detector
from streetloop.types import Image
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.predictor import Predictor

_ONE_CAR = ((80.0, 48.0, 30.0, 20.0, 0, 0.9),)
_NOISE = 0.06  # the warm-up picture's variance is 0.083, a street's below 0.05
_MEGABYTE = b"m" * 2**20
_HOLD, _OPENING = ".hold", ".opening"


def good(path: Path, confidence: float = 0.9) -> Path:
    """A model that detects one car; another confidence makes another model."""
    box = (*_ONE_CAR[0][:5], confidence)
    return write_tiny_model(path, detector_output(box))


def not_numbers(path: Path) -> Path:
    """A model whose output is NaN for images of low variance, and so not in the warm-up."""
    plain = onnx.load(good(path))
    nodes = [
        helper.make_node("Mul", ["images", "images"], ["squares"]),
        helper.make_node("ReduceMean", ["squares"], ["mean_square"], keepdims=0),
        helper.make_node("ReduceMean", ["images"], ["mean_all"], keepdims=0),
        helper.make_node("Mul", ["mean_all", "mean_all"], ["square_mean"]),
        helper.make_node("Sub", ["mean_square", "square_mean"], ["variance"]),
        helper.make_node("Sub", ["variance", "noise"], ["excess"]),
        helper.make_node("Sqrt", ["excess"], ["added_value"]),
    ]
    return _graft(plain, nodes, {"noise": np.float32(_NOISE)}, path)


def slow(path: Path, channels: int = 32) -> Path:
    """A model that computes many times as long for the same output."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=(channels, 3, 3, 3)).astype(np.float32)
    second = rng.normal(size=(channels, channels, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["images", "first_w"], ["hidden"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["hidden", "second_w"], ["wide"], pads=[1, 1, 1, 1]),
        helper.make_node("ReduceMean", ["wide"], ["added_value"], keepdims=0),
    ]
    return _graft(onnx.load(good(path)), nodes, {"first_w": first, "second_w": second}, path)


def _graft(model: Any, nodes: list[Any], weights: dict[str, Any], path: Path) -> Path:
    """The model with zero times ``added_value`` added to its output."""
    graph = model.graph
    for node in graph.node:
        node.output[:] = ["plain" if name == "output0" else name for name in node.output]
    end = [
        helper.make_node("Mul", ["added_value", "nothing"], ["nothing_added"]),
        helper.make_node("Add", ["plain", "nothing_added"], ["output0"]),
    ]
    graph.node.extend([*nodes, *end])
    for name, values in {**weights, "nothing": np.float32(0)}.items():
        graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))
    onnx.save(model, path)
    return path


def outside(path: Path) -> Path:
    """A model that detects a car far outside of the image."""
    return write_tiny_model(path, detector_output((9000.0, 9000.0, 30.0, 20.0, 0, 0.9)))


def too_many_classes(path: Path) -> Path:
    """A model that names two classes and scores three."""
    answer = detector_output(*_ONE_CAR)
    return write_tiny_model(path, np.vstack([answer, answer[-1:]]))


def unknown_class(path: Path) -> Path:
    """A model of three classes where the champion has two; it detects the third only."""
    answer = detector_output(*_ONE_CAR)
    answer = np.vstack([answer[:4], np.zeros_like(answer[4:]), answer[4:5]])
    return write_tiny_model(path, answer, metadata={"names": "{0: 'car', 1: 'bus', 2: 'boat'}"})


def truncated(path: Path) -> Path:
    """The first half of a model file."""
    content = good(path).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


@contextlib.contextmanager
def held(model: Path) -> Iterator[Path]:
    """Block every `Patient` that opens this model; gives a file that exists while one waits."""
    hold = Path(f"{model}{_HOLD}")
    with hold.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield Path(f"{model}{_OPENING}")
        finally:
            hold.unlink()


class Patient(Detector):
    """A detector that opens a model only once it is not `held`."""

    def _open(self, model: str) -> Predictor:
        with contextlib.suppress(FileNotFoundError), Path(model + _HOLD).open() as file:
            Path(model + _OPENING).touch()
            fcntl.flock(file, fcntl.LOCK_SH)  # `held` ends the wait, in another process
        return super()._open(model)


class Sleeps(Detector):
    """A detector whose batches take a seventh of a second, and no processor."""

    def _answer(self, images: Image) -> Answer:
        with self._busy:
            time.sleep(1 / 7)
        return super()._answer(images)


class DiesAtLoad(Detector):
    """A detector whose process dies while it opens the model."""

    def _open(self, model: str) -> Predictor:
        os._exit(1)


class DiesAtFirstFrame(Detector):
    """A detector whose process dies at the first frame."""

    async def _run(self, images: Image) -> Answer:
        os._exit(1)


class DiesLater(Detector):
    """A detector whose process dies after 200 frames."""

    _frames = 0

    async def _run(self, images: Image) -> Answer:
        self._frames += len(images)
        if self._frames > 200:
            os._exit(1)
        return await super()._run(images)


class Hangs(Detector):
    """A detector that hangs and answers no health check either."""

    async def _run(self, images: Image) -> Answer:
        time.sleep(3600)  # the fault itself: it blocks the event loop
        raise AssertionError


class AnswersLate(Detector):
    """A detector that answers after a second, without computing."""

    async def _run(self, images: Image) -> Answer:
        self._worker.submit(time.sleep, 1.0)  # the fault itself: a slow model
        return await super()._run(images)


class EatsMemory(Detector):
    """A detector that leaks 20 MB per call."""

    _kept: tuple[bytes, ...] = ()

    async def _run(self, images: Image) -> Answer:
        if len(self._kept) < 100:  # a test must not fill the machine
            self._kept = (*self._kept, _MEGABYTE * 20)
        return await super()._run(images)
