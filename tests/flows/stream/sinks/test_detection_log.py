from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.stream.analysis.results import Result
from flows.stream.sinks.detection_log import DetectionLog
from streetloop.clock import Clock
from streetloop.errors import StoreError
from streetloop.storage.store import FolderStore
from streetloop.types import UNCONFIRMED
from tests.support.stream_flow.build import found, frame, result
from tests.support.stream_flow.fakes import FakeClock

_MOMENT = datetime(2026, 3, 1, 12, 59, 59, 500_000, tzinfo=UTC)
_NAMES = ("car", "bus")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def _log(store: FolderStore, cameras: str = "a", clock: Clock | None = None) -> DetectionLog:
    return DetectionLog(
        store, "detections/run=1", "worker0-0", [*cameras], _NAMES, 30.0, clock or FakeClock()
    )


def _car(index: int = 0, camera_id: str = "a", track: int = UNCONFIRMED, at: datetime = _MOMENT) -> Result:
    of = frame(index, camera_id=camera_id, captured_at=at)
    return result(of, found((10, 20, 30, 40)), [track])


def _keys(store: FolderStore) -> list[str]:
    return list(store.keys("detections/"))


def _frame_ids(store: FolderStore) -> list[int]:
    table = pq.read_table(store.uri("detections/run=1"))
    return sorted(table["frame_id"].to_pylist())


def test_a_row_holds_the_whole_detection(store: FolderStore) -> None:
    log = _log(store)
    of = frame(7, pts=3.5, captured_at=_MOMENT)
    boxes = found((1.5, 2.5, 30, 40), (5, 6, 7, 8), confidence=[0.75, 0.5], class_id=1)
    log.take(result(of, boxes, [12, UNCONFIRMED]))
    log.close()

    common = {
        "camera_id": "a",
        "frame_id": 7,
        "pts": 3.5,
        "captured_at": _MOMENT,
        "class_id": 1,
        "class_name": "bus",
        "model_version": "model-1",
        "counted": True,
        "weak": False,
    }
    (key,) = _keys(store)
    rows = pq.read_table(pa.BufferReader(store.get(key))).to_pylist()
    assert rows == [
        {**common, "track_id": 12, "confidence": 0.75, "x1": 1.5, "y1": 2.5, "x2": 30, "y2": 40},
        {**common, "track_id": None, "confidence": 0.5, "x1": 5, "y1": 6, "x2": 7, "y2": 8},
    ]


def test_boxes_below_the_confidence_that_is_reported_are_marked(store: FolderStore) -> None:
    log = DetectionLog(store, "detections/run=1", "w", ["a"], _NAMES, 30.0, FakeClock(), confidence=0.25)
    boxes = found((1, 2, 3, 4), (5, 6, 7, 8), (9, 9, 12, 12), confidence=[0.25, 0.2499, 0.9])
    log.take(result(frame(7, captured_at=_MOMENT), boxes, [1, 2, 3]))
    log.close()

    table = pq.read_table(store.uri("detections/run=1"))
    assert table["weak"].to_pylist() == [False, True, False]


def test_every_row_belongs_to_its_frame(store: FolderStore) -> None:
    log = _log(store)
    moments = [_MOMENT + timedelta(milliseconds=100 * index) for index in range(3)]
    for index, moment in enumerate(moments):
        of = frame(index, pts=index * 0.1, captured_at=moment)
        boxes = found(*[(index, 0, 9, 9)] * index)
        log.take(result(of, boxes, range(10 * index, 11 * index)))
    log.close()

    columns = ("frame_id", "pts", "captured_at", "track_id", "x1")
    (key,) = _keys(store)
    rows = pq.read_table(pa.BufferReader(store.get(key))).select(columns).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (1, 0.1, moments[1], 10, 1.0),
        (2, 0.2, moments[2], 20, 2.0),
        (2, 0.2, moments[2], 21, 2.0),
    ]


@pytest.mark.parametrize("empty", [False, True])
def test_the_schema_is_the_documented_one_also_without_rows(store: FolderStore, empty: bool) -> None:
    log = _log(store)
    if not empty:
        log.take(_car())
    log.close()
    (key,) = _keys(store)
    schema = pq.read_schema(pa.BufferReader(store.get(key)))

    assert [(field.name, str(field.type), field.nullable) for field in schema] == [
        ("camera_id", "string", False),
        ("frame_id", "int64", False),
        ("pts", "double", False),
        ("captured_at", "timestamp[us, tz=UTC]", False),
        ("track_id", "int64", True),
        ("class_id", "int32", False),
        ("class_name", "string", False),
        ("confidence", "float", False),
        ("x1", "float", False),
        ("y1", "float", False),
        ("x2", "float", False),
        ("y2", "float", False),
        ("model_version", "string", False),
        ("counted", "bool", False),
        ("weak", "bool", False),
    ]


def _mixed(store: FolderStore) -> str:
    """A log of three cameras, two hours and one camera that saw nothing; six rows."""
    log = _log(store, "ab7")
    for index in range(4):
        log.take(_car(index, "a", track=5, at=_MOMENT + timedelta(seconds=index / 4)))
    log.take(_car(0, "7"))
    log.take(_car(1, "7"))
    log.close()
    return store.uri("detections/run=1")


def test_pandas_reads_the_log(store: FolderStore) -> None:
    log = pd.read_parquet(_mixed(store))

    assert len(log) == 6
    assert log["captured_at"].dt.tz is not None
    assert log["track_id"].isna().sum() == 2
    assert set(log["camera_id"]) == {"a", "7"}


