"""What the frame log of a run says, wherever its store is."""

from collections import defaultdict
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from streetloop.settings import Settings
from streetloop.storage.open import open_store


def logged_frames() -> dict[str, list[datetime]]:
    """When the frames of each camera were captured, as far as they are logged."""
    store, found = open_store(Settings()), defaultdict[str, list[datetime]](list)
    for key in store.keys("frames/run="):
        table = pq.read_table(pa.BufferReader(store.get(key)), columns=["camera_id", "captured_at"])
        rows = zip(table["camera_id"].to_pylist(), table["captured_at"].to_pylist(), strict=True)
        for camera, moment in rows:
            found[camera].append(moment)
    return found
