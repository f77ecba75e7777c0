"""What people's labels say about a challenger."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from serve.rollout.label_evidence import LabelEvidence
from serve.rollout.route_table import CHALLENGER, CHAMPION, city_application
from serve.rollout.statistics.confidence_sequences import Moments
from serve.rollout.statistics.evidence import EVERYTHING, Evidence
from streetloop.boxes import to_boxes
from streetloop.errors import DetectorError
from streetloop.images import encode_jpeg
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.reviews import ReviewState, SelectionReason, add_reviews
from streetloop.ledger.rollouts import Rollout, note_progress, open_rollout, start_rollout
from streetloop.storage.store import FolderStore
from streetloop.types import Detections, Image
from tests.support.samples.frames import NOON, review
from tests.support.stage import Applications
from tests.support.stream_flow.build import found
from tests.support.stream_flow.fakes import eventually

NAMES = ("car", "bus")
CAR, BUS = found((10, 10, 30, 30)), found((40, 10, 60, 30), class_id=1)
BOTH = Detections(
    np.concatenate([CAR.xyxy, BUS.xyxy]),
    np.concatenate([CAR.confidence, BUS.confidence]),
    np.concatenate([CAR.class_id, BUS.class_id]),
)


class _SeeingApplications(Applications):
    """Applications that see what they are told."""

    def __init__(self) -> None:
        super().__init__([])
        self.sees: dict[str, Detections] = {CHAMPION: CAR, CHALLENGER: BOTH}
        self.asked: list[str] = []

    def detect(self, application: str, image: Image) -> Detections:
        self.asked.append(application)
        assert image.shape == (48, 64, 3)
        if application not in self.sees:
            raise DetectorError(f"{application} does not answer")
        return self.sees[application]


class LabelBench:
    """A rollout, and frames that are labeled meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.ledger: Ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
        self.store = FolderStore(folder / "store")
        self.applications = _SeeingApplications()
        self.rollout: Rollout = start_rollout(
            self.ledger, "2", "1", None, {}, {}, "ann", NOON + timedelta(hours=1)
        )
        self.found = Evidence()
        self.begin()

    def begin(self) -> None:
        """A process starts."""
        self.labels = LabelEvidence(self.ledger, self.store, self.applications, NAMES)

    def label(
        self,
        number: int,
        boxes: Detections = BOTH,
        hours: float = 2,
        state: ReviewState = ReviewState.LABELED,
        image: bytes | None = None,
        **other: object,
    ) -> None:
        """Somebody says what is in a frame."""
        fields = {"reason": SelectionReason.RANDOM} | other
        one = replace(
            review(number),
            state=state,
            label=to_boxes(boxes),
            answered_at=NOON + timedelta(hours=hours),
            **fields,  # type: ignore[arg-type]
        )
        jpeg = encode_jpeg(np.full((48, 64, 3), 90, np.uint8))
        self.store.put(one.image_key, jpeg if image is None else image)
        add_reviews(self.ledger, [one])

    def collect(self, champion_application: str = CHAMPION, cameras: str = "ab") -> None:
        """What was found since the last call."""
        self.found += self.labels.collect(self.rollout, champion_application, cameras)

    def settle(self, champion_application: str = CHAMPION, cameras: str = "ab") -> Evidence:
        """All, once two whole rounds have passed; none is under way then."""
        for _ in range(3):
            self.pause()
            self.collect(champion_application, cameras)
        self.pause()
        return self.found

    def pause(self) -> None:
        """Wait for the round under way, if there is one."""
        eventually(lambda: self.labels._round_under_way is None or self.labels._round_under_way.done())

    def blocks(self) -> int:
        """How many frames count."""
        return self.settle().gains.get(EVERYTHING, Moments()).count


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabelBench]:
    monkeypatch.setattr("serve.rollout.label_evidence._ROUND_EVERY_S", 0.0)
    bench = LabelBench(tmp_path)
    yield bench
    bench.pause()
    bench.ledger.close()


def test_both_models_are_held_against_what_people_say(bench: LabelBench) -> None:
    bench.label(1)
    gains = bench.settle().gains
    # The champion finds the car alone: F1 is 2/3.
    assert gains[EVERYTHING] == Moments.of(1 - 2 / 3)
    assert gains["class:car"] == Moments.of(0.0)
    assert set(bench.applications.asked) == {CHAMPION, CHALLENGER}


def test_a_frame_counts_once(bench: LabelBench) -> None:
    for number in range(5):
        bench.label(number)
    assert bench.blocks() == 5
    assert bench.blocks() == 5
    bench.label(7)
    assert bench.blocks() == 6


