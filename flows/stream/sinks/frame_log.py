"""The frame log: what became of every decoded frame, as Parquet in the object store."""

import logging
import threading
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from flows.stream.analysis.results import Result
from flows.stream.ingest.accounting import SettledFrame
from flows.stream.sinks.parquet_objects import ParquetObjects, hour_of
from streetloop.errors import StoreError
from streetloop.host.polling import PollingThread
from streetloop.storage.store import ObjectWriter

_log = logging.getLogger(__name__)

_FIELDS: "list[pa.Field[Any]]" = [
    pa.field("camera_id", pa.string(), nullable=False),
    pa.field("frame_id", pa.int64(), nullable=False),
    pa.field("pts", pa.float64(), nullable=False),
    pa.field("captured_at", pa.timestamp("us", tz="UTC"), nullable=False),
    pa.field("fate", pa.string(), nullable=False),
    pa.field("reason", pa.string()),
    pa.field("model_version", pa.string()),
    pa.field("backend", pa.string()),
]
SCHEMA = pa.schema(_FIELDS)
_MAX_WAITING = 1_000_000  # rows; an hour of 11 cameras at 25 frames a second
_CLOSE_S = 30.0


class FrameLog:
    """A `Sink` that writes one row per decoded frame, with the columns of `SCHEMA`.

    Objects are named as `ParquetObjects` says. A thread of its own writes them, since frames have
    their fate while no result comes, too. What the store does not take is tried again; of more than
    a million rows the oldest are left out, which is an error.

    Args:
        store: The object store.
        prefix: Key of the log.
        part: Distinguishes this writer's objects from those of other writers.
        flush_s: Seconds between writes. Lower loses less in a crash, which costs the last
            ``flush_s`` seconds; higher writes fewer and larger objects.
    """

    def __init__(self, store: ObjectWriter, prefix: str, part: str, flush_s: float) -> None:
        self._objects = ParquetObjects(store, prefix, part)
        self._lock = threading.Lock()
        self._waiting: list[SettledFrame] = []
        self._errors: deque[str] = deque(maxlen=1)
        self._thread = PollingThread("the frame log", self.flush, flush_s, _log, self._errors.append)
        self._thread.start()

    def add(self, frame: SettledFrame) -> None:
        """Note a frame that has its fate; any thread may call it, and does not wait."""
        with self._lock:
            self._waiting.append(frame)

    def take(self, result: Result) -> None:  # noqa: ARG002 - as `Sink` has it
        """See `Sink.take`.

        Raises:
            StoreError: A write failed since the last call.
        """
        if self._errors:
            raise StoreError(self._errors.pop())

    def flush(self) -> None:
        """Write what is waiting.

        Raises:
            StoreError: A write failed; its rows are kept for the next one.
        """
        with self._lock:
            waiting, self._waiting = self._waiting, []
        by_object: defaultdict[tuple[str, str], list[SettledFrame]] = defaultdict(list)
        for frame in waiting:
            by_object[frame.camera_id, hour_of(frame.captured_at)].append(frame)
        errors = [error for key in sorted(by_object) if (error := self._write(*key, by_object[key]))]
        if errors:
            raise errors[0]

    def close(self) -> None:
        """See `Sink.close`.

        Raises:
            StoreError: A write failed.
        """
        self._thread.close(_CLOSE_S)
        self.flush()

    def _write(self, camera: str, hour: str, frames: Sequence[SettledFrame]) -> StoreError | None:
        try:
            self._objects.put(camera, hour, _table(frames))
        except StoreError as error:
            return error if self._keep(frames) else StoreError(f"{error}; frames were left out of the log")
        return None

    def _keep(self, frames: Sequence[SettledFrame]) -> bool:
        """Keep rows for the next write; false if that leaves out others."""
        with self._lock:
            self._waiting = [*frames, *self._waiting]
            too_many = len(self._waiting) - _MAX_WAITING
            self._waiting = self._waiting[max(0, too_many) :]
        return too_many <= 0


def _table(frames: Sequence[SettledFrame]) -> pa.Table:
    columns = zip(*frames, strict=True)
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )
