import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.stream.ingest.accounting import DropReason, Fate, SettledFrame
from flows.stream.sinks import frame_log
from flows.stream.sinks.frame_log import SCHEMA, FrameLog
from streetloop.errors import StoreError
from streetloop.storage.store import FolderStore
from tests.support.stream_flow.build import frame, result
from tests.support.stream_flow.fakes import PATIENCE_S

MOMENT = datetime(2026, 3, 1, 12, 59, 59, 500_000, tzinfo=UTC)
NEVER_S = 3600.0


class Store(FolderStore):
    """A store that is away while ``error`` is set; ``tried`` is set by every write."""

    error: StoreError | None = None

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.tried = threading.Event()

    def put(self, key: str, content: bytes) -> None:
        self.tried.set()
        if self.error is not None:
            raise self.error
        super().put(key, content)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def log(store: Store) -> Iterator[FrameLog]:
    log = FrameLog(store, "frames/run=1", "worker0-0", NEVER_S)
    yield log
    store.error = None
    log.close()


def gated(frame_id: int, camera: str = "a", at: datetime = MOMENT) -> SettledFrame:
    return SettledFrame(camera, frame_id, frame_id / 25, at, Fate.GATED, DropReason.STILL)


def frame_ids(store: Store) -> list[int]:
    return sorted(pq.read_table(store.uri("frames/run=1"))["frame_id"].to_pylist())


def test_a_row_says_what_became_of_a_frame(store: Store, log: FrameLog) -> None:
    log.add(SettledFrame("a", 7, 0.28, MOMENT, Fate.DETECTED, None, "m-1", "openvino/bf16"))
    log.add(gated(8))
    log.flush()

    (key,) = store.keys("frames/")
    assert key == "frames/run=1/camera=a/hour=2026-03-01T12/worker0-0-00000.parquet"
    table = pq.read_table(store.uri(key), partitioning=None)
    assert table.schema.equals(SCHEMA)
    assert table.to_pylist() == [
        {
            "camera_id": "a",
            "frame_id": 7,
            "pts": 0.28,
            "captured_at": MOMENT,
            "fate": "detected",
            "reason": None,
            "model_version": "m-1",
            "backend": "openvino/bf16",
        },
        {
            "camera_id": "a",
            "frame_id": 8,
            "pts": 0.32,
            "captured_at": MOMENT,
            "fate": "gated",
            "reason": "still",
            "model_version": None,
            "backend": None,
        },
    ]


def test_cameras_and_hours_have_their_own_objects(store: Store, log: FrameLog) -> None:
    for one in (gated(1), gated(2, at=MOMENT + timedelta(seconds=1)), gated(1, "b")):
        log.add(one)
    log.flush()

    assert [key.rpartition("/")[0] for key in sorted(store.keys("frames/"))] == [
        "frames/run=1/camera=a/hour=2026-03-01T12",
        "frames/run=1/camera=a/hour=2026-03-01T13",
        "frames/run=1/camera=b/hour=2026-03-01T12",
    ]


def test_frames_are_written_while_no_result_comes(store: Store) -> None:
    log = FrameLog(store, "frames/run=1", "worker0-0", flush_s=0.01)
    log.add(gated(1))

    assert store.tried.wait(PATIENCE_S)
    log.close()
    assert frame_ids(store) == [1]


def test_what_the_store_did_not_take_is_written_later(store: Store, log: FrameLog) -> None:
    store.error = StoreError("the store is away")
    log.add(gated(1))
    with pytest.raises(StoreError, match="is away"):
        log.flush()
    log.add(gated(2))
    store.error = None
    log.flush()

    assert frame_ids(store) == [1, 2]


def test_an_error_of_the_thread_is_raised_by_the_next_result(store: Store) -> None:
    store.error = StoreError("the store is away")
    log = FrameLog(store, "frames/run=1", "worker0-0", flush_s=0.01)
    log.add(gated(1))
    assert store.tried.wait(PATIENCE_S)
    with pytest.raises(StoreError, match="is away"):
        log.close()
    with pytest.raises(StoreError, match="the frame log: the store is away"):
        log.take(result(frame()))
    log.take(result(frame()))


def test_of_too_many_rows_the_oldest_are_left_out_and_that_is_an_error(
    store: Store, log: FrameLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_log, "_MAX_WAITING", 3)
    store.error = StoreError("the store is away")
    for number in range(5):
        log.add(gated(number))
    with pytest.raises(StoreError, match="frames were left out"):
        log.flush()
    store.error = None
    log.flush()

    assert frame_ids(store) == [2, 3, 4]


def test_closing_without_frames_writes_nothing(store: Store, log: FrameLog) -> None:
    log.close()
    assert not list(store.keys("frames/"))
