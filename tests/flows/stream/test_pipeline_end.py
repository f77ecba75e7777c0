"""How a pipeline ends, and how cameras are dropped."""

import threading

import pytest

from flows.stream.ingest.accounting import Account, SettledFrame
from flows.stream.ingest.camera_state import CameraState
from flows.stream.sources.source import SourceFrame
from streetloop.errors import DetectorError
from streetloop.types import ArrayPicture, Image
from tests.support.stream_flow.build import camera, plain, source_frames
from tests.support.stream_flow.fakes import (
    PATIENCE_S,
    CollectingSink,
    FakeClock,
    ScriptedDetector,
    ScriptedSource,
    eventually,
)
from tests.support.stream_flow.pipelines import SETTINGS, Start, account_of, clip, close


def test_closing_waits_for_batches_in_flight_and_drops_waiting_frames(start: Start) -> None:
    hold, never = threading.Event(), threading.Event()
    detector = ScriptedDetector(hold=hold)
    sink = CollectingSink()
    pipeline = start([(camera("a"), clip(*source_frames(100), never))], detector, [sink])
    # Two batches are in flight, and the mailbox behind them is full.
    eventually(lambda: account_of(pipeline).decoded > 20)

    closing = threading.Thread(target=pipeline.close)
    closing.start()
    eventually(lambda: account_of(pipeline).dropped > 0)
    assert sink.closed == 0
    hold.set()
    closing.join(PATIENCE_S)

    account = account_of(pipeline)
    assert account.pending == 0
    assert account.detected == len(sink.results) > 0
    assert account.dropped == account.reasons["stopped"] == account.decoded - account.detected
    assert account.decoded < 100
    assert sink.closed == 1


def held_up(reached: threading.Event, leave: threading.Event) -> ArrayPicture:
    """A picture with which the motion gate waits until it may go on."""

    class Slow(ArrayPicture):
        def luma(self) -> Image:
            reached.set()
            assert leave.wait(PATIENCE_S)
            return super().luma()

    return Slow(plain(320, 192).pixels)


def test_sinks_close_after_the_last_frame_has_its_fate(start: Start) -> None:
    """A reader that is in the motion gate when the pipeline closes settles its frame first."""
    reached, leave = threading.Event(), threading.Event()

    settled: list[SettledFrame] = []
    at_the_end: list[int] = []

    class Sink(CollectingSink):
        def close(self) -> None:
            at_the_end.append(len(settled))

    slow = SourceFrame(1.0, held_up(reached, leave))
    pipeline = start(
        [(camera("a"), ScriptedSource([*source_frames(3), slow, threading.Event()]))],
        sinks=[Sink()],
        settings=SETTINGS.model_copy(update={"gate": True}),
        on_settled=settled.append,
    )
    assert reached.wait(PATIENCE_S)
    closing = threading.Thread(target=pipeline.close)
    closing.start()
    closing.join(0.2)  # time for sinks to be closed too early
    leave.set()
    closing.join(PATIENCE_S)

    assert at_the_end == [4] == [account_of(pipeline).decoded]


