"""What the callback for compared frames is passed, and ground truth of the simulated city."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from flows.stream.inference.batching import pack
from flows.stream.sources.simulated import SimulatedSource
from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable
from serve.rollout.statistics.evidence import EVERYTHING
from streetloop.city.render.shapes import CLASSES
from streetloop.types import Detections, Frame
from tests.support.stream_flow.applications import counting_wrong, failing, saying, well
from tests.support.stream_flow.build import NOON, found
from tests.support.stream_flow.fakes import FakeClock
from tests.support.stream_flow.shadow import ALL, SHADOW, ShadowBench, batch_of


class Recorder:
    """A callback for compared frames.

    Attributes:
        compared: Camera, frame, boxes of the champion and of the challenger, version.
        raises: Raised once.
    """

    def __init__(self) -> None:
        self.compared: list[tuple[str, int, Detections, Detections, str]] = []
        self.raises: Exception | None = None

    def __call__(self, of: Frame, ours: Detections, theirs: Detections, version: str) -> None:
        self.compared.append((of.camera_id, of.frame_id, ours, theirs, version))
        if (error := self.raises) is not None:
            self.raises = None
            raise error


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def bench(recorder: Recorder) -> Iterator[ShadowBench]:
    bench = ShadowBench(on_compared=recorder)
    bench.follow(SHADOW)
    yield bench
    bench.shadow.close()


@pytest.mark.parametrize("application", [CHAMPION, CHALLENGER])
def test_the_champions_boxes_are_passed_first_whichever_model_serves(
    bench: ShadowBench, recorder: Recorder, application: str
) -> None:
    bench.follow(RouteTable(1, {}, ALL, ALL, 1.0))
    bench.applications.does = {
        CHAMPION: saying(found((0, 0, 30, 30))),
        CHALLENGER: saying(found((50, 50, 90, 90))),
    }
    served = found((0, 0, 30, 30)) if application == CHAMPION else found((50, 50, 90, 90))
    assert bench.show(batch_of(number=7), application, served)
    assert [(camera, number) for camera, number, *_ in recorder.compared] == [("a", 7), ("b", 7)]
    for *_, ours, theirs, version in recorder.compared:
        np.testing.assert_allclose(ours.xyxy, [[0, 0, 30, 30]])
        np.testing.assert_allclose(theirs.xyxy, [[50, 50, 90, 90]])
        assert version == CHAMPION


def test_the_callback_gets_confident_boxes_of_compared_cameras_only(
    bench: ShadowBench, recorder: Recorder
) -> None:
    bench.follow(RouteTable(1, {}, frozenset("a"), frozenset(), 1.0))
    bench.applications.does[CHALLENGER] = saying(found((10, 10, 40, 40), confidence=0.2))
    assert bench.show(batch_of())
    ((camera, _, ours, theirs, _),) = recorder.compared
    assert camera == "a"
    assert (len(ours), len(theirs)) == (1, 0)


@pytest.mark.parametrize("does", [failing, counting_wrong, saying(found((0, 0, 9, 9000)))])
def test_a_failed_call_is_not_passed_to_the_callback(
    bench: ShadowBench, recorder: Recorder, does: object
) -> None:
    bench.applications.does[CHALLENGER] = does  # type: ignore[assignment]
    assert bench.show(batch_of())
    bench.applications.does[CHALLENGER] = well
    sample = bench.sample(batch_of())
    bench.shadow.answered(sample, None)
    bench.settle()
    assert recorder.compared == []


def test_after_the_end_of_a_rollout_the_callback_is_not_called(
    bench: ShadowBench, recorder: Recorder
) -> None:
    sample = bench.sample(batch_of())
    bench.follow(RouteTable(2))
    bench.answer(sample, [Detections.empty()] * 2)
    bench.settle()
    assert recorder.compared == []


def test_an_error_of_the_callback_loses_no_evidence_and_no_later_sample(
    bench: ShadowBench, recorder: Recorder
) -> None:
    recorder.raises = RuntimeError("the frame cannot be encoded")
    assert bench.show(batch_of())
    assert bench.show(batch_of())
    assert bench.evidence().detections == (4, 4)
    assert len(recorder.compared) == 3


# Ground truth of the simulated city


def _simulated() -> Frame:
    """A frame with at least two objects."""
    source = SimulatedSource("sim://kingsport/crossing?size=640x384&traffic=busy&fps=1&live=0", FakeClock())
    for number, source_frame in enumerate(source.read(threading.Event())):
        frame = Frame("a", number, source_frame.media_s or 0.0, NOON, 0.0, source_frame.picture)
        if len(source_frame.picture.truth().detections()) >= 2:  # type: ignore[attr-defined]
            return frame
    raise AssertionError("nothing drives by")


@pytest.mark.parametrize("names", [tuple(CLASSES), tuple(reversed(CLASSES))])
def test_gains_are_measured_against_the_simulated_citys_ground_truth(names: tuple[str, ...]) -> None:
    bench = ShadowBench(names)
    bench.follow(RouteTable(1, {}, ALL, frozenset(), 1.0, 1.0))
    frame = _simulated()
    truth = frame.picture.truth().detections()  # type: ignore[attr-defined]
    ids = np.array([names.index(CLASSES[k]) for k in truth.class_id])
    for at_s in (0.0, 60.0):
        late = Frame("a", 0, at_s, NOON, 0.0, frame.picture)
        batch = pack([late], max(frame.picture.width, frame.picture.height))
        (box,) = batch.letterboxes
        right = Detections(
            truth.xyxy * box.scale + np.array([box.left, box.top] * 2, np.float32),
            np.full(len(ids), 0.9, np.float32),
            ids,
        )
        bench.applications.does[CHALLENGER] = saying(right)
        assert bench.show(batch, boxes=Detections.empty())
    assert bench.evidence().gains[EVERYTHING].mean == pytest.approx(1.0)
    assert bench.evidence().gains["city:Oslo"].count == 1
    bench.shadow.close()
