import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from flows.stream.accounting import Account
from flows.stream.feed import State
from flows.stream.pipeline import StreamPipeline
from flows.stream.results import Result, Tap
from flows.stream.source import Shot
from serve.client import Answer, DetectorClient, Pending
from streetloop.cameras import Camera
from streetloop.errors import DetectorError, SourceUnavailable, SourceUnreadable, StoreError
from streetloop.settings import Settings
from streetloop.types import ArrayPicture, Detections, Image
from tests.support.build import camera, find_white, found, plain, shots, with_square
from tests.support.fakes import (
    PATIENCE_S,
    CollectingTap,
    FakeClock,
    ScriptedDetector,
    ScriptedSource,
    Step,
    eventually,
)

# Pictures of 320 x 192 are the detector's input as they are.
_SETTINGS = Settings(image_size=320, max_batch=4, gate=False, staleness_s=0.5)
_WHOLE_HEIGHT = ((0.5, 1.0), (0.5, 0.0))

Start = Callable[..., StreamPipeline]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a pipeline, and closes it after the test."""
    pipelines: list[StreamPipeline] = []

    def make(
        cameras: Sequence[tuple[Camera, ScriptedSource]],
        detector: DetectorClient | None = None,
        taps: Sequence[Tap] = (),
        settings: Settings = _SETTINGS,
        clock: FakeClock | None = None,
        generation: int = 0,
    ) -> StreamPipeline:
        champion = detector or ScriptedDetector()
        pipeline = StreamPipeline(
            cameras,
            lambda _: champion,
            settings,
            clock or FakeClock(),
            taps,
            generation,
        )
        pipelines.append(pipeline)
        pipeline.start()
        return pipeline

    yield make
    for pipeline in pipelines:
        _close(pipeline)


def _close(pipeline: StreamPipeline) -> None:
    """Close, and fail rather than hang if that does not end."""
    closing = threading.Thread(target=pipeline.close, daemon=True)
    closing.start()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()


def _clip(*steps: Step) -> ScriptedSource:
    return ScriptedSource(steps, live=False)


def _account(pipeline: StreamPipeline, camera_id: str = "a") -> Account:
    return pipeline.snapshot()[camera_id].account


def _driving(count: int, start: int = 20, step: int = 8) -> list[Shot]:
    """A white square that drives to the right."""
    return [Shot(i / 25, ArrayPicture(with_square(start + step * i, 80, 24))) for i in range(count)]


def test_pictures_in_results_out_in_order_of_each_camera(start: Start) -> None:
    tap = CollectingTap()
    pipeline = start(
        [(camera("a"), _clip(*shots(30))), (camera("b"), _clip(*shots(45)))], taps=[tap]
    )

    assert pipeline.wait(PATIENCE_S)
    assert tap.frame_ids("a") == list(range(30))
    assert tap.frame_ids("b") == list(range(45))
    assert tap.closed == 1
    assert _account(pipeline, "a") == Account(decoded=30, detected=30)
    assert _account(pipeline, "b") == Account(decoded=45, detected=45)
    assert {status.state for status in pipeline.snapshot().values()} == {State.ENDED}


def test_what_is_seen_is_tracked_counted_and_reported(start: Start) -> None:
    tap = CollectingTap()
    lined = camera("a", lines={"gate": _WHOLE_HEIGHT})
    pipeline = start([(lined, _clip(*_driving(30)))], ScriptedDetector(find_white), [tap])

    assert pipeline.wait(PATIENCE_S)
    status = pipeline.snapshot()["a"]
    assert status.objects == 1
    assert status.lines == {"gate": {"in": 1, "out": 0}}
    assert [c.direction for r in tap.results for c in r.crossings] == ["in"]
    last = tap.results[-1]
    assert last.model_version == ScriptedDetector.version
    assert last.tracked.track_id.tolist() == [1]
    assert last.tracked.detections.xyxy.tolist() == [[252, 80, 276, 104]]


def test_boxes_go_back_to_the_camera_they_came_from(start: Start) -> None:
    # Both share a batch; one fills its input, the other is half as large.
    tap = CollectingTap()
    small = ArrayPicture(with_square(20, 30, 10, width=160, height=96))
    large = ArrayPicture(with_square(200, 100, 30))
    pipeline = start(
        [(camera("s"), _clip(Shot(0, small))), (camera("l"), _clip(Shot(0, large)))],
        ScriptedDetector(find_white),
        [tap],
    )

    assert pipeline.wait(PATIENCE_S)
    boxes = {r.frame.camera_id: r.tracked.detections.xyxy[0] for r in tap.results}
    np.testing.assert_allclose(boxes["s"], [20, 30, 30, 40], atol=1)
    np.testing.assert_allclose(boxes["l"], [200, 100, 230, 130])


def test_a_clip_loses_nothing_to_a_slow_detector(start: Start) -> None:
    clock = FakeClock()
    hold = threading.Event()
    tap = CollectingTap()
    pipeline = start(
        [(camera("a"), _clip(*shots(100)))], ScriptedDetector(hold=hold), [tap], clock=clock
    )
    # Enough for the frames under way to be put; the rest has to wait for room.
    eventually(lambda: _account(pipeline).decoded > 20)
    clock.advance(60.0)
    assert not pipeline.wait(0)
    assert _account(pipeline).decoded < 100
    hold.set()

    assert pipeline.wait(PATIENCE_S)
    assert tap.frame_ids("a") == list(range(100))
    assert _account(pipeline) == Account(decoded=100, detected=100)


def test_a_slow_detector_costs_a_live_camera_frames_and_each_is_counted(start: Start) -> None:
    clock = FakeClock()
    hold = threading.Event()
    detector = ScriptedDetector(hold=hold)
    steps: list[Step] = [*shots(1), detector.asked, *shots(20, start_s=0.04)]
    # The newest arrive in time, after the others have gone stale.
    steps += [lambda: clock.advance(1.0), *shots(2, start_s=1.84), hold.set]
    tap = CollectingTap()
    pipeline = start([(camera("a"), ScriptedSource(steps))], detector, [tap], clock=clock)

    assert pipeline.wait(PATIENCE_S)
    account = _account(pipeline)
    assert account.decoded == 23
    assert account.pending == account.failed == account.gated == 0
    assert account.detected == len(tap.results)
    assert account.dropped == sum(account.reasons.values()) > 10
    assert set(account.reasons) <= {"stale", "superseded"}
    assert tap.frame_ids("a")[-1] == 22


# The detector


@pytest.mark.parametrize("failures", [1, 2])
def test_a_detector_that_fails_now_and_then_is_asked_again(start: Start, failures: int) -> None:
    detector = ScriptedDetector(failures=[DetectorError("busy")] * failures)
    tap = CollectingTap()
    pipeline = start([(camera("a"), _clip(*shots(20)))], detector, [tap])

    assert pipeline.wait(PATIENCE_S)
    assert tap.frame_ids("a") == list(range(20))
    assert _account(pipeline) == Account(decoded=20, detected=20)
    assert pipeline.snapshot()["a"].faults == ()


def test_a_batch_without_an_answer_has_failed_and_the_stream_goes_on(start: Start) -> None:
    detector = ScriptedDetector(failures=[DetectorError("busy")] * 3)
    tap = CollectingTap()
    pipeline = start([(camera("a"), _clip(*shots(20)))], detector, [tap])

    assert pipeline.wait(PATIENCE_S)
    first = detector.shapes[0][0]
    assert _account(pipeline) == Account(
        decoded=20, detected=20 - first, failed=first, reasons={"detector": first}
    )
    assert tap.frame_ids("a") == list(range(first, 20))


def test_with_a_detector_that_always_fails_every_frame_has_failed(start: Start) -> None:
    detector = ScriptedDetector(failures=[DetectorError("gone")] * 1000)
    tap = CollectingTap()
    pipeline = start([(camera(i), _clip(*shots(10))) for i in "ab"], detector, [tap])

    assert pipeline.wait(PATIENCE_S)
    for camera_id in "ab":
        assert _account(pipeline, camera_id) == Account(
            decoded=10, failed=10, reasons={"detector": 10}
        )
    assert tap.results == []
    assert tap.closed == 1


class _TooFew(ScriptedDetector):
    """Answers for one image fewer than it was asked about."""

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
def test_a_fault_in_the_detector_ends_the_run_and_the_accounts_add_up(
    start: Start, detector: ScriptedDetector
) -> None:
    never = threading.Event()
    tap = CollectingTap()
    pipeline = start(
        [(camera("a"), _clip(*shots(50))), (camera("b"), ScriptedSource([*shots(5), never]))],
        detector,
        [tap],
    )

    assert pipeline.wait(PATIENCE_S)
    _close(pipeline)
    for status in pipeline.snapshot().values():
        assert status.account.pending == 0
        assert len(status.faults) == 1
        assert "the stream flow failed" in status.faults[0]
    assert tap.closed == 1


# The taps


def test_a_tap_that_cannot_store_is_a_fault_and_the_stream_goes_on(start: Start) -> None:
    broken = CollectingTap(raises=StoreError("the disk is full"))
    other = CollectingTap()
    pipeline = start([(camera("a"), _clip(*shots(20)))], taps=[broken, other])

    assert pipeline.wait(PATIENCE_S)
    assert _account(pipeline) == Account(decoded=20, detected=20)
    assert len(broken.results) == len(other.results) == 20
    assert broken.closed == other.closed == 1
    assert pipeline.snapshot()["a"].faults == ("the disk is full",)


def test_a_tap_that_cannot_be_closed_is_a_fault_too(start: Start) -> None:
    class _Unclosable(CollectingTap):
        def close(self) -> None:
            raise StoreError("the disk is full")

    other = CollectingTap()
    pipeline = start([(camera("a"), _clip(*shots(3)))], taps=[_Unclosable(), other])

    assert pipeline.wait(PATIENCE_S)
    assert other.closed == 1
    assert pipeline.snapshot()["a"].faults == ("the disk is full",)


def test_the_list_of_faults_does_not_grow_without_end(start: Start) -> None:
    def fail(result: Result) -> None:
        raise StoreError(f"cannot store frame {result.frame.frame_id}")

    pipeline = start([(camera("a"), _clip(*shots(50)))], taps=[CollectingTap(on_take=fail)])

    assert pipeline.wait(PATIENCE_S)
    assert 1 <= len(pipeline.snapshot()["a"].faults) <= 10


def test_a_fault_in_a_tap_is_shown_and_the_streams_go_on(start: Start) -> None:
    broken = CollectingTap(raises=ZeroDivisionError("a bug"))
    other = CollectingTap()
    pipeline = start([(camera("a"), _clip(*shots(50)))], taps=[broken, other])

    assert pipeline.wait(PATIENCE_S)
    _close(pipeline)
    status = pipeline.snapshot()["a"]
    assert status.account.detected == len(other.results) == 50
    assert status.faults == ("ZeroDivisionError: a bug",)
    assert broken.closed == other.closed == 1


def test_a_detector_that_refuses_the_question_fails_its_frames_only(start: Start) -> None:
    class Refusing:
        def submit(self, images: Image) -> Pending:
            raise DetectorError("no such application")

    pipeline = start([(camera("a"), _clip(*shots(10)))], Refusing())
    assert pipeline.wait(PATIENCE_S)
    account = _account(pipeline)
    assert (account.failed, account.pending) == (10, 0)


def test_closing_what_was_never_started_returns() -> None:
    source = ScriptedSource(shots(1))
    champion = ScriptedDetector()
    pipeline = StreamPipeline([(camera("a"), source)], lambda _: champion, _SETTINGS, FakeClock())
    _close(pipeline)


# Stopping


def test_closing_waits_for_the_answers_under_way_and_drops_the_rest(start: Start) -> None:
    hold, never = threading.Event(), threading.Event()
    detector = ScriptedDetector(hold=hold)
    tap = CollectingTap()
    pipeline = start([(camera("a"), _clip(*shots(100), never))], detector, [tap])
    # Two batches are under way; behind them wait as many frames as there is room for.
    eventually(lambda: _account(pipeline).decoded > 20)

    closing = threading.Thread(target=pipeline.close)
    closing.start()
    eventually(lambda: _account(pipeline).dropped > 0)
    assert tap.closed == 0
    hold.set()
    closing.join(PATIENCE_S)

    account = _account(pipeline)
    assert account.pending == 0
    assert account.detected == len(tap.results) > 0
    assert account.dropped == account.reasons["stopped"] == account.decoded - account.detected
    assert account.decoded < 100
    assert tap.closed == 1


def test_closing_does_not_sit_out_the_retries_of_the_detector(start: Start) -> None:
    class _Patient(FakeClock):
        """Waits for real, for ever, unless the event comes."""

        def wait(self, event: threading.Event, timeout_s: float) -> bool:
            self.waits.append(timeout_s)
            return event.wait(PATIENCE_S)

    clock = _Patient()
    never = threading.Event()
    detector = ScriptedDetector(failures=[DetectorError("busy")] * 1000)
    pipeline = start([(camera("a"), ScriptedSource([*shots(5), never]))], detector, clock=clock)
    eventually(lambda: bool(clock.waits))
    _close(pipeline)

    account = _account(pipeline)
    assert account.pending == 0
    assert account.failed > 0


def test_closing_twice_and_closing_what_has_ended_is_fine(start: Start) -> None:
    tap = CollectingTap()
    pipeline = start([(camera("a"), _clip(*shots(5)))], taps=[tap])
    assert pipeline.wait(PATIENCE_S)
    _close(pipeline)
    _close(pipeline)

    assert tap.closed == 1
    assert _account(pipeline) == Account(decoded=5, detected=5)


def test_a_pipeline_whose_cameras_still_run_has_not_ended(start: Start) -> None:
    never = threading.Event()
    pipeline = start([(camera("a"), ScriptedSource([*shots(1), never]))])
    eventually(lambda: _account(pipeline).detected == 1)

    assert not pipeline.wait(0.01)
    assert pipeline.snapshot()["a"].state is State.LIVE


# Neighbours


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        ([SourceUnavailable("no route to host")], State.LOST),
        ([SourceUnreadable("is not a video")], State.FAILED),
        ([ZeroDivisionError("a bug")], State.FAILED),
        ([threading.Event()], State.CONNECTING),
        ([*shots(3), SourceUnavailable("gone")], State.LOST),
    ],
    ids=["down", "unreadable", "buggy", "hangs", "lost"],
)
def test_one_bad_camera_among_four_costs_the_others_nothing(
    start: Start, trouble: list[Step], state: State
) -> None:
    tap = CollectingTap()
    pipeline = start(
        [
            (camera("a"), _clip(*shots(40))),
            (camera("bad"), ScriptedSource(trouble)),
            (camera("b"), _clip(*shots(40))),
            (camera("c"), _clip(*shots(40))),
        ],
        taps=[tap],
    )
    eventually(lambda: all(_account(pipeline, i).detected == 40 for i in "abc"))
    eventually(lambda: pipeline.snapshot()["bad"].state is state)

    for camera_id in "abc":
        assert tap.frame_ids(camera_id) == list(range(40))
        assert _account(pipeline, camera_id) == Account(decoded=40, detected=40)


def test_a_camera_that_comes_back_keeps_its_tracks_apart_and_its_count(start: Start) -> None:
    clock = FakeClock()
    tap = CollectingTap()
    source = ScriptedSource(
        [*_driving(10, step=0), SourceUnavailable("gone")],
        _driving(10, step=0),
        live=False,
        on_wait=lambda _: clock.advance(60.0),
    )
    pipeline = start([(camera("a"), source)], ScriptedDetector(find_white), [tap], clock=clock)

    assert pipeline.wait(PATIENCE_S)
    status = pipeline.snapshot()["a"]
    assert status.reconnects == 1
    assert status.objects == 2
    ids = {int(track) for r in tap.results for track in r.tracked.track_id if track > 0}
    assert ids == {1, 2}
    times = [r.frame.pts for r in tap.results]
    assert times == sorted(set(times))


def test_a_camera_taken_over_after_a_crash_gets_other_track_ids(start: Start) -> None:
    ids = set()
    for generation in range(2):
        tap = CollectingTap()
        pipeline = start(
            [(camera("a"), _clip(*_driving(5)))],
            ScriptedDetector(find_white),
            [tap],
            generation=generation,
        )
        assert pipeline.wait(PATIENCE_S)
        ids.add(int(tap.results[-1].tracked.track_id[0]))

    assert len(ids) == 2


def test_cameras_of_different_shape_do_not_share_a_batch_and_both_come_through(
    start: Start,
) -> None:
    detector = ScriptedDetector()
    wide = [Shot(i / 25, plain(320, 160)) for i in range(10)]
    tall = [Shot(i / 25, plain(160, 320)) for i in range(10)]
    pipeline = start([(camera("w"), _clip(*wide)), (camera("t"), _clip(*tall))], detector)

    assert pipeline.wait(PATIENCE_S)
    assert _account(pipeline, "w").detected == _account(pipeline, "t").detected == 10
    assert {shape[1:] for shape in detector.shapes} == {(160, 320, 3), (320, 160, 3)}
    assert all(shape[0] <= _SETTINGS.max_batch for shape in detector.shapes)


# The gate


def _in_step(pipeline: Callable[[], StreamPipeline], pictures: Sequence[Shot]) -> list[Step]:
    """The pictures, each after what became of the one before is known."""
    steps: list[Step] = []
    for picture in pictures:
        steps += [picture, lambda: eventually(lambda: _account(pipeline()).pending == 0)]
    return steps


def test_the_gate_spares_the_detector_an_empty_road(start: Start) -> None:
    gated = _SETTINGS.model_copy(update={"gate": True, "keyframe_s": 2.0})
    detector = ScriptedDetector()
    pipeline = start([(camera("a"), _clip(*shots(125)))], detector, settings=gated)

    assert pipeline.wait(PATIENCE_S)
    account = _account(pipeline)
    assert account.gated == account.reasons["still"] == 125 - account.detected
    # 0.4 s after the first picture, and two keyframes.
    assert account.detected == 13
    assert sum(shape[0] for shape in detector.shapes) == account.detected


@pytest.mark.parametrize(("speed", "is_kept_open"), [(2.0, True), (0.0, False)])
def test_a_track_that_moves_keeps_the_gate_open_and_one_that_stands_does_not(
    start: Start, speed: float, is_kept_open: bool
) -> None:
    # The pixels do not change: only the tracker can say that something moves.
    def find(_: Image) -> Detections:
        left = 20.0 + speed * len(detector.shapes)
        return found((left, 80, left + 40, 120))

    detector = ScriptedDetector(find)
    gated = _SETTINGS.model_copy(update={"gate": True, "keyframe_s": 100.0})
    pipelines: list[StreamPipeline] = []
    go = threading.Event()
    source = _clip(go, *_in_step(lambda: pipelines[0], shots(60)))
    pipelines.append(start([(camera("a"), source)], detector, settings=gated))
    go.set()

    assert pipelines[0].wait(PATIENCE_S)
    account = _account(pipelines[0])
    assert account.detected == (60 if is_kept_open else 11)
    assert account.pending == 0


# Cameras that are dropped


def test_a_camera_that_is_dropped_adds_up_and_the_others_go_on(start: Start) -> None:
    go_on = threading.Event()
    tap = CollectingTap()
    pipeline = start(
        [
            (camera("a"), _clip(*shots(10), threading.Event())),
            (camera("b"), _clip(*shots(10), go_on, *shots(10, start_s=1.0))),
        ],
        taps=[tap],
    )
    eventually(lambda: len(tap.frame_ids("a")) == 10)
    last = pipeline.drop({"a", "nobody"})
    assert last.keys() == {"a"}
    assert last["a"].state is State.ENDED
    assert last["a"].account == Account(decoded=10, detected=10)
    assert pipeline.snapshot().keys() == {"b"}
    assert [feed.camera.id for feed in pipeline.feeds] == ["b"]

    go_on.set()
    assert pipeline.wait(PATIENCE_S)
    assert _account(pipeline, "b") == Account(decoded=20, detected=20)
    assert tap.frame_ids("b") == list(range(20))


def test_dropping_waits_for_the_answers_under_way_and_drops_the_rest(start: Start) -> None:
    hold = threading.Event()
    detector = ScriptedDetector(hold=hold)
    pipeline = start(
        [(camera("a"), ScriptedSource([*shots(40), threading.Event()], live=True))], detector
    )
    assert detector.asked.wait(PATIENCE_S)
    eventually(lambda: _account(pipeline).decoded == 40)
    said: list[Account] = []
    dropping = threading.Thread(
        target=lambda: said.append(pipeline.drop({"a"})["a"].account), daemon=True
    )
    dropping.start()
    eventually(lambda: pipeline.feeds[0].finished)
    assert not said
    hold.set()
    dropping.join(PATIENCE_S)
    (account,) = said
    assert account.pending == 0
    assert account.decoded == 40 == account.detected + account.dropped
    assert account.detected > 0
    assert account.dropped > 0


def test_with_its_last_camera_dropped_the_flow_ends(start: Start) -> None:
    tap = CollectingTap()
    pipeline = start([(camera("a"), _clip(*shots(3), threading.Event()))], taps=[tap])
    eventually(lambda: len(tap.results) == 3)
    pipeline.drop({"a"})
    assert pipeline.wait(PATIENCE_S)
    assert tap.closed == 1


def test_a_camera_of_which_a_frame_hangs_is_let_go_after_a_while(start: Start) -> None:
    hold = threading.Event()
    detector = ScriptedDetector(hold=hold)
    patient = _SETTINGS.model_copy(update={"detector_timeout_s": 0.05})
    pipeline = start([(camera("a"), _clip(*shots(2)))], detector, settings=patient)
    assert detector.asked.wait(PATIENCE_S)
    account = pipeline.drop({"a"})["a"].account
    assert account.pending > 0, "whoever asked counts them as failed"
    hold.set()
    assert pipeline.wait(PATIENCE_S)
