"""Frames out and answers home, by themselves."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from labeling.class_guard import LabelGuard
from labeling.queue import ReviewQueue
from streetloop.errors import LabelerError, RegistryError, StoreError
from streetloop.ledger.reviews import ReviewState, add_reviews, find_reviews, list_reviews
from streetloop.storage.store import FolderStore
from tests.support.fakes import eventually
from tests.support.frames import NOON, WebApp, digest, review
from tests.support.label_service import CLASSES, ControlService


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ControlService]:
    house = ControlService(tmp_path / "home")
    yield house
    house.ledger.close()


def test_a_round_chooses_hands_over_and_takes_answers(house: ControlService) -> None:
    loop = house.loop(house.desk)
    loop.add([review(k) for k in range(4)])
    loop.round()
    assert house.count(ReviewState.LABELED) == 4
    assert house.said == ["4 frames chosen for labelling", "4 answers from whoever labels"]
    loop.round()
    assert len(house.said) == 2, "nothing happened, nothing is said"


def test_rounds_never_exceed_the_budget_of_the_day(house: ControlService) -> None:
    loop = house.loop(house.desk)
    for hour in range(5):
        loop.add([review(10 * hour + k, at=house.clock.now()) for k in range(4)])
        loop.round()
        house.clock.advance(3600)
    assert 5 <= len(house.desk.asked) <= 10


def test_without_a_labeler_frames_are_chosen_and_wait(house: ControlService) -> None:
    loop = house.loop(None)
    loop.add([review(1)])
    loop.round()
    assert house.count(ReviewState.PENDING) == 1


def test_a_labeler_that_fails_is_told_once_and_the_loop_goes_on(house: ControlService) -> None:
    loop = house.loop(house.desk)
    house.desk.refuses = LabelerError("Label Studio at http://x does not answer")
    for k in range(3):
        loop.add([review(k)])
        loop.round()
    assert house.said.count("Label Studio at http://x does not answer") == 1
    assert house.count(ReviewState.PENDING) == 3, "choosing goes on"
    house.desk.refuses = LabelerError("the token was refused")
    loop.round()
    assert house.said[-1] == "the token was refused"
    house.desk.refuses = None
    loop.round()
    assert house.count(ReviewState.LABELED) == 3


def test_answers_come_home_even_if_nothing_can_be_handed_over(house: ControlService) -> None:
    class NoNewOnes(WebApp):
        def push(self, tasks, pushed):  # type: ignore[no-untyped-def]
            raise LabelerError("2 frames have no image")

    house.queue.add([review(k) for k in range(4)])
    house.queue.choose(2)
    house.queue.push(house.desk)
    desk = NoNewOnes()
    desk.asked = house.desk.asked
    house.loop(desk).round()
    assert house.count(ReviewState.LABELED) == 2
    assert house.count(ReviewState.PENDING) == 2


def test_frames_that_expire_lose_their_image_and_others_keep_it(house: ControlService) -> None:
    loop = house.loop(None)
    old, new = review(1), review(2, at=NOON + timedelta(days=3))
    for one in (old, new):
        house.store.put(one.image_key, b"jpeg")
    loop.add([old])
    house.clock.advance(4 * 86400)
    loop.add([new])
    loop.round()
    assert list(house.store.keys()) == [new.image_key]
    assert [r.state for r in find_reviews(house.ledger, [digest(1)])] == [ReviewState.EXPIRED]


def test_an_image_that_cannot_be_removed_does_not_keep_the_others(house: ControlService) -> None:
    class Stubborn(FolderStore):
        def delete(self, key: str) -> None:
            if key == review(1).image_key:
                raise StoreError("held by another")
            super().delete(key)

    store = Stubborn(house.settings.store)
    loop = house.loop(None, store)
    for k in range(3):
        store.put(review(k).image_key, b"jpeg")
    loop.add([review(k) for k in range(3)])
    house.clock.advance(4 * 86400)
    loop.round()
    assert list(store.keys()) == [review(1).image_key]
    assert house.said == ["held by another"]


def test_candidates_that_the_ledger_does_not_take_now_are_noted_later(house: ControlService) -> None:
    loop = house.loop(None)
    with house.ledger.transaction() as connection:
        connection.exec_driver_sql("alter table reviews rename to elsewhere")
    loop.add([review(1)])
    loop.add([review(2)])
    loop.round()
    with house.ledger.transaction() as connection:
        connection.exec_driver_sql("alter table elsewhere rename to reviews")
    loop.add([review(3)])
    assert house.count(ReviewState.CANDIDATE) == 3
    assert all("no such table" in sentence for sentence in house.said)


def test_frames_of_a_drifting_camera_are_asked_about_though_the_model_is_sure(house: ControlService) -> None:
    loop = house.loop(None)
    loop.add([review(k, camera_id=name, score=0.0) for k, name in enumerate(["dark", "bright"])])
    loop.round()
    assert house.count(ReviewState.PENDING) == 0
    house.finding("dark", ["night"], True)
    loop.round()
    (chosen,) = list_reviews(house.ledger, [ReviewState.PENDING])
    assert (chosen.camera_id, chosen.drift, chosen.score) == ("dark", "night", 0.4)


# Frames of another model


def test_frames_of_other_or_unknown_classes_are_left_alone_and_that_is_said_once(
    house: ControlService,
) -> None:
    """The round with every state that a frame of another model may be in when the run begins."""
    add_reviews(
        house.ledger,
        [
            replace(review(k), model_version="stranger-1", state=state)
            for k, state in enumerate([ReviewState.CANDIDATE, ReviewState.PENDING, ReviewState.PUSHED])
        ],
    )
    house.desk.asked = [digest(2)]
    before = list_reviews(house.ledger, list(ReviewState))
    house.known["stranger-2"] = CLASSES[::-1]
    loop = house.loop(house.desk)
    for k in range(3):
        loop.add([review(10 + k)])
        loop.round()
    loop.add([replace(review(20), model_version="stranger-2")])
    loop.round()
    assert house.count(ReviewState.LABELED) == 3, "labelling of the model in charge goes on"
    found = list_reviews(house.ledger, list(ReviewState))
    assert [one for one in found if one.model_version == "stranger-1"] == before
    assert house.desk.asked == [digest(2), *(digest(10 + k) for k in range(3))]
    first, second = [sentence for sentence in house.said if "refused" in sentence]
    assert "frames found by stranger-1 are refused" in first
    assert "the open model m-1" in first
    assert "STREETLOOP_MODEL" in first
    assert "frames found by stranger-1, stranger-2 are refused" in second


def test_frames_of_a_version_with_the_same_classes_are_labelled_as_ever(house: ControlService) -> None:
    loop = house.loop(house.desk)
    loop.add([review(1), replace(review(2), model_version="m-2")])
    loop.round()
    assert house.count(ReviewState.LABELED) == 2
    assert not any("refused" in sentence for sentence in house.said)


def test_while_the_registry_is_away_only_the_model_in_charge_is_labelled(house: ControlService) -> None:
    def away(_: object) -> dict[str, list[str]]:
        raise RegistryError("the registry did not answer: away")

    registry = [away, lambda _: house.known]
    house.guard = LabelGuard("m-1", CLASSES, lambda versions: registry[0](versions))
    house.queue = ReviewQueue(house.ledger, house.clock, fits=house.guard.fits)
    loop = house.loop(house.desk)
    loop.add([review(1), replace(review(2), model_version="m-2")])
    loop.round()
    assert house.said.count("the registry did not answer: away") == 1
    assert house.desk.asked == [digest(1)]
    del registry[0]
    loop.round()
    assert house.desk.asked == [digest(1), digest(2)]


# The thread


def test_the_loop_runs_by_itself_and_outlives_what_nobody_expects(
    house: ControlService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # the fault below is meant

    class Odd(WebApp):
        calls = 0

        def push(self, tasks, pushed):  # type: ignore[no-untyped-def]
            self.calls += 1
            if self.calls == 1:
                raise ZeroDivisionError("a fault of a vendor")
            super().push(tasks, pushed)

    loop = house.loop(Odd())
    loop.add([review(1)])
    loop.start()
    try:
        eventually(lambda: house.count(ReviewState.LABELED) == 1)
    finally:
        loop.close()
    assert not loop._thread.is_alive


def test_a_loop_that_never_began_can_be_closed(house: ControlService) -> None:
    house.loop(house.desk).close()
