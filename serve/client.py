"""How the flows ask a detector, wherever it runs."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Protocol

from streetloop.errors import DetectorError
from streetloop.types import Detections, Image
from train.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Answer:
    """A detector's answer for one batch.

    Attributes:
        model_version: Which model answered.
        detections: One `Detections` an image, in pixels of the image that was sent.
    """

    model_version: str
    detections: list[Detections]


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
        self._version = detector._predictor.model.version
        self._future = detector._pool.submit(
            detector._predictor.detect, images, detector._confidence
        )

    def result(self, timeout_s: float) -> Answer:
        try:
            return Answer(self._version, self._future.result(timeout_s))
        except FutureTimeoutError as error:
            raise DetectorError(f"no answer within {timeout_s:g} s") from error
