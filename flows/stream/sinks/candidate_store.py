"""Candidates for labeling: encoded on one thread, stored on another."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.stream.analysis.results import Result
from flows.stream.sources.simulated_picture import SimulatedPicture
from labeling.appearance import embed, fingerprint
from labeling.scoring import Bands, attention, unmatched_weights
from streetloop.boxes import to_boxes
from streetloop.drawing.anonymise import Anonymiser
from streetloop.images import encode_jpeg
from streetloop.ledger.lookups.frame_name import FrameName
from streetloop.ledger.reviews import FrameRecord, SelectionReason
from streetloop.storage.store import ObjectStore, image_key
from streetloop.types import Detections

_JPEG_QUALITY = 92


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A candidate whose JPEG is encoded, so that nothing holds on to its picture.

    Attributes:
        frame_id: Of its camera.
        jpeg: The image.
        record: What the ledger will store.
    """

    frame_id: int
    jpeg: bytes
    record: FrameRecord


class CandidateStore:
    """Encodes and stores candidates, and holds their records until `collect`.

    Safe to use from several threads.

    Args:
        store: Receives the JPEGs, under their digests.
        names: Class names by class id.
        origins: URI by camera, of simulated cameras only: other URIs may carry credentials and
            must not reach a ledger.
        bands: Confidences at which a model is unsure, by class.
        served: Minimum confidence of a box that is shown, 0 to 1. The labeler starts from those
            above it; selection uses the weaker ones, too.
        hide: Blurs what nobody may recognise; None stores pictures as they are.
        run: Name of the run, in whose logs the frames are; empty without logs.
        asked: Names of the classes that labelers are asked about, by camera; all where there are
            none.
    """

    def __init__(
        self,
        store: ObjectStore,
        names: tuple[str, ...],
        origins: Mapping[str, str],
        bands: Bands,
        served: float,
        hide: Anonymiser | None = None,
        run: str = "",
        asked: Mapping[str, tuple[str, ...]] = {},
    ) -> None:
        self._hide, self._run, self._asked = hide or Anonymiser(), run, asked
        self._store, self._names, self._served = store, names, served
        self._origins, self._bands = origins, bands
        self._found: list[FrameRecord] = []
        self._lock = threading.Lock()

    def prepare(
        self, score: float, reason: SelectionReason, result: Result, against: Detections | None = None
    ) -> PreparedFrame:
        """Encode a frame and compute its fingerprint and embedding.

        Args:
            score: Selection score, 0 to 1.
            reason: What made the frame a candidate.
            result: The frame, and the boxes that the labeler starts from.
            against: Another model's boxes. They are not stored, but the embedding then describes
                the disputed box. None without another model.
        """
        frame, picture = result.frame, result.frame.picture
        image = picture.bgr()
        boxes = [result.tracked.detections, *([] if against is None else [against])]
        jpeg = encode_jpeg(self._hide.stored(frame.camera_id, image, *boxes), _JPEG_QUALITY)
        digest, key = image_key(jpeg)
        record = FrameRecord(
            digest=digest,
            image_key=key,
            width=picture.width,
            height=picture.height,
            camera_id=frame.camera_id,
            captured_at=frame.captured_at,
            reason=reason,
            score=score,
            model_version=result.model_version,
            boxes=to_boxes(result.tracked.detections),
            fingerprint=fingerprint(image),
            embedding=embed(image, *self._attention(result.tracked.detections, against)),
            origin=self._origin(result),
            classes=self._names,
            asked=self._asked.get(frame.camera_id, ()),
            served=self._served,
        )
        return PreparedFrame(frame.frame_id, jpeg, record)

    def keep(self, one: PreparedFrame) -> None:
        """Store the JPEG and hold the record.

        Raises:
            StoreError: The JPEG could not be stored; the record is dropped.
        """
        self._store.put(one.record.image_key, one.jpeg)
        with self._lock:
            self._found.append(one.record)

    def collect(self) -> list[FrameRecord]:
        """The records since the last call, in order."""
        with self._lock:
            found, self._found = self._found, []
        return found

    def _attention(
        self, boxes: Detections, against: Detections | None
    ) -> tuple[Detections, NDArray[np.float64]]:
        """Boxes, and how unsure or disputed each of them is."""
        if against is None:
            return boxes, attention(boxes, self._names, self._bands)
        both = Detections(
            np.concatenate([boxes.xyxy, against.xyxy]),
            np.concatenate([boxes.confidence, against.confidence]),
            np.concatenate([boxes.class_id, against.class_id]),
        )
        ours = unmatched_weights(boxes, against, self._names, self._bands)
        theirs = unmatched_weights(against, boxes, self._names, self._bands)
        return both, np.concatenate([ours, theirs])

    def _origin(self, result: Result) -> dict[str, Any]:
        frame, picture = result.frame, result.frame.picture
        name = FrameName(self._run, frame.camera_id, frame.frame_id)
        logged = name.as_json() if self._run else {}
        uri = self._origins.get(frame.camera_id)
        if uri is None or not isinstance(picture, SimulatedPicture):
            return logged
        return {**logged, "uri": uri, "frame": picture.frame}
