"""The detection log: Parquet, partitioned by camera and hour, in the object store."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flows.stream.analysis.results import Result
from flows.stream.sinks.parquet_objects import ParquetObjects, hour_of
from streetloop.clock import Clock
from streetloop.errors import StoreError
from streetloop.storage.store import ObjectWriter
from streetloop.types import UNCONFIRMED, Tracked

_FIELDS: "list[pa.Field[Any]]" = [
    pa.field("camera_id", pa.string(), nullable=False),
    pa.field("frame_id", pa.int64(), nullable=False),
    pa.field("pts", pa.float64(), nullable=False),
    pa.field("captured_at", pa.timestamp("us", tz="UTC"), nullable=False),
    pa.field("track_id", pa.int64()),
    pa.field("class_id", pa.int32(), nullable=False),
    pa.field("class_name", pa.string(), nullable=False),
    pa.field("confidence", pa.float32(), nullable=False),
    pa.field("x1", pa.float32(), nullable=False),
    pa.field("y1", pa.float32(), nullable=False),
    pa.field("x2", pa.float32(), nullable=False),
    pa.field("y2", pa.float32(), nullable=False),
    pa.field("model_version", pa.string(), nullable=False),
    pa.field("counted", pa.bool_(), nullable=False),
    pa.field("weak", pa.bool_(), nullable=False),
]
SCHEMA = pa.schema(_FIELDS)
_MAX_ROWS = 50_000


class _Entry(NamedTuple):
    """A result without its picture, which must not stay in memory until the next flush."""

    frame_id: int
    pts: float
    captured_at: datetime
    tracked: Tracked
    model_version: str
    counted: NDArray[np.bool_]


@dataclass(slots=True)
class _Buffer:
    """The unwritten entries of one camera and hour."""

    hour: str
    began_s: float
    entries: list[_Entry] = field(default_factory=list)
    rows: int = 0


class DetectionLog:
    """A `Sink` that writes one row per detection, with the columns of `SCHEMA`.

    Objects are named as `ParquetObjects` says. A camera without detections gets an object without
    rows, so the log is readable in any case.

    Args:
        store: The object store.
        prefix: Key of the log.
        part: Distinguishes this writer's objects from those of other writers.
        cameras: Ids of the cameras.
        names: Class names by class id.
        flush_s: Seconds between writes. Lower loses less in a crash, which costs the last
            ``flush_s`` seconds; higher writes fewer and larger objects.
        clock: Time.
        confidence: A box below it, which extends a track, is marked as ``weak``; 0 marks none.
    """

    def __init__(
        self,
        store: ObjectWriter,
        prefix: str,
        part: str,
        cameras: list[str],
        names: tuple[str, ...],
        flush_s: float,
        clock: Clock,
        confidence: float = 0.0,
    ) -> None:
        self._objects = ParquetObjects(store, prefix, part)
        self._names = np.array(names, dtype=object)
        self._flush_s = flush_s
        self._clock, self._confidence = clock, confidence
        self._buffers: dict[str, _Buffer] = {}
        self._silent = set(cameras)

    def take(self, result: Result) -> None:
        """See `Sink.take`.

        Raises:
            StoreError: A write failed; the rows are kept for the next one.
        """
        camera = result.frame.camera_id
        hour = hour_of(result.frame.captured_at)
        now_s = self._clock.monotonic()
        buffer = self._buffers.get(camera)
        if buffer is not None and buffer.hour != hour:
            self._write(camera)
            buffer = None
        if buffer is None:
            buffer = self._buffers[camera] = _Buffer(hour, now_s)
        if rows := len(result.tracked.track_id):
            buffer.entries.append(
                _Entry(
                    result.frame.frame_id,
                    result.frame.pts,
                    result.frame.captured_at,
                    result.tracked,
                    result.model_version,
                    result.counted,
                )
            )
            buffer.rows += rows
        if buffer.rows >= _MAX_ROWS:
            self._write(camera)
        for name, other in list(self._buffers.items()):
            # Of all cameras: one without further results is written, too.
            if now_s - other.began_s >= self._flush_s:
                self._write(name)

    def close(self) -> None:
        """See `Sink.close`.

        Raises:
            StoreError: A write failed; the other cameras were written.
        """
        errors: list[StoreError] = []
        for camera in list(self._buffers):
            try:
                self._write(camera)
            except StoreError as error:
                errors.append(error)
        for camera in sorted(self._silent):
            self._objects.put(camera, hour_of(self._clock.now()), SCHEMA.empty_table())
        if errors:
            raise errors[0]

    def _write(self, camera: str) -> None:
        buffer = self._buffers[camera]
        if buffer.rows:
            # A failed write is repeated at the next flush; only an overfull buffer is discarded.
            buffer.began_s = self._clock.monotonic()
            if buffer.rows >= 2 * _MAX_ROWS:
                del self._buffers[camera]
            self._objects.put(camera, buffer.hour, self._table(camera, buffer.entries))
            self._silent.discard(camera)
        self._buffers.pop(camera, None)

    def _table(self, camera: str, entries: list[_Entry]) -> pa.Table:
        rows = np.array([len(entry.tracked.track_id) for entry in entries])
        found = [entry.tracked.detections for entry in entries]
        xyxy = np.concatenate([d.xyxy for d in found])
        class_id = np.concatenate([d.class_id for d in found])
        confidence = np.concatenate([d.confidence for d in found])
        track_id = np.concatenate([entry.tracked.track_id for entry in entries])
        captured = pa.array([entry.captured_at for entry in entries], SCHEMA.field("captured_at").type)
        versions = np.array([entry.model_version for entry in entries], object)
        columns = [
            np.full(len(class_id), camera, object),
            np.repeat([entry.frame_id for entry in entries], rows),
            np.repeat([entry.pts for entry in entries], rows),
            captured.take(pa.array(np.repeat(np.arange(len(entries)), rows))),
            pa.array(track_id, mask=track_id == UNCONFIRMED),
            class_id.astype(np.int32),
            self._names[class_id],
            confidence,
            *(np.ascontiguousarray(xyxy[:, corner]) for corner in range(4)),
            np.repeat(versions, rows),
            np.concatenate([entry.counted for entry in entries]),
            confidence < self._confidence,
        ]
        return pa.Table.from_arrays(
            [
                column if isinstance(column, pa.Array) else pa.array(column, field.type)
                for column, field in zip(columns, SCHEMA, strict=True)
            ],
            schema=SCHEMA,
        )
