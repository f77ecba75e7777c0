import itertools
import threading
import time
from datetime import timedelta

import numpy as np
import pytest

from flows.stream.ingest.accounting import Account, DropReason, FrameAccount
from flows.stream.ingest.camera_reader import CameraReader, join_all
from flows.stream.ingest.camera_state import CameraState
from flows.stream.ingest.mailbox import Mailbox
from flows.stream.ingest.motion_gate import MotionGate
from flows.stream.sources.source import SourceFrame
from streetloop.errors import SourceRefused, SourceStalled, SourceUnavailable, SourceUnreadable
from streetloop.types import Frame
from tests.support.stream_flow.build import NOON, camera, dropped, plain, source_frames
from tests.support.stream_flow.fakes import PATIENCE_S, FakeClock, ScriptedSource

_HEARS = threading.Event()


def _deaf() -> None:
    """Hangs in a call that no stop interrupts."""
    _HEARS.wait(PATIENCE_S)


_GONE = SourceUnavailable("the network is down")


class _RunningReader:
    """A reader with its mailbox and account."""

    def __init__(
        self,
        source: ScriptedSource,
        *,
        fps: float | None = None,
        gate: MotionGate | None = None,
        clock: FakeClock | None = None,
    ) -> None:
        self._ready = threading.Condition()
        self._source = source
        self.account = FrameAccount()
        self.mailbox = Mailbox(self.account, 1e9, self._ready)
        clock = clock or FakeClock()
        self.reader = CameraReader(camera("a", fps), source, self.mailbox, self.account, clock, gate)

    def to_the_end(self) -> "_RunningReader":
        """Read until the reader ends by itself."""
        self.reader.start()
        self.reader.join(PATIENCE_S)
        assert self.reader.finished
        return self

    def to_the_end_of_the_script(self) -> "_RunningReader":
        """Read until the camera is lost for good."""
        self.reader.start()
        assert self._source.over.wait(PATIENCE_S)
        return self

    def close(self) -> None:
        self.reader.close()
        self.reader.join(PATIENCE_S)

    def frames(self) -> list[Frame]:
        """Take the waiting frames."""
        with self._ready:
            return self.mailbox.take(9999, 9999, 0.0)


def test_a_reader_is_connecting_before_its_first_frame_and_live_after_it() -> None:
    states: list[CameraState] = []

    def note() -> None:
        states.append(reading.reader.state)

    reading = _RunningReader(ScriptedSource([note, *source_frames(1), note]))
    reading.to_the_end()

    assert states == [CameraState.CONNECTING, CameraState.LIVE]


def test_the_end_of_a_recording_ends_the_reader_without_an_error() -> None:
    reading = _RunningReader(ScriptedSource(source_frames(5))).to_the_end()

    assert reading.reader.state is CameraState.ENDED
    assert reading.reader.error is None
    assert reading.account.snapshot().decoded == 5
    assert [f.frame_id for f in reading.frames()] == [0, 1, 2, 3, 4]


def test_a_frame_carries_its_camera_and_its_times() -> None:
    clock = FakeClock(start=NOON)
    one, other = SourceFrame(9.0, plain(value=1)), SourceFrame(9.5, plain(value=2))
    source = ScriptedSource([one, lambda: clock.advance(0.7), other])

    first, second = _RunningReader(source, clock=clock).to_the_end().frames()

    assert first == Frame("a", 0, 0.0, NOON, 0.0, one.picture)
    assert second == Frame("a", 1, 0.5, NOON + timedelta(seconds=0.7), 0.7, other.picture)


def test_frame_ids_are_gapless_and_times_rise_over_reconnects() -> None:
    clock = FakeClock()
    source = ScriptedSource(
        [*source_frames(3, start_s=100.0), _GONE],
        [*source_frames(2), SourceStalled("silence")],
        source_frames(2),
        on_wait=lambda _: clock.advance(5.0),
    )
    reading = _RunningReader(source, clock=clock).to_the_end()
    frames = reading.frames()

    assert reading.reader.reconnects == 2
    assert [f.frame_id for f in frames] == list(range(7))
    assert [f.pts for f in frames] == pytest.approx([0, 0.04, 0.08, 5.08, 5.12, 10.12, 10.16])


