"""What both models are shown, and what is made of it."""

import math
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from flows.stream.inference.batching import Batch, pack
from flows.stream.inference.shadow_comparison import Contradict, ShadowComparison
from flows.stream.sources.simulated import SimulatedSource
from serve.detector.client import Answer
from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable
from serve.rollout.statistics.evidence import EVERYTHING, Calls, Evidence
from streetloop.city.render.shapes import CLASSES
from streetloop.errors import AnswerInvalid
from streetloop.types import Detections, Frame, Tracked
from tests.support.applications import NAMES, ControlService, counting_wrong, failing, marked, saying, well
from tests.support.build import NOON, found
from tests.support.fakes import FakeClock, eventually

OWN = "champion-Oslo"
ALL = frozenset("ab")
SHADOW = RouteTable(1, {}, ALL, frozenset(), 1.0)


class Bench:
    """Comparing, without the flow round it.

    Attributes:
        house: The applications.
        shadow: What is tried.
    """

    def __init__(self, names: tuple[str, ...] = NAMES, contradict: Contradict | None = None) -> None:
        self.house = ControlService()
        cities = {"a": "Oslo", "b": None}
        self.shadow = ShadowComparison(self.house.open, names, cities, 0.25, contradict)
        self.shadow.start()
        self.found = Evidence()

    def show(
        self,
        batch: Batch,
        application: str = CHAMPION,
        boxes: Detections | None = None,
        seconds: float = 0.01,
    ) -> bool:
        """A batch is answered; True if the other model was shown it, too."""
        sample = self.shadow.sample(application, batch)
        if sample is None:
            return False
        own = [found((100, 60, 140, 90)) if boxes is None else boxes] * len(batch.frames)
        self.shadow.answered(sample, Answer(application, own, seconds))
        self.settle()
        return True

    def settle(self) -> None:
        """Until what is under way has been compared: then the next one may be shown."""
        busy = self.shadow._busy
        eventually(lambda: not busy.locked())

    def evidence(self) -> Evidence:
        """All so far."""
        self.found += self.shadow.collect()
        return self.found


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.shadow.close()


def _batch(cameras: str = "ab", number: int = 0) -> Batch:
    frames = []
    for camera_id in cameras:
        (source_frame,) = marked("abc".index(camera_id), 1, number)
        frames.append(Frame(camera_id, number, number / 25, NOON, 0.0, source_frame.picture))
    return pack(frames, 320)


# Which batches


@pytest.mark.parametrize(("share", "shown"), [(1.0, 40), (0.5, 20), (0.2, 8), (0.01, 0)])
def test_the_share_that_is_wanted_is_shown_to_both(bench: Bench, share: float, shown: int) -> None:
    bench.shadow.follow(RouteTable(1, {}, ALL, frozenset(), share))
    taken = sum(bench.show(_batch(number=k)) for k in range(40))
    assert taken == pytest.approx(shown, abs=1)
    assert len(bench.house.seen[CHALLENGER]) == 2 * taken


@pytest.mark.parametrize("table", [RouteTable(), RouteTable(1, {}, ALL, ALL, 0.0)])
def test_without_a_rollout_nothing_is_shown(bench: Bench, table: RouteTable) -> None:
    bench.shadow.follow(table)
    assert not any(bench.show(_batch(number=k)) for k in range(10))
    assert bench.house.opened == []


def test_cameras_that_take_no_part_are_not_compared(bench: Bench) -> None:
    bench.shadow.follow(RouteTable(1, {}, frozenset("a"), frozenset(), 1.0))
    assert not bench.show(_batch("bc"))
    # A batch may have frames of others in it: all are shown, so that times compare.
    assert bench.show(_batch("abc"))
    assert bench.evidence().detections == (1, 1)
    assert len(bench.house.seen[CHALLENGER]) == 3


def test_what_the_challenger_serves_is_shown_to_the_champion(bench: Bench) -> None:
    bench.shadow.follow(RouteTable(1, {}, ALL, ALL, 1.0))
    assert bench.show(_batch(), CHALLENGER)
    assert len(bench.house.seen[CHAMPION]) == 2
    assert bench.evidence().champion == Calls(1)


