"""Frames that might be worth asking about, whole: made ready on one thread, kept on another."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flows.stream.analysis.results import Result
from flows.stream.sources.simulated import SimulatedPicture
from labeling.appearance import embed, fingerprint
from labeling.queue import to_review
from labeling.scoring import Bands, attention, contradictions
from labeling.selection import Candidate
from labeling.task import SelectionReason, Task
from streetloop.images import encode_jpeg
from streetloop.ledger.reviews import Review
from streetloop.storage.store import ObjectStore, image_key
from streetloop.types import Detections

_JPEG_QUALITY = 92


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A frame that can be kept: its JPEG is made, and nothing holds on to its picture.

    Attributes:
        frame_id: Of its camera.
        jpeg: The picture.
        review: What is noted of it.
    """

    frame_id: int
    jpeg: bytes
    review: Review


class CandidateStore:
    """Makes frames ready, stores them, and holds what is to be noted until somebody collects it.

    Safe to use from several threads.

    Args:
        store: Where whole frames are kept, named by their content.
        names: Class names by class id.
        origins: URI by camera, of simulated ones; nothing else may be written into a ledger.
        bands: Where a model is unsure.
    """

    def __init__(
        self, store: ObjectStore, names: tuple[str, ...], origins: Mapping[str, str], bands: Bands
    ) -> None:
        self._store, self._names = store, names
        self._origins, self._bands = origins, bands
        self._found: list[Review] = []
        self._lock = threading.Lock()

    def ready(
        self, score: float, reason: SelectionReason, result: Result, against: Detections | None = None
    ) -> PreparedFrame:
        """A frame with its boxes, its JPEG, and what it looks like.

        Args:
            score: How much it is wanted.
            reason: Why.
            result: The frame, and the boxes that a labeller starts from.
            against: What another model found in it; nothing of it is kept, but a choice is spread
                over what is in dispute. None where there is no other.
        """
        frame, picture = result.frame, result.frame.picture
        image = picture.bgr()
        jpeg = encode_jpeg(image, _JPEG_QUALITY)
        digest, key = image_key(jpeg)
        task = Task(
            digest,
            key,
            picture.width,
            picture.height,
            frame.camera_id,
            frame.captured_at,
            reason,
            score,
            0,
            result.model_version,
            result.tracked.detections,
            origin=self._origin(result),
        )
        looks = embed(image, *self._asked(result.tracked.detections, against))
        candidate = Candidate(
            digest, frame.camera_id, frame.captured_at, reason, score, fingerprint(image), looks
        )
        return PreparedFrame(frame.frame_id, jpeg, to_review(candidate, task))

    def keep(self, one: PreparedFrame) -> None:
        """Store it and note it.

        Raises:
            StoreError: It could not be stored; it is not noted then.
        """
        self._store.put(one.review.image_key, one.jpeg)
        with self._lock:
            self._found.append(one.review)

    def collect(self) -> list[Review]:
        """What was noted since the last call, in order."""
        with self._lock:
            found, self._found = self._found, []
        return found

    def _asked(self, boxes: Detections, against: Detections | None) -> tuple[Detections, NDArray[np.float64]]:
        """Boxes, and how much is asked about each."""
        if against is None:
            return boxes, attention(boxes, self._names, self._bands)
        both = Detections(
            np.concatenate([boxes.xyxy, against.xyxy]),
            np.concatenate([boxes.confidence, against.confidence]),
            np.concatenate([boxes.class_id, against.class_id]),
        )
        ours = contradictions(boxes, against, self._names, self._bands)
        theirs = contradictions(against, boxes, self._names, self._bands)
        return both, np.concatenate([ours, theirs])

    def _origin(self, result: Result) -> dict[str, str | int]:
        picture = result.frame.picture
        uri = self._origins.get(result.frame.camera_id)
        if uri is None or not isinstance(picture, SimulatedPicture):
            return {}
        return {"uri": uri, "frame": picture.frame}
