import io
import math
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drift.measurement.features import NAMES
from drift.measurement.period import DriftPeriod
from drift.period_log import SCHEMA, PeriodLog, cameras_in, read_periods
from streetloop.errors import StoreError
from streetloop.storage.store import FolderStore
from tests.drift.support import START, breathing, lines, make_period


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def _written(store: FolderStore, periods: list[DriftPeriod]) -> list[DriftPeriod]:
    log = PeriodLog(store)
    for one in periods:
        log.append(one)
    log.flush()
    return list(read_periods(store, periods[0].camera_id, pictures=True))


def _numbers(store: FolderStore, **limits: datetime) -> list[int]:
    found = read_periods(store, "a", **limits)
    return [round((one.started_at - START) / timedelta(minutes=1)) for one in found]


def _only_key(store: FolderStore) -> str:
    (key,) = store.keys()
    return key


def test_a_minute_is_read_as_it_was_written(store: FolderStore) -> None:
    picture = np.full((27, 48, 3), (10, 100, 200), np.uint8)
    wrote = make_period(picture=picture, values={"speed": float("nan")}, mix={"car": 3, "bus": 0})
    (read,) = _written(store, [wrote])
    for name in (
        "camera_id",
        "started_at",
        "length_s",
        "model_version",
        "samples",
        "expected",
        "width",
        "height",
        "fps",
        "still",
    ):
        assert getattr(read, name) == getattr(wrote, name)
    assert read.mix == wrote.mix
    assert list(read.values) == list(NAMES)
    assert math.isnan(read.values["speed"])
    assert read.values["brightness"] == wrote.values["brightness"]
    assert read.edges == pytest.approx(lines(), abs=1e-3)
    assert read.picture is not None
    assert np.abs(read.picture.astype(int) - picture).max() < 10


def test_a_minute_of_nothing_is_read_as_it_was_written(store: FolderStore) -> None:
    nothing = make_period(
        values=dict.fromkeys(NAMES, float("nan")), mix={}, samples=0, edges=None, width=0, height=0, fps=0.0
    )
    (read,) = _written(store, [nothing])
    assert all(math.isnan(value) for value in read.values.values())
    assert (read.mix, read.edges, read.picture, read.samples) == ({}, None, None, 0)


def test_minutes_come_in_the_order_of_time_over_hours_and_runs(store: FolderStore) -> None:
    for first, count in ((0, 70), (70, 10), (80, 60)):
        _written(store, breathing(count, first))
    assert _numbers(store) == list(range(140))


def test_every_tenth_minute_keeps_its_picture_and_lines(store: FolderStore) -> None:
    picture = np.zeros((27, 48, 3), np.uint8)
    read = _written(store, breathing(25, picture=picture))
    kept = [number for number, one in enumerate(read) if one.picture is not None]
    assert kept == [number for number, one in enumerate(read) if one.edges is not None]
    assert kept == [0, 10, 20]


def test_cameras_do_not_mix(store: FolderStore) -> None:
    log = PeriodLog(store)
    for number in range(30):
        log.append(make_period(number, camera_id="a"))
        log.append(make_period(number, camera_id="a-2", model_version="m-2"))
    log.flush()
    assert cameras_in(store) == ["a", "a-2"]
    assert _numbers(store) == list(range(30))
    assert {one.model_version for one in read_periods(store, "a-2")} == {"m-2"}


def test_of_a_camera_that_was_never_seen_nothing_is_read(store: FolderStore) -> None:
    assert list(read_periods(store, "a")) == []
    assert cameras_in(store) == []


def test_a_part_of_the_past_is_read(store: FolderStore) -> None:
    _written(store, breathing(200))
    since, until = START + timedelta(minutes=50), START + timedelta(minutes=130)
    assert _numbers(store, since=since) == list(range(50, 200))
    assert _numbers(store, until=until) == list(range(130))
    assert _numbers(store, since=since, until=until) == list(range(50, 130))
    assert _numbers(store, since=until, until=since) == []