def test_duckdb_reads_the_log(store: FolderStore) -> None:
    folder = _mixed(store)
    query = f"""
        select camera_id, class_name, count(*), count(track_id)
        from '{folder}/**/*.parquet' group by all order by all
    """

    assert duckdb.sql(query).fetchall() == [("7", "car", 2, 0), ("a", "car", 4, 4)]


def test_polars_reads_the_log(store: FolderStore) -> None:
    log = pl.read_parquet(_mixed(store))

    assert log.height == 6
    assert log["track_id"].null_count() == 2
    assert log.filter(pl.col("camera_id") == "a")["frame_id"].sort().to_list() == [0, 1, 2, 3]


def test_object_names_hold_camera_and_hour_and_are_unique(store: FolderStore) -> None:
    log = _log(store)
    log.take(_car(0, at=_MOMENT))
    log.take(_car(1, at=_MOMENT + timedelta(seconds=1)))
    log.close()

    assert _keys(store) == [
        "detections/run=1/camera=a/hour=2026-03-01T12/worker0-0-00000.parquet",
        "detections/run=1/camera=a/hour=2026-03-01T13/worker0-0-00001.parquet",
    ]
    assert _frame_ids(store) == [0, 1]


def test_a_new_hour_flushes_the_previous_one(store: FolderStore) -> None:
    log = _log(store)
    log.take(_car(0, at=_MOMENT))
    assert _keys(store) == []

    log.take(_car(1, at=_MOMENT + timedelta(seconds=1)))
    assert _frame_ids(store) == [0]


def test_rows_are_written_after_the_flush_time(store: FolderStore) -> None:
    clock = FakeClock()
    log = _log(store, clock=clock)
    log.take(_car(0))
    clock.advance(29.9)
    log.take(_car(1))
    assert _keys(store) == []

    clock.advance(0.2)
    log.take(_car(2))
    assert _frame_ids(store) == [0, 1, 2]

    # The next buffer has its full time again.
    clock.advance(1.0)
    log.take(_car(3))
    assert _frame_ids(store) == [0, 1, 2]
    log.close()
    assert _frame_ids(store) == [0, 1, 2, 3]


def test_a_frame_without_detections_triggers_a_due_flush(store: FolderStore) -> None:
    clock = FakeClock()
    log = _log(store, clock=clock)
    log.take(_car(0))
    clock.advance(31.0)
    log.take(result(frame(1, captured_at=_MOMENT)))

    assert _frame_ids(store) == [0]


def test_frames_without_detections_write_nothing_by_themselves(store: FolderStore) -> None:
    clock = FakeClock()
    log = _log(store, clock=clock)
    for index in range(10):
        log.take(result(frame(index, captured_at=_MOMENT)))
        clock.advance(31.0)

    assert _keys(store) == []


def test_a_full_buffer_is_flushed_early(store: FolderStore) -> None:
    log = _log(store)
    many = found(*[(0, 0, 1, 1)] * 20_000)
    for index in range(3):
        log.take(result(frame(index, captured_at=_MOMENT), many))

    (key,) = _keys(store)
    assert pq.read_metadata(pa.BufferReader(store.get(key))).num_rows == 60_000


def test_a_camera_without_detections_gets_an_object_without_rows(store: FolderStore) -> None:
    log = _log(store, "ab")
    log.take(result(frame(0, camera_id="a", captured_at=_MOMENT)))
    log.take(_car(0, "b"))
    log.close()

    (empty,) = store.keys("detections/run=1/camera=a/")
    assert empty.startswith("detections/run=1/camera=a/hour=2026-03-01T12/")
    assert pq.read_metadata(pa.BufferReader(store.get(empty))).num_rows == 0
    assert len(list(store.keys("detections/run=1/camera=b/"))) == 1


def test_an_empty_log_is_readable(store: FolderStore) -> None:
    _log(store, "ab").close()
    folder = store.uri("detections/run=1")

    assert len(pd.read_parquet(folder)) == 0
    assert pl.read_parquet(folder).height == 0
    assert duckdb.sql(f"select count(*) from '{folder}/**/*.parquet'").fetchall() == [(0,)]


def test_two_workers_do_not_overwrite_each_other(store: FolderStore) -> None:
    for generation in range(2):
        log = DetectionLog(
            store, "detections/run=1", f"worker0-{generation}", ["a"], _NAMES, 30.0, FakeClock()
        )
        log.take(_car(generation))
        log.close()

    assert _frame_ids(store) == [0, 1]


class _Killed(BaseException):
    """What the process sees of a kill."""


def test_a_crash_while_writing_leaves_no_partial_object(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    log = _log(store, clock=clock)
    log.take(_car(0))
    clock.advance(31.0)
    log.take(_car(1))

    def die(*_: object) -> None:
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        log.take(_car(2))
        clock.advance(31.0)
        with pytest.raises(_Killed):
            log.take(_car(3))

    folder = store.uri("detections/run=1")
    assert _frame_ids(store) == [0, 1]
    assert pl.read_parquet(f"{folder}/**/*.parquet").height == 2
    assert duckdb.sql(f"select count(*) from '{folder}/**/*.parquet'").fetchall() == [(2,)]


def test_a_store_error_is_raised_and_the_log_goes_on(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    log = _log(store, clock=clock)

    def refuse(key: str, data: bytes) -> None:
        raise StoreError("the disk is full")

    log.take(_car(0))
    clock.advance(31.0)
    with monkeypatch.context() as patch:
        patch.setattr(store, "put", refuse)
        with pytest.raises(StoreError, match="disk is full"):
            log.take(_car(1))

    log.take(_car(2))
    log.close()
    assert 2 in _frame_ids(store)
