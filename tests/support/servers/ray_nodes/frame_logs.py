"""What the frame log of a run says, wherever its store is."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from streetloop.settings import Settings
from streetloop.storage.open import open_store


class LoggedFrame(NamedTuple):
    """A row of the frame log.

    Attributes:
        camera: Its camera.
        at: When it was captured.
        fate: What became of it.
        writer: The worker that logged it.
    """

    camera: str
    at: datetime
    fate: str
    writer: str


def logged_frames() -> list[LoggedFrame]:
    """The frames that are logged so far."""
    store, found = open_store(Settings()), []
    for key in store.keys("frames/run="):
        columns = ["camera_id", "captured_at", "fate"]
        table = pq.read_table(pa.BufferReader(store.get(key)), columns=columns)
        writer = Path(key).stem.rpartition("-")[0]
        rows = zip(*(table[name].to_pylist() for name in columns), strict=True)
        found += [LoggedFrame(*row, writer) for row in rows]
    return found