def test_a_lost_stream_has_the_state_lost_a_reason_and_no_new_frame() -> None:
    reading = _RunningReader(ScriptedSource([*source_frames(2), _GONE])).to_the_end_of_the_script()

    assert reading.reader.state is CameraState.LOST
    assert not reading.reader.finished
    assert reading.reader.error is not None
    assert reading.account.snapshot().decoded == 2
    reading.close()


def test_a_camera_that_is_down_at_the_start_is_lost_until_it_answers() -> None:
    seen: list[tuple[CameraState, str | None]] = []

    def note(_: float = 0.0) -> None:
        seen.append((reading.reader.state, reading.reader.error))

    source = ScriptedSource([_GONE], [_GONE], [*source_frames(3), note], on_wait=note)
    reading = _RunningReader(source)
    reading.to_the_end()

    assert seen == [(CameraState.LOST, str(_GONE)), (CameraState.LOST, str(_GONE)), (CameraState.LIVE, None)]
    assert reading.account.snapshot().decoded == 3


def test_only_a_return_of_a_live_camera_counts_as_a_reconnect() -> None:
    source = ScriptedSource([_GONE], [_GONE], [*source_frames(1), _GONE], [_GONE], [_GONE], source_frames(1))

    assert _RunningReader(source).to_the_end().reader.reconnects == 1


def test_the_backoff_is_exponential_and_reset_by_a_frame() -> None:
    failing = [[_GONE]] * 6
    source = ScriptedSource(*failing, [*source_frames(1), _GONE], *failing, source_frames(1))
    _RunningReader(source).to_the_end()

    for waits in (source.waits[:6], source.waits[6:]):
        bounds = [min(30, 2**attempt) for attempt in range(len(waits))]
        assert all(b / 2 <= w <= b for w, b in zip(waits, bounds, strict=True))
    assert len(source.waits) == 13


@pytest.mark.parametrize("error", [SourceRefused("wrong password"), SourceUnreadable("not a video")])
def test_a_final_error_fails_the_camera(error: SourceRefused | SourceUnreadable) -> None:
    source = ScriptedSource([*source_frames(2), error], source_frames(5))
    reading = _RunningReader(source).to_the_end()

    assert reading.reader.state is CameraState.FAILED
    assert reading.reader.error == str(error)
    assert source.connections == 1
    assert reading.account.snapshot().decoded == 2


def test_an_unexpected_error_of_a_source_fails_only_its_camera() -> None:
    # pyproject.toml turns an exception that escapes a thread into a failure of the test.
    source = ScriptedSource([*source_frames(2), ZeroDivisionError("a bug")], source_frames(5))
    reading = _RunningReader(source).to_the_end()

    assert reading.reader.state is CameraState.FAILED
    assert "a bug" in (reading.reader.error or "")
    assert source.connections == 1


def test_the_end_of_a_reader_notifies_waiting_threads() -> None:
    ready = threading.Condition()
    account = FrameAccount()
    go = threading.Event()
    reader = CameraReader(camera(), ScriptedSource([go]), Mailbox(account, 1.0, ready), account, FakeClock())
    reader.start()
    with ready:
        go.set()
        assert ready.wait(PATIENCE_S)
    assert reader.finished
    reader.join(PATIENCE_S)


@pytest.mark.parametrize(
    ("camera_fps", "wanted"), [(25, 10), (30, 7), (25, 24), (10, 10), (60, 0.5), (25, 100)]
)
def test_the_rate_limit_admits_that_many_frames_a_second(camera_fps: float, wanted: float) -> None:
    seconds = 8
    source = ScriptedSource(source_frames(round(seconds * camera_fps), camera_fps))
    reading = _RunningReader(source, fps=wanted).to_the_end()
    kept = reading.frames()

    assert len(kept) == pytest.approx(seconds * min(wanted, camera_fps), abs=1)
    assert reading.account.snapshot().gated == seconds * camera_fps - len(kept)
    assert reading.account.snapshot().reasons.get("rate", 0) == seconds * camera_fps - len(kept)
    steps = [after.pts - before.pts for before, after in itertools.pairwise(kept)]
    assert max(steps) <= 1 / min(wanted, camera_fps) + 1 / camera_fps


