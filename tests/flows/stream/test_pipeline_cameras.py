"""Several cameras in one pipeline."""

import threading
from collections.abc import Callable, Sequence

import pytest

from flows.stream.ingest.accounting import Account
from flows.stream.ingest.camera_state import CameraState
from flows.stream.pipeline import StreamPipeline
from flows.stream.sources.source import SourceFrame
from streetloop.errors import SourceUnavailable, SourceUnreadable
from streetloop.types import Detections, Frame, Image
from tests.support.stream_flow.build import camera, find_white, found, plain, source_frames
from tests.support.stream_flow.fakes import (
    PATIENCE_S,
    CollectingSink,
    FakeClock,
    ScriptedDetector,
    ScriptedSource,
    Step,
    eventually,
)
from tests.support.stream_flow.pipelines import SETTINGS, Start, account_of, clip, driving


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        ([SourceUnavailable("no route to host")], CameraState.LOST),
        ([SourceUnreadable("is not a video")], CameraState.FAILED),
        ([ZeroDivisionError("a bug")], CameraState.FAILED),
        ([threading.Event()], CameraState.CONNECTING),
        ([*source_frames(3), SourceUnavailable("gone")], CameraState.LOST),
    ],
    ids=["down", "unreadable", "buggy", "hangs", "lost"],
)
def test_one_failing_camera_of_four_does_not_affect_the_others(
    start: Start, trouble: list[Step], state: CameraState
) -> None:
    sink = CollectingSink()
    pipeline = start(
        [
            (camera("a"), clip(*source_frames(40))),
            (camera("bad"), ScriptedSource(trouble)),
            (camera("b"), clip(*source_frames(40))),
            (camera("c"), clip(*source_frames(40))),
        ],
        sinks=[sink],
    )
    eventually(lambda: all(account_of(pipeline, i).detected == 40 for i in "abc"))
    eventually(lambda: pipeline.snapshot()["bad"].state is state)

    for camera_id in "abc":
        assert sink.frame_ids(camera_id) == list(range(40))
        assert account_of(pipeline, camera_id) == Account(decoded=40, detected=40)


def test_after_a_reconnect_tracks_are_new_and_the_object_count_goes_on(start: Start) -> None:
    clock = FakeClock()
    sink = CollectingSink()
    source = ScriptedSource(
        [*driving(10, step=0), SourceUnavailable("gone")],
        driving(10, step=0),
        live=False,
        on_wait=lambda _: clock.advance(60.0),
    )
    pipeline = start([(camera("a"), source)], ScriptedDetector(find_white), [sink], clock=clock)

    assert pipeline.wait(PATIENCE_S)
    status = pipeline.snapshot()["a"]
    assert status.reconnects == 1
    assert status.objects == 2
    ids = {int(track) for r in sink.results for track in r.tracked.track_id if track > 0}
    assert ids == {1, 2}
    times = [r.frame.pts for r in sink.results]
    assert times == sorted(set(times))


def test_track_ids_differ_between_generations_of_a_worker(start: Start) -> None:
    ids = set()
    for generation in range(2):
        sink = CollectingSink()
        pipeline = start(
            [(camera("a"), clip(*driving(5)))], ScriptedDetector(find_white), [sink], generation=generation
        )
        assert pipeline.wait(PATIENCE_S)
        ids.add(int(sink.results[-1].tracked.track_id[0]))

    assert len(ids) == 2


def test_cameras_of_different_input_shapes_are_batched_apart_and_all_detected(start: Start) -> None:
    detector = ScriptedDetector()
    wide = [SourceFrame(i / 25, plain(320, 160)) for i in range(10)]
    tall = [SourceFrame(i / 25, plain(160, 320)) for i in range(10)]
    pipeline = start([(camera("w"), clip(*wide)), (camera("t"), clip(*tall))], detector)

    assert pipeline.wait(PATIENCE_S)
    assert account_of(pipeline, "w").detected == account_of(pipeline, "t").detected == 10
    assert {shape[1:] for shape in detector.shapes} == {(160, 320, 3), (320, 160, 3)}
    assert all(shape[0] <= SETTINGS.max_batch for shape in detector.shapes)


# The gate


def _in_step(pipeline: Callable[[], StreamPipeline], pictures: Sequence[SourceFrame]) -> list[Step]:
    """The pictures, each after what became of the one before is known."""
    steps: list[Step] = []
    for picture in pictures:
        steps += [picture, lambda: eventually(lambda: account_of(pipeline()).pending == 0)]
    return steps


def test_the_gate_skips_the_detector_on_an_empty_road(start: Start) -> None:
    gated = SETTINGS.model_copy(update={"gate": True, "keyframe_s": 2.0})
    detector = ScriptedDetector()
    still: list[Frame] = []
    pipeline = start(
        [(camera("a"), clip(*source_frames(125)))], detector, settings=gated, on_still=still.append
    )

    assert pipeline.wait(PATIENCE_S)
    account = account_of(pipeline)
    assert len(still) == account.gated == account.reasons["still"] == 125 - account.detected
    # 0.4 s after the first picture, and two keyframes.
    assert account.detected == 13
    assert sum(shape[0] for shape in detector.shapes) == account.detected


@pytest.mark.parametrize(("speed", "is_kept_open"), [(2.0, True), (0.0, False)])
def test_a_moving_track_keeps_the_gate_open_and_a_standing_one_does_not(
    start: Start, speed: float, is_kept_open: bool
) -> None:
    # The pixels do not change: only the tracker can say that something moves.
    def find(_: Image) -> Detections:
        left = 20.0 + speed * len(detector.shapes)
        return found((left, 80, left + 40, 120))

    detector = ScriptedDetector(find)
    gated = SETTINGS.model_copy(update={"gate": True, "keyframe_s": 100.0})
    pipelines: list[StreamPipeline] = []
    go = threading.Event()
    source = clip(go, *_in_step(lambda: pipelines[0], source_frames(60)))
    pipelines.append(start([(camera("a"), source)], detector, settings=gated))
    go.set()

    assert pipelines[0].wait(PATIENCE_S)
    account = account_of(pipelines[0])
    assert account.detected == (60 if is_kept_open else 11)
    assert account.pending == 0
