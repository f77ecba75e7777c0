"""Frames out and answers home, by themselves."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from labeling.older_frames import OlderFrames
from streetloop.errors import LabelerError, RegistryError, StoreError
from streetloop.ledger.reviews import ReviewState, add_reviews, find_reviews, list_reviews
from streetloop.storage.store import FolderStore
from tests.support.samples.frames import CLASSES, NOON, FakeLabeler, digest, review
from tests.support.servers.labels.label_service import SHIPPED, LabelSetup
from tests.support.stream_flow.fakes import eventually


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[LabelSetup]:
    setup = LabelSetup(tmp_path / "home")
    yield setup
    setup.ledger.close()


def test_a_round_chooses_hands_over_and_takes_answers(setup: LabelSetup) -> None:
    loop = setup.loop(setup.people)
    loop.add([review(k) for k in range(4)])
    loop.round()
    assert setup.count(ReviewState.LABELED) == 4
    assert setup.said == ["4 frames chosen for labeling", "4 answers from the labeler"]
    loop.round()
    assert len(setup.said) == 2, "nothing happened, nothing is said"


def test_rounds_never_exceed_the_budget_of_the_day(setup: LabelSetup) -> None:
    loop = setup.loop(setup.people)
    for hour in range(5):
        loop.add([review(10 * hour + k, at=setup.clock.now()) for k in range(4)])
        loop.round()
        setup.clock.advance(3600)
    assert 5 <= len(setup.people.asked) <= 10


def test_without_a_labeler_frames_are_chosen_and_wait(setup: LabelSetup) -> None:
    loop = setup.loop(None)
    loop.add([review(1)])
    loop.round()
    assert setup.count(ReviewState.PENDING) == 1


def test_a_labeler_that_fails_is_told_once_and_the_loop_goes_on(setup: LabelSetup) -> None:
    loop = setup.loop(setup.people)
    setup.people.refuses = LabelerError("Label Studio at http://x does not answer")
    for k in range(3):
        loop.add([review(k)])
        loop.round()
    assert setup.said.count("Label Studio at http://x does not answer") == 1
    assert setup.count(ReviewState.PENDING) == 3, "choosing goes on"
    setup.people.refuses = LabelerError("the token was refused")
    loop.round()
    assert setup.said[-1] == "the token was refused"
    setup.people.refuses = None
    loop.round()
    assert setup.count(ReviewState.LABELED) == 3


def test_answers_come_home_even_if_nothing_can_be_handed_over(setup: LabelSetup) -> None:
    class NoNewOnes(FakeLabeler):
        def push(self, tasks, pushed):  # type: ignore[no-untyped-def]
            raise LabelerError("2 frames have no image")

    setup.queue.add([review(k) for k in range(4)])
    setup.queue.choose(2)
    setup.queue.push(setup.people)
    people = NoNewOnes()
    people.asked = setup.people.asked
    setup.loop(people).round()
    assert setup.count(ReviewState.LABELED) == 2
    assert setup.count(ReviewState.PENDING) == 2


def test_frames_that_expire_lose_their_image_and_others_keep_it(setup: LabelSetup) -> None:
    loop = setup.loop(None)
    old, new = review(1), review(2, at=NOON + timedelta(days=3))
    for one in (old, new):
        setup.store.put(one.image_key, b"jpeg")
    loop.add([old])
    setup.clock.advance(4 * 86400)
    loop.add([new])
    loop.round()
    assert list(setup.store.keys()) == [new.image_key]
    assert [r.state for r in find_reviews(setup.ledger, [digest(1)])] == [ReviewState.EXPIRED]


def test_an_image_that_cannot_be_removed_does_not_keep_the_others(setup: LabelSetup) -> None:
    class Stubborn(FolderStore):
        def delete(self, key: str) -> None:
            if key == review(1).image_key:
                raise StoreError("held by another")
            super().delete(key)

    store = Stubborn(setup.settings.store)
    loop = setup.loop(None, store)
    for k in range(3):
        store.put(review(k).image_key, b"jpeg")
    loop.add([review(k) for k in range(3)])
    setup.clock.advance(4 * 86400)
    loop.round()
    assert list(store.keys()) == [review(1).image_key]
    assert setup.said == ["held by another"]


def test_candidates_that_the_ledger_does_not_take_now_are_noted_later(setup: LabelSetup) -> None:
    loop = setup.loop(None)
    with setup.ledger.transaction() as connection:
        connection.exec_driver_sql("alter table reviews rename to elsewhere")
    loop.add([review(1)])
    loop.add([review(2)])
    loop.round()
    with setup.ledger.transaction() as connection:
        connection.exec_driver_sql("alter table elsewhere rename to reviews")
    loop.add([review(3)])
    assert setup.count(ReviewState.CANDIDATE) == 3
    assert all("no such table" in sentence for sentence in setup.said)


def test_frames_of_a_drifting_camera_are_asked_about_though_the_model_is_sure(setup: LabelSetup) -> None:
    loop = setup.loop(None)
    loop.add([review(k, camera_id=name, score=0.0) for k, name in enumerate(["dark", "bright"])])
    loop.round()
    assert setup.count(ReviewState.PENDING) == 0
    setup.finding("dark", ["night"], True)
    loop.round()
    (chosen,) = list_reviews(setup.ledger, [ReviewState.PENDING])
    assert (chosen.camera_id, chosen.drift, chosen.score) == ("dark", "night", 0.4)


# Frames of older versions


def test_frames_without_class_names_are_left_alone_and_that_is_said_once(setup: LabelSetup) -> None:
    """The round with every state that such a frame may be in when the run begins."""
    states = [ReviewState.CANDIDATE, ReviewState.PENDING, ReviewState.PUSHED]
    old = [replace(review(k), model_version="old-1", classes=(), state=s) for k, s in enumerate(states)]
    add_reviews(setup.ledger, old)
    setup.people.asked = [digest(2)]
    before = list_reviews(setup.ledger, list(ReviewState))
    loop = setup.loop(setup.people)
    for k in range(3):
        loop.add([review(10 + k)])
        loop.round()
    assert setup.count(ReviewState.LABELED) == 3, "labeling of other frames goes on"
    found = list_reviews(setup.ledger, list(ReviewState))
    assert [one for one in found if one.model_version == "old-1"] == before
    (sentence,) = [sentence for sentence in setup.said if "refused" in sentence]
    assert "frames found by old-1 are refused" in sentence
    assert "--model or STREETLOOP_MODEL" in sentence


def test_frames_of_models_of_different_classes_are_labeled_side_by_side(setup: LabelSetup) -> None:
    loop = setup.loop(setup.people)
    loop.add([review(1), replace(review(2), model_version="m-2", classes=("lorry", "car"))])
    loop.round()
    assert setup.count(ReviewState.LABELED) == 2
    assert not any("refused" in sentence for sentence in setup.said)


def test_while_the_registry_is_away_only_frames_with_class_names_are_labeled(setup: LabelSetup) -> None:
    def away(_: object) -> dict[str, tuple[str, ...]]:
        raise RegistryError("the registry did not answer: away")

    registry = [away, lambda _: setup.known]
    setup.older = OlderFrames(setup.ledger, lambda versions: registry[0](versions), CLASSES, SHIPPED)
    loop = setup.loop(setup.people)
    loop.add([review(1), replace(review(2), model_version="m-2", classes=())])
    loop.round()
    assert setup.said.count("the registry did not answer: away") == 1
    assert setup.people.asked == [digest(1)]
    del registry[0]
    loop.round()
    assert setup.people.asked == [digest(1), digest(2)]


def test_labels_in_doubt_are_told_once(setup: LabelSetup) -> None:
    doubtful = replace(review(1), state=ReviewState.LABELED, label=(), doubt="who knows", classes=())
    add_reviews(setup.ledger, [replace(doubtful, model_version="old-1")])
    loop = setup.loop(setup.people)
    for _ in range(2):
        loop.round()
    (sentence,) = [sentence for sentence in setup.said if "doubt" in sentence]
    assert sentence == "1 labels are in doubt: see `streetloop label status --suspect`"


# The thread


def test_the_loop_runs_by_itself_and_outlives_what_nobody_expects(
    setup: LabelSetup, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # the fault below is meant

    class Odd(FakeLabeler):
        calls = 0

        def push(self, tasks, pushed):  # type: ignore[no-untyped-def]
            self.calls += 1
            if self.calls == 1:
                raise ZeroDivisionError("a fault of a vendor")
            super().push(tasks, pushed)

    loop = setup.loop(Odd())
    loop.add([review(1)])
    loop.start()
    try:
        eventually(lambda: setup.count(ReviewState.LABELED) == 1)
    finally:
        loop.close()
    assert not loop._thread.is_alive


def test_a_loop_that_never_began_can_be_closed(setup: LabelSetup) -> None:
    setup.loop(setup.people).close()