def test_the_rate_limit_does_not_catch_up_after_a_pause() -> None:
    clock = FakeClock()
    source = ScriptedSource(
        [*source_frames(50), _GONE], source_frames(50), on_wait=lambda _: clock.advance(60.0)
    )
    kept = _RunningReader(source, fps=5, clock=clock).to_the_end().frames()

    # Two seconds before and two after the pause, at five a second; two more are let pass.
    assert 20 <= len(kept) <= 22


def test_still_pictures_are_gated_and_counted() -> None:
    reading = _RunningReader(
        ScriptedSource(source_frames(50)), gate=MotionGate(keyframe_s=1.0, hold_s=0.0)
    ).to_the_end()

    assert [f.frame_id for f in reading.frames()] == [0, 25]
    assert reading.account.snapshot() == Account(decoded=50, gated=48, reasons={"still": 48})


def test_the_newest_frame_is_published_after_its_pixels_are_computed() -> None:
    seen: list[Frame | None] = []

    class Watched(MotionGate):
        def is_open(self, luma: np.ndarray, pts: float) -> bool:
            seen.append(reading.reader.newest)
            return super().is_open(luma, pts)

    reading = _RunningReader(ScriptedSource(source_frames(2)), gate=Watched())
    reading.to_the_end()
    assert [None if frame is None else frame.frame_id for frame in seen] == [None, 0]
    assert reading.reader.newest is not None
    assert reading.reader.newest.frame_id == 1


def test_a_frame_at_which_the_reader_fails_has_failed() -> None:
    class Broken(MotionGate):
        def is_open(self, luma: np.ndarray, pts: float) -> bool:
            if pts > 0.1:
                raise MemoryError
            return super().is_open(luma, pts)

    reading = _RunningReader(ScriptedSource(source_frames(9)), gate=Broken()).to_the_end()
    account = reading.account.snapshot()
    assert reading.reader.state is CameraState.FAILED
    assert (account.failed, account.reasons["worker"]) == (1, 1)
    assert account.pending == len(reading.frames())


def test_closing_stops_the_reader_and_drops_waiting_frames() -> None:
    never = threading.Event()
    reached = threading.Event()
    reading = _RunningReader(ScriptedSource([*source_frames(4), reached.set, never, *source_frames(4)]))
    reading.reader.start()
    assert reached.wait(PATIENCE_S)
    reading.close()

    assert reading.account.snapshot() == Account(decoded=4, dropped=4, reasons={"stopped": 4})
    assert reading.frames() == []


def test_closing_a_lost_camera_does_not_wait_for_its_backoff() -> None:
    reading = _RunningReader(ScriptedSource([_GONE])).to_the_end_of_the_script()
    reading.close()

    assert "reader-a" not in {thread.name for thread in threading.enumerate()}


def test_several_readers_that_hang_are_waited_for_once() -> None:
    stuck = [_RunningReader(ScriptedSource([_deaf])) for _ in range(5)]
    for one in stuck:
        one.reader.start()
    began = time.monotonic()
    join_all([one.reader for one in stuck], timeout_s=0.1)
    assert time.monotonic() - began < 0.4
    _HEARS.set()
    for one in stuck:
        one.close()


def test_a_frame_that_arrives_after_closing_is_counted() -> None:
    source = ScriptedSource(
        [*source_frames(3), lambda: reading.mailbox.close(), *source_frames(1, start_s=1.0)]
    )
    reading = _RunningReader(source)
    reading.to_the_end()

    assert reading.account.snapshot().pending == 0
    assert dropped(reading.account, DropReason.STOPPED) == 4