def test_a_restart_counts_nothing_twice(bench: LabelBench) -> None:
    bench.label(1)
    assert bench.blocks() == 1
    at = NOON + timedelta(hours=3)
    note_progress(bench.ledger, bench.rollout.id, bench.found.as_json(), {}, at)
    again = open_rollout(bench.ledger)
    assert again is not None
    bench.rollout = again
    bench.begin()
    assert bench.blocks() == 1
    bench.label(2, hours=4)
    assert bench.blocks() == 2


@pytest.mark.parametrize(
    "other",
    [
        {"reason": SelectionReason.UNSURE},
        {"hours": 0.5},
        {"camera_id": "c"},
        {"origin": {"uri": "sim://kingsport/crossing"}},
        {"state": ReviewState.PUSHED},
        {"state": ReviewState.REJECTED},
        {"boxes": Detections.empty(), "sees": Detections.empty()},
    ],
    ids=["chosen", "too early", "another camera", "simulated", "asked", "rejected", "empty"],
)
def test_a_frame_that_says_nothing_fair_does_not_count(bench: LabelBench, other: dict[str, object]) -> None:
    sees = other.pop("sees", None)
    if isinstance(sees, Detections):
        bench.applications.sees = {CHAMPION: sees, CHALLENGER: sees}
    bench.label(1, **other)  # type: ignore[arg-type]
    bench.label(2, hours=2) if sees is None else None
    assert bench.blocks() == (1 if sees is None else 0)


def test_classes_are_compared_by_name(bench: LabelBench) -> None:
    """The labeler knew buses and persons, in another order than the models, and no car."""
    boxes = Detections(BOTH.xyxy, BOTH.confidence, np.array([0, 1]))
    bench.label(1, boxes=boxes, classes=("person", "Bus"))
    bus, other = bench.settle().scores["class:bus"], bench.settle().scores
    # No model knows a person, and nobody was asked about cars: both are left out.
    assert (bus.champion.true_positives, bus.challenger.true_positives) == (0, 1)
    assert "class:car" not in other
    assert other[EVERYTHING].challenger.ground_truths == 1


def test_classes_that_nobody_was_asked_about_count_for_neither(bench: LabelBench) -> None:
    bench.label(0, CAR, asked=("car",))  # the challenger finds a bus besides, which may be there
    scores = bench.settle().scores[EVERYTHING]
    assert scores.champion == scores.challenger


def test_a_frame_counts_not_whose_classes_no_model_knows(bench: LabelBench) -> None:
    bench.label(1, classes=("person", "tram"))
    bench.label(2, doubt="of another model's names")
    assert bench.blocks() == 0


def test_a_frame_in_a_dataset_counts_still(bench: LabelBench) -> None:
    bench.label(1, state=ReviewState.IN_DATASET)
    assert bench.blocks() == 1


def test_a_city_is_held_against_its_own_champion(bench: LabelBench) -> None:
    own = city_application("Oslo")
    bench.applications.sees[own] = BOTH
    bench.label(1)
    assert bench.settle(own).gains[EVERYTHING] == Moments.of(0.0)
    assert set(bench.applications.asked) == {own, CHALLENGER}


def test_a_model_that_does_not_answer_is_asked_again(bench: LabelBench) -> None:
    del bench.applications.sees[CHALLENGER]
    for number in range(3):
        bench.label(number)
    assert bench.blocks() == 0
    bench.applications.sees[CHALLENGER] = BOTH
    assert bench.blocks() == 3


@pytest.mark.parametrize("image", [b"", b"no picture at all", b"\xff\xd8\xff\xe0cut short"])
def test_a_picture_that_cannot_be_read_is_passed_over(bench: LabelBench, image: bytes) -> None:
    bench.label(1, image=image)
    bench.label(2)
    assert bench.blocks() == 1
    asked = len(bench.applications.asked)
    assert bench.blocks() == 1
    assert len(bench.applications.asked) == asked


def test_a_picture_that_is_gone_holds_up_no_other(bench: LabelBench) -> None:
    bench.label(1)
    assert bench.blocks() == 1
    bench.label(2)
    bench.store.delete(review(2).image_key)
    bench.label(3)
    assert bench.blocks() == 2


def test_the_next_rollout_begins_with_nothing(bench: LabelBench) -> None:
    bench.label(1)
    assert bench.blocks() == 1
    bench.found = Evidence()
    bench.rollout = replace(bench.rollout, id=2, started_at=NOON + timedelta(hours=3))
    assert bench.blocks() == 0


def test_asking_never_waits(bench: LabelBench) -> None:
    for number in range(30):
        bench.label(number)
    # The first call only begins; twenty frames are a round.
    assert bench.labels.collect(bench.rollout, CHAMPION, "ab") == Evidence()
    assert bench.blocks() == 30
