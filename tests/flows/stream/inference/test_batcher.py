"""When a batch goes: at once to a replica that has nothing, together with others otherwise."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from flows.stream.inference.batch import Batch
from flows.stream.inference.batching import Batcher
from flows.stream.inference.router import Router
from flows.stream.ingest.accounting import FrameAccount
from flows.stream.ingest.mailbox import Mailbox
from serve.rollout.route_table import CHAMPION
from streetloop.settings import Settings
from tests.support.stream_flow.build import frame
from tests.support.stream_flow.fakes import PATIENCE_S, FakeClock

MAX_BATCH = 4


class _Bench:
    """A batcher of cameras a and b; ``replicas`` of its application may run."""

    def __init__(self, replicas: int = 1, *, lossless: bool = False) -> None:
        self.ready = threading.Condition()
        self.over = False
        self._boxes = {camera: Mailbox(FrameAccount(), 0.5, self.ready, lossless=lossless) for camera in "ab"}
        settings = Settings(max_batch=MAX_BATCH, image_size=64, replicas_max=replicas)
        self.batcher = Batcher(
            CHAMPION,
            lambda: self._boxes,
            lambda: self.over,
            Router("ab", self.ready),
            self.ready,
            settings,
            FakeClock(),
        )
        self._thread = ThreadPoolExecutor(1)

    def put(self, *cameras: str) -> None:
        for number, camera in enumerate(cameras):
            self._boxes[camera].put(frame(number, camera_id=camera))

    def take(self) -> list[str]:
        """The cameras of the next batch."""
        return _cameras(self.taking())

    def taking(self) -> "Future[Batch | None]":
        return self._thread.submit(self.batcher.take_batch)

    def close(self) -> None:
        with self.ready:
            self.over = True
            self.ready.notify_all()
        self._thread.shutdown()


def _cameras(taking: "Future[Batch | None]") -> list[str]:
    batch = taking.result(PATIENCE_S)
    assert batch is not None
    return [one.camera_id for one in batch.frames]


@pytest.fixture
def bench() -> Iterator[_Bench]:
    bench = _Bench()
    yield bench
    bench.close()


def test_a_frame_goes_at_once_to_a_replica_that_has_nothing(bench: _Bench) -> None:
    bench.put("a")
    assert bench.take() == ["a"]
    bench.batcher.note_end()
    bench.put("b")
    assert bench.take() == ["b"]


def test_frames_that_come_while_a_batch_is_computed_go_together_after_it(bench: _Bench) -> None:
    bench.put("a")
    assert bench.take() == ["a"]
    taking = bench.taking()
    for camera in "aba":
        bench.put(camera)
    with pytest.raises(TimeoutError):
        taking.result(0.05)
    bench.batcher.note_end()
    assert sorted(_cameras(taking)) == ["a", "a", "b"]


def test_a_full_batch_goes_without_waiting(bench: _Bench) -> None:
    bench.put("a")
    assert bench.take() == ["a"]
    bench.put(*"abab")
    assert sorted(bench.take()) == ["a", "a", "b", "b"]


def test_each_replica_may_have_a_batch() -> None:
    bench = _Bench(replicas=2)
    bench.put("a")
    assert bench.take() == ["a"]
    bench.put("b")
    assert bench.take() == ["b"]
    taking = bench.taking()
    bench.put("a")
    with pytest.raises(TimeoutError):
        taking.result(0.05)
    bench.batcher.note_end()
    assert _cameras(taking) == ["a"]
    bench.close()


def test_what_is_left_of_a_clip_goes_once_the_batch_before_it_ends() -> None:
    bench = _Bench(lossless=True)
    bench.put(*"aaaa")
    assert bench.take() == ["a"] * MAX_BATCH
    taking = bench.taking()
    bench.put("a")
    bench.batcher.note_end()
    assert _cameras(taking) == ["a"]
    bench.close()