def test_a_city_is_compared_with_its_own_champion(bench: Bench) -> None:
    bench.shadow.follow(RouteTable(1, dict.fromkeys("ab", OWN), ALL, ALL, 1.0))
    assert bench.show(_batch(), CHALLENGER)
    assert bench.house.opened == [OWN]


# In nobody's way


def test_while_one_is_under_way_others_are_shed_at_once_and_counted(bench: Bench) -> None:
    bench.shadow.follow(SHADOW)
    sample = bench.shadow.sample(CHAMPION, _batch())
    assert sample is not None
    for number in range(5):
        assert bench.shadow.sample(CHAMPION, _batch(number=number)) is None
    assert bench.evidence().shed == 5
    assert len(bench.house.seen[CHALLENGER]) == 2

    bench.shadow.answered(sample, Answer(CHAMPION, [Detections.empty()] * 2, 0.01))
    bench.settle()
    assert bench.show(_batch())
    assert bench.evidence().shed == 5


def test_a_challenger_that_hangs_holds_up_nobody(bench: Bench) -> None:
    never = threading.Event()

    def hang(images: object, timeout_s: float) -> list[Detections]:
        never.wait(10)
        return []

    bench.house.does[CHALLENGER] = hang
    bench.shadow.follow(SHADOW)
    sample = bench.shadow.sample(CHAMPION, _batch())
    assert sample is not None
    # Neither handing over the answer nor the next batches wait for it.
    bench.shadow.answered(sample, Answer(CHAMPION, [Detections.empty()] * 2, 0.01))
    assert not any(bench.show(_batch(number=k)) for k in range(20))
    assert bench.evidence().shed == 20
    never.set()


def test_closing_waits_for_what_is_under_way(bench: Bench) -> None:
    bench.shadow.follow(SHADOW)
    sample = bench.shadow.sample(CHAMPION, _batch())
    assert sample is not None
    bench.shadow.answered(sample, Answer(CHAMPION, well(_batch().images, 1.0), 0.01))
    bench.shadow.close()
    assert bench.evidence().detections == (2, 2)


# What it comes to


def test_calls_that_fail_are_counted_and_the_next_one_is_tried(bench: Bench) -> None:
    bench.shadow.follow(SHADOW)
    bench.house.does[CHALLENGER] = failing
    assert bench.show(_batch())
    bench.house.does[CHALLENGER] = well
    assert bench.show(_batch())
    assert bench.evidence().challenger == Calls(2, 1, 0)
    assert bench.evidence().frames == 2
    assert bench.evidence().detections == (2, 2)


def test_a_challenger_that_does_not_even_take_the_question_has_failed(bench: Bench) -> None:
    class _Refusing:
        def submit(self, images: object) -> object:
            raise AnswerInvalid("no such application")

    bench.house.open = lambda application: _Refusing()  # type: ignore[assignment,method-assign]
    shadow = ShadowComparison(lambda application: bench.house.open(application), NAMES, {}, 0.25)
    shadow.follow(SHADOW)
    for _ in range(3):
        assert shadow.sample(CHAMPION, _batch()) is None
    found_out = shadow.collect()
    assert found_out.challenger == Calls(3, 3, 3)
    assert found_out.shed == 0


@pytest.mark.parametrize(
    "does",
    [
        saying(found((float("nan"), 0, 1, 1))),
        saying(found((0, 0, 9, 9), class_id=2)),
        saying(found((0, 0, 9000, 9))),
        counting_wrong,
    ],
)
def test_nonsense_is_counted_and_not_compared(bench: Bench, does: object) -> None:
    bench.shadow.follow(SHADOW)
    bench.house.does[CHALLENGER] = does  # type: ignore[assignment]
    assert bench.show(_batch())
    assert bench.evidence().challenger == Calls(1, 1, 1)
    assert bench.evidence().detections == (0, 0)
    assert bench.evidence().latency.count == 0


def test_if_the_champion_gave_no_answer_nothing_is_compared(bench: Bench) -> None:
    bench.shadow.follow(SHADOW)
    sample = bench.shadow.sample(CHAMPION, _batch())
    assert sample is not None
    bench.shadow.answered(sample, None)
    bench.settle()
    assert bench.evidence().challenger == Calls(1)
    assert bench.evidence().detections == (0, 0)


