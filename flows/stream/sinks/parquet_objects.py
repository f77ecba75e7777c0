"""Parquet objects in the object store, partitioned by camera and hour."""

import io
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from streetloop.storage.store import ObjectWriter


class ParquetObjects:
    """Writes ``<prefix>/camera=<id>/hour=<UTC hour>/<part>-<number>.parquet``, each as a whole.

    Args:
        store: The object store.
        prefix: Key that all of them begin with.
        part: Distinguishes this writer's objects from those of other writers.
    """

    def __init__(self, store: ObjectWriter, prefix: str, part: str) -> None:
        self._store, self._prefix, self._part = store, prefix, part
        self._objects = 0

    def put(self, camera: str, hour: str, table: pa.Table) -> None:
        """Write one object.

        Args:
            camera: Id of the camera.
            hour: As `hour_of` gives it.
            table: The rows.

        Raises:
            StoreError: The store did not take it.
        """
        content = io.BytesIO()
        pq.write_table(table, content, compression="zstd")
        name = f"{self._part}-{self._objects:05d}.parquet"
        self._objects += 1
        self._store.put(f"{self._prefix}/camera={camera}/hour={hour}/{name}", content.getvalue())


def hour_of(moment: datetime) -> str:
    """The hour of a moment in UTC, as the keys have it.

    >>> from datetime import UTC
    >>> hour_of(datetime(2026, 3, 1, 12, 59, tzinfo=UTC))
    '2026-03-01T12'
    """
    return moment.strftime("%Y-%m-%dT%H")