def test_a_crash_loses_at_most_ten_minutes(store: FolderStore) -> None:
    log = PeriodLog(store)
    for one in breathing(79):
        log.append(one)
    del log
    assert len(_numbers(store)) >= 69
    assert _numbers(store) == list(range(len(_numbers(store))))


def test_flushing_twice_writes_once(store: FolderStore) -> None:
    log = PeriodLog(store)
    log.append(make_period())
    log.flush()
    path = Path(store.uri("minutes")).parent / _only_key(store)
    path.unlink()
    log.flush()
    assert list(store.keys()) == []


def test_a_place_that_cannot_be_written_is_a_store_error_and_tried_again(tmp_path: Path) -> None:
    root = tmp_path / "store"
    root.write_text("in the way")
    log = PeriodLog(FolderStore(root))
    for one in breathing(9):
        log.append(one)
    with pytest.raises(StoreError):
        log.append(breathing(1, 9)[0])
    with pytest.raises(StoreError):
        log.flush()
    root.unlink()
    log.append(breathing(1, 10)[0])
    log.flush()
    assert _numbers(FolderStore(root)) == list(range(11))


def test_an_hour_that_could_not_be_written_is_tried_again_in_the_next(tmp_path: Path) -> None:
    root = tmp_path / "store"
    log = PeriodLog(FolderStore(root))
    root.write_text("in the way")
    for one in breathing(3, 57):
        log.append(one)
    with pytest.raises(StoreError):
        log.append(make_period(60))
    root.unlink()
    log.append(make_period(61))
    log.flush()
    assert _numbers(FolderStore(root)) == [57, 58, 59, 60, 61]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not Parquet at all", b"PAR1" * 100])
def test_a_damaged_object_is_a_store_error_that_names_it(store: FolderStore, content: bytes) -> None:
    _written(store, breathing(5))
    store.put(_only_key(store), content)
    with pytest.raises(StoreError, match="camera=a"):
        list(read_periods(store, "a"))


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_half_an_object_is_a_store_error(store: FolderStore, kept: float) -> None:
    _written(store, breathing(5))
    key = _only_key(store)
    whole = store.get(key)
    store.put(key, whole[: round(kept * len(whole))])
    with pytest.raises(StoreError):
        list(read_periods(store, "a"))


def _replaced(store: FolderStore, table: pa.Table) -> None:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    store.put(_only_key(store), sink.getvalue())


def test_parquet_of_something_else_is_a_store_error(store: FolderStore) -> None:
    _written(store, breathing(5))
    _replaced(store, pa.table({"camera_id": ["a"], "x1": [1.0]}))
    with pytest.raises(StoreError, match="no log of drift periods"):
        list(read_periods(store, "a"))


def test_words_that_are_no_text_are_a_store_error(store: FolderStore) -> None:
    _written(store, breathing(5))
    table = pq.read_table(io.BytesIO(store.get(_only_key(store))))
    damaged = pa.array([b"\xff\xfe"] * 5).view(pa.string())
    position = table.schema.get_field_index("model_version")
    _replaced(store, table.set_column(position, SCHEMA.field("model_version"), damaged))
    with pytest.raises(StoreError):
        list(read_periods(store, "a"))


def test_a_log_that_is_older_than_a_feature_does_not_know_it(store: FolderStore) -> None:
    _written(store, breathing(5))
    table = pq.read_table(io.BytesIO(store.get(_only_key(store))))
    _replaced(store, table.drop_columns(["noise"]).append_column("newer", [[1] * 5]))
    read = list(read_periods(store, "a"))
    assert len(read) == 5
    assert all(math.isnan(one.values["noise"]) for one in read)
    assert not any(math.isnan(one.values["brightness"]) for one in read)


def test_duckdb_reads_the_log_as_it_is(store: FolderStore) -> None:
    _written(store, breathing(70))
    query = f"select count(*), count(noise) from '{store.uri('minutes')}/**/*.parquet'"
    assert duckdb.sql(query).fetchall() == [(70, 70)]