@pytest.mark.parametrize(("application", "ratio"), [(CHAMPION, 2.0), (CHALLENGER, 0.5)])
def test_times_are_the_challengers_over_the_champions(bench: Bench, application: str, ratio: float) -> None:
    # The one that is shown the sample takes 0.04 s.
    bench.house.seconds = {CHAMPION: 0.04, CHALLENGER: 0.04}
    bench.shadow.follow(RouteTable(1, {}, ALL, ALL, 1.0))
    assert bench.show(_batch(), application, seconds=0.02)
    assert math.exp(bench.evidence().latency.mean) == pytest.approx(ratio)


def test_boxes_that_only_help_to_track_are_not_compared(bench: Bench) -> None:
    bench.shadow.follow(SHADOW)
    unsure = found((100, 60, 140, 90), (10, 10, 40, 40), confidence=[0.9, 0.2])
    bench.house.does[CHALLENGER] = saying(unsure)
    assert bench.show(_batch(), boxes=unsure)
    assert bench.evidence().detections == (2, 2)
    assert bench.evidence().agreement.mean == 1.0


def test_what_is_left_of_one_rollout_is_no_evidence_of_the_next(bench: Bench) -> None:
    bench.shadow.follow(SHADOW)
    assert bench.show(_batch())
    bench.shadow.follow(RouteTable(2))
    bench.shadow.note_call(4, None, challenger=True)
    bench.shadow.follow(SHADOW)
    assert bench.shadow.collect() == Evidence()


def test_a_new_share_is_no_new_rollout(bench: Bench) -> None:
    bench.shadow.follow(SHADOW)
    assert bench.show(_batch())
    bench.shadow.follow(RouteTable(2, {}, ALL, frozenset("a"), 1.0))
    assert bench.evidence().detections == (2, 2)


# What triage is told


class Told:
    """Hears of frames that both answered.

    Attributes:
        heard: Camera, frame, boxes of the champion and of the challenger, version.
        raises: Raised once.
    """

    def __init__(self) -> None:
        self.heard: list[tuple[str, int, Detections, Detections, str]] = []
        self.raises: Exception | None = None

    def __call__(self, of: Frame, ours: Detections, theirs: Detections, version: str) -> None:
        self.heard.append((of.camera_id, of.frame_id, ours, theirs, version))
        if (error := self.raises) is not None:
            self.raises = None
            raise error


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def heard(told: Told) -> Iterator[Bench]:
    bench = Bench(contradict=told)
    bench.shadow.follow(SHADOW)
    yield bench
    bench.shadow.close()


@pytest.mark.parametrize("application", [CHAMPION, CHALLENGER])
def test_of_each_frame_the_champions_boxes_come_first_whoever_serves_it(
    heard: Bench, told: Told, application: str
) -> None:
    heard.shadow.follow(RouteTable(1, {}, ALL, ALL, 1.0))
    heard.house.does = {CHAMPION: saying(found((0, 0, 30, 30))), CHALLENGER: saying(found((50, 50, 90, 90)))}
    served = found((0, 0, 30, 30)) if application == CHAMPION else found((50, 50, 90, 90))
    assert heard.show(_batch(number=7), application, served)
    assert [(camera, number) for camera, number, *_ in told.heard] == [("a", 7), ("b", 7)]
    for *_, ours, theirs, version in told.heard:
        np.testing.assert_allclose(ours.xyxy, [[0, 0, 30, 30]])
        np.testing.assert_allclose(theirs.xyxy, [[50, 50, 90, 90]])
        assert version == CHAMPION


def test_only_what_is_shown_of_cameras_that_take_part_is_told(heard: Bench, told: Told) -> None:
    heard.shadow.follow(RouteTable(1, {}, frozenset("a"), frozenset(), 1.0))
    heard.house.does[CHALLENGER] = saying(found((10, 10, 40, 40), confidence=0.2))
    assert heard.show(_batch())
    ((camera, _, ours, theirs, _),) = told.heard
    assert camera == "a"
    assert (len(ours), len(theirs)) == (1, 0)


