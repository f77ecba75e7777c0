"""What became of one frame, from the frame log."""

import io
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.stream.sinks.frame_log import SCHEMA
from flows.stream.sinks.parquet_objects import hour_of
from streetloop.ledger.lookups.frame_name import FrameName
from streetloop.storage.store import ObjectStore


@dataclass(frozen=True, slots=True)
class FrameFate:
    """A row of the frame log.

    Attributes:
        captured_at: When it was captured (UTC).
        fate: See `flows.stream.ingest.accounting.Fate`.
        reason: Why it was gated, dropped or failed; None if it was detected.
        model_version: The model that answered; None if none did.
    """

    captured_at: datetime
    fate: str
    reason: str | None
    model_version: str | None


def find_fate(store: ObjectStore, name: FrameName, captured_at: datetime | None = None) -> FrameFate | None:
    """What became of a frame; None if the log does not have it.

    Args:
        store: Has the log.
        name: Which frame.
        captured_at: When it was captured (UTC), which says where to look; None if unknown.

    Raises:
        StoreError: The log cannot be read.
    """
    prefix = f"frames/run={name.run}/camera={name.camera_id}/"
    narrow = prefix if captured_at is None else f"{prefix}hour={hour_of(captured_at)}/"
    hours: dict[str, list[str]] = {}
    for key in store.keys(narrow):
        hours.setdefault(key.rsplit("/", 1)[0], []).append(key)
    for hour in sorted(hours, reverse=True):  # numbers rise with time
        keys = sorted(hours[hour])
        if _first_number(store, keys) > name.frame_id:
            continue
        for key in keys:
            if (row := _row(store, key, name.frame_id)) is not None:
                return row
    return None


def _first_number(store: ObjectStore, keys: list[str]) -> int:
    """The lowest number of the first object of each writer."""
    firsts: dict[str, str] = {}
    for key in keys:
        firsts.setdefault(key.rpartition("-")[0], key)
    return min((int(one) for key in firsts.values() for one in _numbers(store, key)), default=0)


def _numbers(store: ObjectStore, key: str) -> list[int]:
    table = pq.read_table(io.BytesIO(store.get(key)), columns=["frame_id"])
    return [] if not table.num_rows else [pc.min(table["frame_id"]).as_py()]


def _row(store: ObjectStore, key: str, number: int) -> FrameFate | None:
    table: pa.Table = pq.read_table(
        io.BytesIO(store.get(key)), schema=SCHEMA, filters=[("frame_id", "=", number)]
    )
    if not table.num_rows:
        return None
    row = table.slice(0, 1).to_pylist()[0]
    return FrameFate(row["captured_at"], row["fate"], row["reason"], row["model_version"])
