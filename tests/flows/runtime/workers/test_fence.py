from pathlib import Path

import pytest

from flows.runtime.workers import fence as module
from flows.runtime.workers.fence import PATIENCE_S, Fence, FencedStore
from streetloop.errors import StoreError
from streetloop.storage.store import FolderStore
from tests.support.stream_flow.fakes import FakeClock, eventually


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def test_a_worker_that_is_called_writes(clock: FakeClock, folder: FolderStore) -> None:
    fence = Fence(clock)
    store = FencedStore(folder, fence)
    for number in range(5):
        clock.advance(PATIENCE_S - 1)
        fence.note_call()
        store.put(f"log/{number}", b"rows")

    assert len(list(folder.keys("log/"))) == 5


def test_a_worker_that_was_given_up_writes_nothing_more(clock: FakeClock, folder: FolderStore) -> None:
    store = FencedStore(folder, Fence(clock))
    store.put("log/before", b"rows")
    clock.advance(PATIENCE_S + 1)
    store.put("log/after", b"rows")
    store.flush()

    assert list(folder.keys()) == ["log/before"]


def test_a_supervisor_that_was_away_for_a_while_loses_nothing(clock: FakeClock, folder: FolderStore) -> None:
    fence = Fence(clock)
    store = FencedStore(folder, fence)
    clock.advance(PATIENCE_S + 1)
    store.put("log/1", b"one")
    store.put("log/2", b"two")
    fence.note_call()
    store.flush()
    assert not list(folder.keys()), "one call may have been on its way for long"
    clock.advance(1.0)
    fence.note_call()
    store.put("log/3", b"three")
    store.flush()

    assert [folder.get(f"log/{number}") for number in (1, 2, 3)] == [b"one", b"two", b"three"]


def test_calls_that_come_late_and_far_apart_open_nothing(clock: FakeClock, folder: FolderStore) -> None:
    fence = Fence(clock)
    for _ in range(3):
        clock.advance(PATIENCE_S + 1)
        fence.note_call()
        assert fence.is_closed


def test_what_the_store_does_not_take_is_kept(clock: FakeClock, folder: FolderStore) -> None:
    fence, refused = Fence(clock), []

    class Away(FolderStore):
        def put(self, key: str, data: bytes) -> None:
            refused.append(key)
            if len(refused) == 1:
                raise StoreError("away")
            folder.put(key, data)

    store = FencedStore(Away(Path()), fence)
    clock.advance(PATIENCE_S + 1)
    store.put("log/1", b"one")
    fence.open_for_good()
    with pytest.raises(StoreError, match="away"):
        store.flush()
    store.flush()

    assert list(folder.keys()) == ["log/1"]


def test_what_is_kept_is_bounded(
    clock: FakeClock, folder: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_KEPT_BYTES", 10)
    store = FencedStore(folder, Fence(clock))
    clock.advance(PATIENCE_S + 1)
    store.put("log/1", b"12345678")
    with pytest.raises(StoreError, match=r"log/2.*no room"):
        store.put("log/2", b"12345678")


def test_what_is_kept_is_written_soon_after_the_fence_opens(clock: FakeClock, folder: FolderStore) -> None:
    fence = Fence(clock)
    store = FencedStore(folder, fence)
    clock.advance(PATIENCE_S + 1)
    store.put("log/1", b"one")
    store.start()
    fence.open_for_good()
    eventually(lambda: list(folder.keys()) == ["log/1"], 30.0, 0.05, "nobody puts another")
    store.close()


def test_the_end_of_a_session_is_written_however_long_it_takes(clock: FakeClock, folder: FolderStore) -> None:
    fence = Fence(clock)
    store = FencedStore(folder, fence)
    fence.open_for_good()
    clock.advance(100 * PATIENCE_S)
    store.put("log/last", b"rows")
    store.close()

    assert list(folder.keys()) == ["log/last"]
