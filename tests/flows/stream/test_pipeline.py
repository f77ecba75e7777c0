import threading
from collections import Counter

import numpy as np
import pytest

from flows.stream.analysis.results import Result
from flows.stream.ingest.accounting import Account, SettledFrame
from flows.stream.ingest.camera_state import CameraState
from flows.stream.pipeline import StreamPipeline
from flows.stream.sources.source import SourceFrame
from serve.detector.client import Answer, Pending
from streetloop.errors import DetectorError, StoreError
from streetloop.types import ArrayPicture, Image
from tests.support.stream_flow.build import camera, find_white, source_frames, with_square
from tests.support.stream_flow.fakes import (
    PATIENCE_S,
    CollectingSink,
    FakeClock,
    ScriptedDetector,
    ScriptedSource,
    Step,
    eventually,
)
from tests.support.stream_flow.pipelines import SETTINGS, Start, account_of, clip, close, driving

_WHOLE_HEIGHT = ((0.5, 1.0), (0.5, 0.0))


def test_every_frame_gives_a_result_in_order_of_its_camera(start: Start) -> None:
    sink = CollectingSink()
    pipeline = start(
        [(camera("a"), clip(*source_frames(30))), (camera("b"), clip(*source_frames(45)))], sinks=[sink]
    )

    assert pipeline.wait(PATIENCE_S)
    assert sink.frame_ids("a") == list(range(30))
    assert sink.frame_ids("b") == list(range(45))
    assert sink.closed == 1
    assert account_of(pipeline, "a") == Account(decoded=30, detected=30)
    assert account_of(pipeline, "b") == Account(decoded=45, detected=45)
    assert {status.state for status in pipeline.snapshot().values()} == {CameraState.ENDED}


def test_detections_are_tracked_counted_and_reported(start: Start) -> None:
    sink = CollectingSink()
    lined = camera("a", lines={"gate": _WHOLE_HEIGHT})
    pipeline = start([(lined, clip(*driving(30)))], ScriptedDetector(find_white), [sink])

    assert pipeline.wait(PATIENCE_S)
    status = pipeline.snapshot()["a"]
    assert status.objects == 1
    assert status.lines["gate"].directions() == {"in": 1, "out": 0}
    assert status.objects_by_class == {"0": 1}
    assert [c.direction for r in sink.results for c in r.crossings] == ["in"]
    last = sink.results[-1]
    assert last.model_version == ScriptedDetector.version
    assert last.tracked.track_id.tolist() == [1]
    assert last.tracked.detections.xyxy.tolist() == [[252, 80, 276, 104]]


def test_every_decoded_frame_is_told_with_its_fate_and_what_answered(start: Start) -> None:
    told: list[SettledFrame] = []
    still = SETTINGS.model_copy(update={"gate": True, "keyframe_s": 1.0})
    pipeline = start([(camera("a"), clip(*source_frames(30)))], settings=still, on_settled=told.append)

    assert pipeline.wait(PATIENCE_S)
    account = account_of(pipeline)
    assert sorted(one.frame_id for one in told) == list(range(30))
    assert Counter(one.fate for one in told) == {"detected": account.detected, "gated": account.gated}
    assert account.detected
    assert account.gated
    answered = {(one.fate, one.reason, one.model_version, one.backend) for one in told}
    assert answered == {
        ("detected", None, ScriptedDetector.version, "fake/fp32"),
        ("gated", "still", None, None),
    }


def test_frame_ids_of_a_worker_that_follows_another_never_repeat_its(start: Start) -> None:
    sink = CollectingSink()
    pipeline = start([(camera("a"), clip(*source_frames(3)))], sinks=[sink], generation=2)

    assert pipeline.wait(PATIENCE_S)
    assert sink.frame_ids("a") == [2_000_000_000, 2_000_000_001, 2_000_000_002]


def test_boxes_are_converted_to_the_pixels_of_their_own_camera(start: Start) -> None:
    # Both share a batch; one fills its input, the other is half as large.
    sink = CollectingSink()
    small = ArrayPicture(with_square(20, 30, 10, width=160, height=96))
    large = ArrayPicture(with_square(200, 100, 30))
    pipeline = start(
        [(camera("s"), clip(SourceFrame(0, small))), (camera("l"), clip(SourceFrame(0, large)))],
        ScriptedDetector(find_white),
        [sink],
    )

    assert pipeline.wait(PATIENCE_S)
    boxes = {r.frame.camera_id: r.tracked.detections.xyxy[0] for r in sink.results}
    np.testing.assert_allclose(boxes["s"], [20, 30, 30, 40], atol=1)
    np.testing.assert_allclose(boxes["l"], [200, 100, 230, 130])


