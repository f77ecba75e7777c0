"""Anomalies with a picture of each: stored on a thread, then held for the worker's report."""

import queue
import threading
from dataclasses import replace
from typing import Any

from flows.stream.analysis.results import Result
from flows.stream.anomalies.anomaly_watch import Anomaly
from streetloop.drawing.anonymise import Anonymiser
from streetloop.errors import StoreError
from streetloop.images import encode_jpeg
from streetloop.ledger.lookups.frame_name import FrameName
from streetloop.storage.store import ObjectStore
from streetloop.types import Frame

_JPEG_QUALITY = 90


class AnomalyEvidence:
    """A `Sink` that stores the frame in which an anomaly was found, and notes which one it was.

    Begins and ends are handed out in order. One whose picture cannot be stored is handed out
    without it, and the error is raised at the next frame.

    Args:
        store: Receives the JPEGs.
        hide: Blurs what nobody may recognise; None stores pictures as they are.
        run: Name of the run, in whose logs the frames are; empty without logs.
    """

    def __init__(self, store: ObjectStore, hide: Anonymiser | None = None, run: str = "") -> None:
        self._store, self._hide, self._run_name = store, hide or Anonymiser(), run
        self._begun: dict[tuple[str, str], dict[str, Any]] = {}
        self._work: queue.SimpleQueue[tuple[Anomaly, bytes] | None] = queue.SimpleQueue()
        self._found: list[Anomaly] = []
        self._error: StoreError | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def take(self, result: Result) -> None:
        """See `Sink.take`.

        Raises:
            StoreError: A picture before was not stored.
        """
        for anomaly in result.anomalies:
            begins = anomaly.ended_at is None
            jpeg = self._encoded(result) if begins else b""
            self._started().put((self._named(anomaly, result.frame), jpeg))
        self._raise()

    def collect(self) -> list[Anomaly]:
        """Begins and ends since the last call, in order."""
        with self._lock:
            found, self._found = self._found, []
        return found

    def close(self) -> None:
        """See `Sink.close`: waits until every picture is stored.

        Raises:
            StoreError: One was not.
        """
        if self._thread is not None:
            self._work.put(None)
            self._thread.join()
            self._thread = None
        self._raise()

    def _named(self, anomaly: Anomaly, frame: Frame) -> Anomaly:
        """With the name of the frame in which it began; the end has it, too."""
        if not self._run_name:
            return anomaly
        of = (anomaly.camera_id, anomaly.key)
        name = FrameName(self._run_name, anomaly.camera_id, frame.frame_id).as_json()
        found = self._begun.setdefault(of, name) if anomaly.ended_at is None else self._begun.pop(of, {})
        return replace(anomaly, detail={**anomaly.detail, **found})

    def _encoded(self, result: Result) -> bytes:
        frame = result.frame
        image = self._hide.stored(frame.camera_id, frame.picture.bgr(), result.tracked.detections)
        return encode_jpeg(image, _JPEG_QUALITY)

    def _started(self) -> "queue.SimpleQueue[tuple[Anomaly, bytes] | None]":
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="anomaly-evidence", daemon=True)
            self._thread.start()
        return self._work

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            anomaly, jpeg = work
            kept = self._stored(anomaly, jpeg) if jpeg else anomaly
            with self._lock:
                self._found.append(kept)

    def _stored(self, anomaly: Anomaly, jpeg: bytes) -> Anomaly:
        at = anomaly.started_at
        key = f"events/{at:%Y-%m-%d}/{anomaly.camera_id}/{at:%H%M%S}-{anomaly.key}.jpg"
        try:
            self._store.put(key, jpeg)
        except StoreError as error:
            self._error = error
            return anomaly
        return replace(anomaly, evidence=(key,))

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error
