"""The log of all drift periods: Parquet in the object store, an object per camera and hour."""

import io
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from drift.measurement.features import NAMES
from drift.measurement.image_features import CELLS_SHAPE, EDGES_SHAPE
from drift.measurement.period import DriftPeriod
from streetloop.errors import StoreError
from streetloop.images import decode_image, encode_jpeg
from streetloop.json_values import finite_or_none
from streetloop.storage.store import ObjectStore
from streetloop.types import Image

_PREFIX = "minutes"  # the name that logs of earlier versions have
_PICTURES_EVERY = 10  # of so many periods one keeps picture and edges
_FLUSH_EVERY = 10
_JPEG_QUALITY = 80

_FIELDS: "list[pa.Field[Any]]" = [
    pa.field("camera_id", pa.string(), nullable=False),
    pa.field("started_at", pa.timestamp("us", tz="UTC"), nullable=False),
    pa.field("length_s", pa.float64(), nullable=False),
    pa.field("model_version", pa.string(), nullable=False),
    pa.field("samples", pa.int32(), nullable=False),
    pa.field("expected", pa.int32(), nullable=False),
    *(pa.field(name, pa.float64()) for name in NAMES),
    pa.field("mix", pa.map_(pa.string(), pa.int32()), nullable=False),
    pa.field("width", pa.int32(), nullable=False),
    pa.field("height", pa.int32(), nullable=False),
    pa.field("fps", pa.float64(), nullable=False),
    pa.field("still", pa.bool_(), nullable=False),
    pa.field("edges", pa.binary()),
    pa.field("picture", pa.binary()),
    pa.field("cells", pa.binary()),
]
SCHEMA = pa.schema(_FIELDS)


class PeriodLog:
    """Writes periods; a crash loses at most ten of each camera.

    Args:
        store: Keeps the objects.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._part = uuid.uuid4().hex[:8]
        self._hours: dict[tuple[str, str], list[DriftPeriod]] = {}
        self._unwritten: set[tuple[str, str]] = set()

    def append(self, period: DriftPeriod) -> None:
        """Add a period; every tenth of an hour keeps its picture.

        Raises:
            StoreError: A write failed; the periods stay in memory, and the next write tries again.
        """
        where = (period.camera_id, period.started_at.strftime("%Y-%m-%dT%H"))
        fresh = where not in self._hours
        periods = self._hours.setdefault(where, [])
        if len(periods) % _PICTURES_EVERY:
            period = replace(period, edges=None, picture=None, cells=None)
        periods.append(period)
        self._unwritten.add(where)
        if fresh or len(periods) % _FLUSH_EVERY == 0:
            for known in [k for k in self._hours if k[0] == period.camera_id and k != where]:
                self._write(known)
                del self._hours[known]  # its hour is over
            if not fresh:
                self._write(where)

    def flush(self) -> None:
        """Write the periods that are not written yet.

        Raises:
            StoreError: A write failed.
        """
        for where in sorted(self._unwritten):
            self._write(where)

    def _write(self, where: tuple[str, str]) -> None:
        if where not in self._unwritten:
            return
        camera, hour = where
        rows = [_row(period) for period in self._hours[where]]
        table = pa.Table.from_pylist(rows, schema=SCHEMA)
        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd")
        key = f"{_PREFIX}/camera={camera}/hour={hour}/{self._part}.parquet"
        self._store.put(key, sink.getvalue())
        self._unwritten.discard(where)


def read_periods(
    store: ObjectStore,
    camera_id: str,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    pictures: bool = False,
) -> Iterator[DriftPeriod]:
    """The periods of a camera in the order of time.

    Args:
        store: Keeps the objects.
        camera_id: The camera.
        since: Only periods that began at this moment or later; None for all.
        until: Only periods that began before this moment; None for all.
        pictures: Read the pictures, too, which are most of the bytes.

    Raises:
        StoreError: An object is missing or is no Parquet file.
    """
    prefix = f"{_PREFIX}/camera={camera_id}/"
    first = "" if since is None else f"hour={since:%Y-%m-%dT%H}"
    by_hour: dict[str, list[str]] = {}
    for key in store.keys(prefix):
        hour = key.removeprefix(prefix).split("/")[0]
        if hour >= first:
            by_hour.setdefault(hour, []).append(key)
    for hour in sorted(by_hour):
        rows = [row for key in by_hour[hour] for row in _rows(store, key, pictures)]
        for row in sorted(rows, key=lambda r: r["started_at"]):
            if since is not None and row["started_at"] < since:
                continue
            if until is not None and row["started_at"] >= until:
                return
            yield _period(row)


def cameras_in(store: ObjectStore) -> list[str]:
    """Ids of the cameras that have periods in the log, sorted."""
    found = (key.split("/")[1] for key in store.keys(f"{_PREFIX}/"))
    return sorted({name.removeprefix("camera=") for name in found})


def _rows(store: ObjectStore, key: str, pictures: bool) -> list[dict[str, Any]]:
    try:
        file = pq.ParquetFile(io.BytesIO(store.get(key)))
        names = [n for n in file.schema_arrow.names if pictures or n != "picture"]
        table = file.read(names)
        rows: list[dict[str, Any]] = table.to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise StoreError(f"object {key!r} is no log of drift periods: {error}") from error
    lacking = {field.name for field in SCHEMA if not field.nullable} - set(table.column_names)
    if lacking:
        raise StoreError(f"object {key!r} is no log of drift periods: it has no {min(lacking)!r}")
    return rows


def _row(period: DriftPeriod) -> dict[str, Any]:
    plain = {name: getattr(period, name) for name in SCHEMA.names if name not in {*NAMES, *_CODED}}
    values = {name: finite_or_none(period.values[name]) for name in NAMES}
    return {
        **plain,
        **values,
        "mix": list(period.mix.items()),
        "edges": _packed(period.edges),
        "cells": _packed(period.cells),
        "picture": None if period.picture is None else encode_jpeg(period.picture),
    }


_CODED = ("mix", "edges", "picture", "cells")


def _period(row: dict[str, Any]) -> DriftPeriod:
    # A feature that is newer than the log is NaN, as one that could not be measured.
    known = {name: row.get(name) for name in NAMES}
    values = {name: float("nan") if value is None else value for name, value in known.items()}
    plain = {name: row[name] for name in SCHEMA.names if name not in {*NAMES, *_CODED}}
    return DriftPeriod(
        **plain,
        values=values,
        mix=dict(row["mix"]),
        edges=_unpacked(row.get("edges"), EDGES_SHAPE),
        picture=_picture(row.get("picture")),
        cells=_unpacked(row.get("cells"), CELLS_SHAPE),
    )


def _packed(values: NDArray[np.float32] | None) -> bytes | None:
    return None if values is None else values.astype(np.float16).tobytes()


def _unpacked(data: bytes | None, shape: tuple[int, ...]) -> NDArray[np.float32] | None:
    if data is None:
        return None
    return np.frombuffer(data, np.float16).reshape(shape).astype(np.float32)


def _picture(data: bytes | None) -> Image | None:
    if data is None:
        return None
    return decode_image(data)