def test_a_slow_detector_drops_no_frame_of_a_lossless_source(start: Start) -> None:
    clock = FakeClock()
    hold = threading.Event()
    sink = CollectingSink()
    pipeline = start(
        [(camera("a"), clip(*source_frames(100)))], ScriptedDetector(hold=hold), [sink], clock=clock
    )
    # Enough for the batches in flight and a full mailbox; the rest has to wait.
    eventually(lambda: account_of(pipeline).decoded > 20)
    clock.advance(60.0)
    assert not pipeline.wait(0)
    assert account_of(pipeline).decoded < 100
    hold.set()

    assert pipeline.wait(PATIENCE_S)
    assert sink.frame_ids("a") == list(range(100))
    assert account_of(pipeline) == Account(decoded=100, detected=100)


def test_a_slow_detector_drops_frames_of_a_live_camera_and_each_is_counted(start: Start) -> None:
    clock = FakeClock()
    hold = threading.Event()
    detector = ScriptedDetector(hold=hold)
    steps: list[Step] = [*source_frames(1), detector.asked, *source_frames(20, start_s=0.04)]
    # The newest arrive in time, after the others have gone stale.
    steps += [lambda: clock.advance(1.0), *source_frames(2, start_s=1.84), hold.set]
    sink = CollectingSink()
    pipeline = start([(camera("a"), ScriptedSource(steps))], detector, [sink], clock=clock)

    assert pipeline.wait(PATIENCE_S)
    account = account_of(pipeline)
    assert account.decoded == 23
    assert account.pending == account.failed == account.gated == 0
    assert account.detected == len(sink.results)
    assert account.dropped == sum(account.reasons.values()) > 10
    assert set(account.reasons) <= {"stale", "superseded"}
    assert sink.frame_ids("a")[-1] == 22


# The detector


@pytest.mark.parametrize("failures", [1, 2])
def test_a_failed_call_is_retried(start: Start, failures: int) -> None:
    detector = ScriptedDetector(failures=[DetectorError("busy")] * failures)
    sink = CollectingSink()
    pipeline = start([(camera("a"), clip(*source_frames(20)))], detector, [sink])

    assert pipeline.wait(PATIENCE_S)
    assert sink.frame_ids("a") == list(range(20))
    assert account_of(pipeline) == Account(decoded=20, detected=20)
    assert pipeline.snapshot()["a"].faults == ()


def test_a_batch_whose_retries_fail_counts_as_failed_and_the_stream_goes_on(start: Start) -> None:
    detector = ScriptedDetector(failures=[DetectorError("busy")] * 3)
    sink = CollectingSink()
    pipeline = start([(camera("a"), clip(*source_frames(20)))], detector, [sink])

    assert pipeline.wait(PATIENCE_S)
    first = detector.shapes[0][0]
    assert account_of(pipeline) == Account(
        decoded=20, detected=20 - first, failed=first, reasons={"detector": first}
    )
    assert sink.frame_ids("a") == list(range(first, 20))
    assert pipeline.snapshot()["a"].detector_error is None, "it answers again"


def test_a_detector_that_always_fails_fails_every_frame(start: Start) -> None:
    detector = ScriptedDetector(failures=[DetectorError("gone")] * 1000)
    sink = CollectingSink()
    pipeline = start([(camera(i), clip(*source_frames(10))) for i in "ab"], detector, [sink])

    assert pipeline.wait(PATIENCE_S)
    for camera_id in "ab":
        assert account_of(pipeline, camera_id) == Account(decoded=10, failed=10, reasons={"detector": 10})
        assert pipeline.snapshot()[camera_id].detector_error == "gone"
    assert sink.results == []
    assert sink.closed == 1


class _TooFew(ScriptedDetector):
    """Answers for one image fewer than it was sent."""

    def answer(self, images: Image) -> Answer:
        return super().answer(images[1:])


