"""How the flows ask a detector, wherever it runs."""

import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Protocol

from streetloop.errors import AnswerLate
from streetloop.types import Detections, Image
from train.model.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Answer:
    """A detector's answer for one batch.

    Attributes:
        model_version: Which model answered.
        detections: One `Detections` an image, in pixels of the image that was sent.
        seconds: Computing time: the processor's if the model runs on one, else the clock's.
    """

    model_version: str
    detections: list[Detections]
    seconds: float


def answer(predictor: Predictor, images: Image, confidence: float) -> Answer:
    """Ask a model in this process."""
    # Two models that share a processor wait for each other; what each uses of it tells them apart.
    own = "CPU" in predictor.backend.name or predictor.backend.name.endswith("/cpu")
    clock = time.process_time if own else time.perf_counter
    began = clock()
    found = predictor.detect(images, confidence)
    return Answer(predictor.model.version, found, clock() - began)


class Pending(Protocol):
    """An answer that is under way."""

    def result(self, timeout_s: float) -> Answer:
        """Wait for it.

        Raises:
            DetectorError: The detector failed, died, or did not answer in time.
        """


class DetectorClient(Protocol):
    """Sends batches to a detector; safe to use from several threads."""

    def submit(self, images: Image) -> Pending:
        """Send letterboxed images (B, H, W, 3) uint8, blue first; returns at once.

        The caller does not write to ``images`` any more.
        """


class LocalDetector:
    """A `DetectorClient` that runs the model in this process, on a thread of its own."""

    def __init__(self, predictor: Predictor, confidence: float) -> None:
        self._predictor = predictor
        self._confidence = confidence
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="detector")

    def submit(self, images: Image) -> "Pending":
        """See `DetectorClient.submit`."""
        return _LocalPending(self, images)

    def close(self) -> None:
        """Finish what was submitted."""
        self._pool.shutdown()


class _LocalPending:
    def __init__(self, detector: LocalDetector, images: Image) -> None:
        self._future = detector._pool.submit(answer, detector._predictor, images, detector._confidence)

    def result(self, timeout_s: float) -> Answer:
        try:
            return self._future.result(timeout_s)
        except FutureTimeoutError as error:
            raise AnswerLate(f"no answer within {timeout_s:g} s") from error