def test_a_frame_that_a_slow_reader_still_holds_at_the_close_is_dropped(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a busy machine: the reader is in the motion gate for longer than it is waited for."""
    monkeypatch.setattr("flows.stream.pipeline._JOIN_S", 0.05)
    reached, leave = threading.Event(), threading.Event()

    settled: list[SettledFrame] = []
    frames = [SourceFrame(k / 10, held_up(reached, leave)) for k in range(2)]
    pipeline = start(
        [(camera("a"), ScriptedSource([*frames, threading.Event()]))],
        settings=SETTINGS.model_copy(update={"gate": True}),
        on_settled=settled.append,
    )
    assert reached.wait(PATIENCE_S)
    close(pipeline)
    expected = Account(decoded=1, dropped=1, reasons={"stopped": 1})
    assert account_of(pipeline) == expected

    leave.set()
    pipeline.readers[0].join(PATIENCE_S)
    assert account_of(pipeline) == expected  # neither that frame again, nor one after it
    assert len(settled) == 1


def test_closing_cuts_the_pauses_between_retries_short(start: Start) -> None:
    class _Patient(FakeClock):
        """Waits for real, for ever, unless the event comes."""

        def wait(self, event: threading.Event, timeout_s: float) -> bool:
            self.waits.append(timeout_s)
            return event.wait(PATIENCE_S)

    clock = _Patient()
    never = threading.Event()
    detector = ScriptedDetector(failures=[DetectorError("busy")] * 1000)
    pipeline = start([(camera("a"), ScriptedSource([*source_frames(5), never]))], detector, clock=clock)
    eventually(lambda: bool(clock.waits))
    close(pipeline)

    account = account_of(pipeline)
    assert account.pending == 0
    assert account.failed > 0


def test_closing_is_idempotent(start: Start) -> None:
    sink = CollectingSink()
    pipeline = start([(camera("a"), clip(*source_frames(5)))], sinks=[sink])
    assert pipeline.wait(PATIENCE_S)
    close(pipeline)
    close(pipeline)

    assert sink.closed == 1
    assert account_of(pipeline) == Account(decoded=5, detected=5)


def test_wait_is_false_while_cameras_run(start: Start) -> None:
    never = threading.Event()
    pipeline = start([(camera("a"), ScriptedSource([*source_frames(1), never]))])
    eventually(lambda: account_of(pipeline).detected == 1)

    assert not pipeline.wait(0.01)
    assert pipeline.snapshot()["a"].state is CameraState.LIVE


# Cameras that are dropped


def test_a_dropped_camera_has_no_pending_frame_and_the_others_go_on(start: Start) -> None:
    go_on = threading.Event()
    sink = CollectingSink()
    pipeline = start(
        [
            (camera("a"), clip(*source_frames(10), threading.Event())),
            (camera("b"), clip(*source_frames(10), go_on, *source_frames(10, start_s=1.0))),
        ],
        sinks=[sink],
    )
    eventually(lambda: len(sink.frame_ids("a")) == 10)
    last = pipeline.drop({"a", "nobody"})
    assert last.keys() == {"a"}
    assert last["a"].state is CameraState.ENDED
    assert last["a"].account == Account(decoded=10, detected=10)
    assert pipeline.snapshot().keys() == {"b"}
    assert [reader.camera.id for reader in pipeline.readers] == ["b"]

    go_on.set()
    assert pipeline.wait(PATIENCE_S)
    assert account_of(pipeline, "b") == Account(decoded=20, detected=20)
    assert sink.frame_ids("b") == list(range(20))


def test_dropping_waits_for_batches_in_flight_and_drops_waiting_frames(start: Start) -> None:
    hold = threading.Event()
    detector = ScriptedDetector(hold=hold)
    pipeline = start(
        [(camera("a"), ScriptedSource([*source_frames(40), threading.Event()], live=True))], detector
    )
    assert detector.asked.wait(PATIENCE_S)
    eventually(lambda: account_of(pipeline).decoded == 40)
    said: list[Account] = []
    dropping = threading.Thread(target=lambda: said.append(pipeline.drop({"a"})["a"].account), daemon=True)
    dropping.start()
    eventually(lambda: pipeline.readers[0].finished)
    assert not said
    hold.set()
    dropping.join(PATIENCE_S)
    (account,) = said
    assert account.pending == 0
    assert account.decoded == 40 == account.detected + account.dropped
    assert account.detected > 0
    assert account.dropped > 0


def test_a_pipeline_ends_when_its_last_camera_is_dropped(start: Start) -> None:
    sink = CollectingSink()
    pipeline = start([(camera("a"), clip(*source_frames(3), threading.Event()))], sinks=[sink])
    eventually(lambda: len(sink.results) == 3)
    pipeline.drop({"a"})
    assert pipeline.wait(PATIENCE_S)
    assert sink.closed == 1


def test_dropping_a_camera_with_a_hanging_frame_times_out(start: Start) -> None:
    hold = threading.Event()
    detector = ScriptedDetector(hold=hold)
    patient = SETTINGS.model_copy(update={"detector_timeout_s": 0.05})
    pipeline = start([(camera("a"), clip(*source_frames(2)))], detector, settings=patient)
    assert detector.asked.wait(PATIENCE_S)
    account = pipeline.drop({"a"})["a"].account
    assert account.pending > 0, "whoever asked counts them as failed"
    hold.set()
    assert pipeline.wait(PATIENCE_S)
