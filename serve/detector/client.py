"""The client protocol of a detector, and a detector in this process."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import Protocol

from streetloop.errors import AnswerLate
from streetloop.types import Detections, Image
from train.model.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Answer:
    """A detector's answer to one batch of B images.

    Attributes:
        model_version: The model that answered.
        detections: B `Detections`, boxes in input pixels: those of the letterboxed image.
        seconds: Computing time of the batch: CPU time on a CPU, wall-clock time otherwise.
        backend: What computed it, such as ``onnx/fp32``.
        process: Id of the process that computed it.
    """

    model_version: str
    detections: list[Detections]
    seconds: float
    backend: str
    process: int = field(default_factory=os.getpid)


def answer(predictor: Predictor, images: Image, confidence: float) -> Answer:
    """Run a model in this process.

    Args:
        predictor: The model.
        images: (B, H, W, 3) uint8, BGR, letterboxed.
        confidence: Boxes below it are left out.
    """
    # Two models that share a CPU wait for each other; CPU time measures each by itself.
    clock = time.process_time if predictor.backend.device == "cpu" else time.perf_counter
    began = clock()
    found = predictor.detect(images, confidence)
    return Answer(predictor.model.version, found, clock() - began, predictor.backend.name)


class Pending(Protocol):
    """An answer that is in flight."""

    def result(self, timeout_s: float) -> Answer:
        """Wait for the answer, for ``timeout_s`` seconds at most.

        Raises:
            AnswerLate: No answer within ``timeout_s``.
            DetectorError: The detector failed or died.
        """


class DetectorClient(Protocol):
    """Sends batches to a detector. Thread-safe."""

    def submit(self, images: Image) -> Pending:
        """Send a batch; returns at once.

        Args:
            images: (B, H, W, 3) uint8, BGR, letterboxed. Must not be modified any more.

        Raises:
            DetectorError: The detector refused the batch.
        """


class LocalDetector:
    """A `DetectorClient` that runs the model in this process, on a thread of its own.

    Args:
        predictor: The model.
        confidence: Boxes below it are left out.
    """

    def __init__(self, predictor: Predictor, confidence: float) -> None:
        self._predictor = predictor
        self._confidence = confidence
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="detector")

    def submit(self, images: Image) -> "Pending":
        """See `DetectorClient.submit`."""
        return _LocalPending(self, images)

    def close(self) -> None:
        """Finish the submitted batches; blocks."""
        self._pool.shutdown()


class _LocalPending:
    def __init__(self, detector: LocalDetector, images: Image) -> None:
        self._future = detector._pool.submit(answer, detector._predictor, images, detector._confidence)

    def result(self, timeout_s: float) -> Answer:
        try:
            return self._future.result(timeout_s)
        except FutureTimeoutError as error:
            raise AnswerLate(f"no answer within {timeout_s:g} s") from error