@pytest.mark.parametrize(
    "detector",
    [
        ScriptedDetector(failures=[ZeroDivisionError("a bug")]),
        ScriptedDetector(refuse=ZeroDivisionError("a bug")),
        _TooFew(),
    ],
    ids=["answer", "submit", "too few answers"],
)
def test_an_unexpected_error_of_a_detector_ends_the_run_and_settles_every_frame(
    start: Start, detector: ScriptedDetector
) -> None:
    never = threading.Event()
    sink = CollectingSink()
    pipeline = start(
        [(camera("a"), clip(*source_frames(50))), (camera("b"), ScriptedSource([*source_frames(5), never]))],
        detector,
        [sink],
    )

    assert pipeline.wait(PATIENCE_S)
    close(pipeline)
    for status in pipeline.snapshot().values():
        assert status.account.pending == 0
        assert len(status.faults) == 1
        assert "the stream flow failed" in status.faults[0].text
    assert sink.closed == 1


# The sinks


def test_a_store_error_of_a_sink_is_a_fault_and_the_stream_goes_on(start: Start) -> None:
    broken = CollectingSink(raises=StoreError("the disk is full"))
    other = CollectingSink()
    pipeline = start([(camera("a"), clip(*source_frames(20)))], sinks=[broken, other])

    assert pipeline.wait(PATIENCE_S)
    assert account_of(pipeline) == Account(decoded=20, detected=20)
    assert len(broken.results) == len(other.results) == 20
    assert broken.closed == other.closed == 1
    (fault,) = pipeline.snapshot()["a"].faults
    assert (fault.kind, fault.text, fault.count, fault.is_over) == (
        "store_failed",
        "the disk is full",
        20,
        False,
    )


def test_a_fault_that_does_not_come_again_is_over(start: Start) -> None:
    clock = FakeClock()

    def fail_at_first(result: Result) -> None:
        if result.frame.frame_id < 3:
            raise StoreError("the disk is full")
        clock.advance(SETTINGS.log_flush_s)

    sink = CollectingSink(on_take=fail_at_first)
    pipeline = start([(camera("a"), clip(*source_frames(6)))], sinks=[sink], clock=clock)

    assert pipeline.wait(PATIENCE_S)
    (fault,) = pipeline.snapshot()["a"].faults
    assert fault.is_over
    assert str(fault) == "the disk is full (3 times, the last at 12:00:00 UTC)"


def test_an_error_while_a_sink_closes_is_a_fault(start: Start) -> None:
    class _Unclosable(CollectingSink):
        def close(self) -> None:
            raise StoreError("the disk is full")

    other = CollectingSink()
    pipeline = start([(camera("a"), clip(*source_frames(3)))], sinks=[_Unclosable(), other])

    assert pipeline.wait(PATIENCE_S)
    assert other.closed == 1
    assert [str(fault) for fault in pipeline.snapshot()["a"].faults] == ["the disk is full"]


def test_errors_of_one_kind_are_one_fault(start: Start) -> None:
    def fail(result: Result) -> None:
        raise StoreError(f"cannot store frame {result.frame.frame_id}")

    pipeline = start([(camera("a"), clip(*source_frames(50)))], sinks=[CollectingSink(on_take=fail)])

    assert pipeline.wait(PATIENCE_S)
    (fault,) = pipeline.snapshot()["a"].faults
    assert (fault.text, fault.count) == ("cannot store frame 49", 50)


def test_an_unexpected_error_of_a_sink_is_a_fault_and_the_stream_goes_on(start: Start) -> None:
    broken = CollectingSink(raises=ZeroDivisionError("a bug"))
    other = CollectingSink()
    pipeline = start([(camera("a"), clip(*source_frames(50)))], sinks=[broken, other])

    assert pipeline.wait(PATIENCE_S)
    close(pipeline)
    status = pipeline.snapshot()["a"]
    assert status.account.detected == len(other.results) == 50
    assert [(fault.kind, fault.text) for fault in status.faults] == [
        ("sink_failed", "ZeroDivisionError: a bug")
    ]
    assert broken.closed == other.closed == 1


def test_a_refused_batch_fails_its_frames_only(start: Start) -> None:
    class Refusing:
        def submit(self, images: Image) -> Pending:
            raise DetectorError("no such application")

    pipeline = start([(camera("a"), clip(*source_frames(10)))], Refusing())
    assert pipeline.wait(PATIENCE_S)
    account = account_of(pipeline)
    assert (account.failed, account.pending) == (10, 0)


def test_closing_a_pipeline_that_was_never_started_returns() -> None:
    source = ScriptedSource(source_frames(1))
    champion = ScriptedDetector()
    pipeline = StreamPipeline([(camera("a"), source)], lambda _: champion, SETTINGS, FakeClock())
    close(pipeline)