@pytest.mark.parametrize("does", [failing, counting_wrong, saying(found((0, 0, 9, 9000)))])
def test_a_failure_contradicts_nobody(heard: Bench, told: Told, does: object) -> None:
    heard.house.does[CHALLENGER] = does  # type: ignore[assignment]
    assert heard.show(_batch())
    heard.house.does[CHALLENGER] = well
    sample = heard.shadow.sample(CHAMPION, _batch())
    assert sample is not None
    heard.shadow.answered(sample, None)
    heard.settle()
    assert told.heard == []


def test_a_rollout_that_was_cut_off_tells_nothing_more(heard: Bench, told: Told) -> None:
    sample = heard.shadow.sample(CHAMPION, _batch())
    assert sample is not None
    heard.shadow.follow(RouteTable(2))
    heard.shadow.answered(sample, Answer(CHAMPION, [Detections.empty()] * 2, 0.01))
    heard.settle()
    assert told.heard == []


def test_if_nobody_can_be_told_the_evidence_is_there_and_the_next_is_compared(
    heard: Bench, told: Told
) -> None:
    told.raises = RuntimeError("no JPEG of this")
    assert heard.show(_batch())
    assert heard.show(_batch())
    assert heard.evidence().detections == (4, 4)
    assert len(told.heard) == 3


# The truth of the simulated city


def _simulated() -> Frame:
    """A frame in which there is something to be seen."""
    source = SimulatedSource("sim://kingsport/crossing?size=640x384&traffic=busy&fps=1&live=0", FakeClock())
    for number, source_frame in enumerate(source.read(threading.Event())):
        frame = Frame("a", number, source_frame.media_s or 0.0, NOON, 0.0, source_frame.picture)
        if len(source_frame.picture.truth().detections()) >= 2:  # type: ignore[attr-defined]
            return frame
    raise AssertionError("nothing drives by")


@pytest.mark.parametrize("names", [tuple(CLASSES), tuple(reversed(CLASSES))])
def test_the_city_knows_who_is_right(names: tuple[str, ...]) -> None:
    bench = Bench(names)
    bench.shadow.follow(RouteTable(1, {}, ALL, frozenset(), 1.0, 1.0))
    frame = _simulated()
    truth = frame.picture.truth().detections()  # type: ignore[attr-defined]
    ids = np.array([names.index(CLASSES[k]) for k in truth.class_id])
    for at_s in (0.0, 60.0):
        late = Frame("a", 0, at_s, NOON, 0.0, frame.picture)
        batch = pack([late], max(frame.picture.width, frame.picture.height))
        (box,) = batch.boxes
        right = Detections(
            truth.xyxy * box.scale + np.array([box.left, box.top] * 2, np.float32),
            np.full(len(ids), 0.9, np.float32),
            ids,
        )
        bench.house.does[CHALLENGER] = saying(right)
        assert bench.show(batch, boxes=Detections.empty())
    assert bench.evidence().gains[EVERYTHING].mean == pytest.approx(1.0)
    assert bench.evidence().gains["city:Oslo"].count == 1
    bench.shadow.close()


def test_served_answers_are_evidence_of_the_model_that_gave_them(bench: Bench) -> None:
    bench.shadow.follow(SHADOW)
    tracked = Tracked(found((10, 10, 50, 50)), np.array([7]))
    for k in range(10):
        one = _served("a", k)
        bench.shadow.served(one, tracked, challenger=k >= 5)
        bench.shadow.served(_served("stranger", k), tracked, challenger=False)
    known = bench.shadow.collect().cameras
    assert known.keys() == {"a"}
    assert (known["a"].champion.frames, known["a"].challenger.frames) == (5, 5)
    assert known["a"].champion.track_s == pytest.approx(0.4)
    bench.shadow.follow(RouteTable(2))
    bench.shadow.served(_served("a", 11), tracked, challenger=True)
    assert bench.shadow.collect() == Evidence()


def _served(camera_id: str, k: int) -> Frame:
    return Frame(camera_id, k, k / 10, NOON, 0.0, marked(0, 1)[0].picture)
