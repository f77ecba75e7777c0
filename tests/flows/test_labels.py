"""Frames out and answers home, by itself and by hand."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.labels import LabelLoop, drifting, measured, open_labeler, push
from labeling.labeler import Labeler
from labeling.oracle import OracleLabeler
from labeling.queue import ReviewQueue
from labeling.task import Reason
from streetloop.errors import ConfigError, LabelerError, StoreError
from streetloop.ledger import open_ledger
from streetloop.ledger.findings import close_findings, open_finding
from streetloop.ledger.reviews import State, find_reviews, list_reviews
from streetloop.settings import Settings
from streetloop.store import FolderStore
from tests.support.build import found
from tests.support.fakes import FakeClock, eventually
from tests.support.frames import NOON, Desk, digest, labeled, review


class _House:
    """A home with a queue."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, label_budget=10, label_every_s=1)
        self.store = FolderStore(self.settings.store)
        self.ledger = open_ledger(self.settings.ledger)
        self.clock = FakeClock(NOON + timedelta(hours=1))
        self.queue = ReviewQueue(self.ledger, self.clock)
        self.desk = Desk()
        self.said: list[str] = []

    def loop(self, labeler: Labeler | None, store: FolderStore | None = None) -> LabelLoop:
        return LabelLoop(
            self.queue, store or self.store, labeler, self.settings, self.ledger, self.said.append
        )

    def count(self, state: State) -> int:
        return self.queue.counts()[state]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[_House]:
    house = _House(tmp_path / "home")
    yield house
    house.ledger.close()


def test_a_round_chooses_hands_over_and_takes_answers(house: _House) -> None:
    loop = house.loop(house.desk)
    loop.add([review(k) for k in range(4)])
    loop.round()
    assert house.count(State.LABELED) == 4
    assert house.said == ["4 frames chosen for labelling", "4 answers from whoever labels"]
    loop.round()
    assert len(house.said) == 2, "nothing happened, nothing is said"


def test_rounds_never_exceed_the_budget_of_the_day(house: _House) -> None:
    loop = house.loop(house.desk)
    for hour in range(5):
        loop.add([review(10 * hour + k, at=house.clock.now()) for k in range(4)])
        loop.round()
        house.clock.advance(3600)
    assert 5 <= len(house.desk.asked) <= 10


def test_without_a_labeler_frames_are_chosen_and_wait(house: _House) -> None:
    loop = house.loop(None)
    loop.add([review(1)])
    loop.round()
    assert house.count(State.PENDING) == 1


def test_a_labeler_that_fails_is_told_once_and_the_loop_goes_on(house: _House) -> None:
    loop = house.loop(house.desk)
    house.desk.refuses = LabelerError("Label Studio at http://x does not answer")
    for k in range(3):
        loop.add([review(k)])
        loop.round()
    assert house.said.count("Label Studio at http://x does not answer") == 1
    assert house.count(State.PENDING) == 3, "choosing goes on"
    house.desk.refuses = LabelerError("the token was refused")
    loop.round()
    assert house.said[-1] == "the token was refused"
    house.desk.refuses = None
    loop.round()
    assert house.count(State.LABELED) == 3


def test_answers_come_home_even_if_nothing_can_be_handed_over(house: _House) -> None:
    class NoNewOnes(Desk):
        def push(self, tasks, pushed):  # type: ignore[no-untyped-def]
            raise LabelerError("2 frames have no image")

    house.queue.add([review(k) for k in range(4)])
    house.queue.choose(2)
    house.queue.push(house.desk)
    desk = NoNewOnes()
    desk.asked = house.desk.asked
    house.loop(desk).round()
    assert house.count(State.LABELED) == 2
    assert house.count(State.PENDING) == 2


def test_frames_that_expire_lose_their_image_and_others_keep_it(house: _House) -> None:
    loop = house.loop(None)
    old, new = review(1), review(2, at=NOON + timedelta(days=3))
    for one in (old, new):
        house.store.put(one.image_key, b"jpeg")
    loop.add([old])
    house.clock.advance(4 * 86400)
    loop.add([new])
    loop.round()
    assert list(house.store.keys()) == [new.image_key]
    assert [r.state for r in find_reviews(house.ledger, [digest(1)])] == [State.EXPIRED]


def test_an_image_that_cannot_be_removed_does_not_keep_the_others(house: _House) -> None:
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


def test_candidates_that_the_ledger_does_not_take_now_are_noted_later(house: _House) -> None:
    loop = house.loop(None)
    with house.ledger.transaction() as connection:
        connection.exec_driver_sql("alter table reviews rename to elsewhere")
    loop.add([review(1)])
    loop.add([review(2)])
    loop.round()
    with house.ledger.transaction() as connection:
        connection.exec_driver_sql("alter table elsewhere rename to reviews")
    loop.add([review(3)])
    assert house.count(State.CANDIDATE) == 3
    assert all("no such table" in sentence for sentence in house.said)


# Drift


def _finding(house: _House, camera: str, causes: list[str], asks: bool) -> None:
    open_finding(house.ledger, camera, NOON, NOON, "m-1", causes, asks, {})


def test_cameras_drift_where_labels_help(house: _House) -> None:
    _finding(house, "dark", ["night", "fog"], True)
    _finding(house, "knocked", ["camera moved"], False)
    _finding(house, "was dark", ["night"], True)
    close_findings(house.ledger, "was dark", NOON)
    assert drifting(house.ledger) == {"dark": "night"}


def test_frames_of_a_drifting_camera_are_asked_about_though_the_model_is_sure(
    house: _House,
) -> None:
    loop = house.loop(None)
    loop.add([review(k, camera_id=name, score=0.0) for k, name in enumerate(["dark", "bright"])])
    loop.round()
    assert house.count(State.PENDING) == 0
    _finding(house, "dark", ["night"], True)
    loop.round()
    (chosen,) = list_reviews(house.ledger, [State.PENDING])
    assert (chosen.camera_id, chosen.drift, chosen.score) == ("dark", "night", 0.4)


# The thread


def test_the_loop_runs_by_itself_and_outlives_what_nobody_expects(
    house: _House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # the fault below is meant

    class Odd(Desk):
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
        eventually(lambda: house.count(State.LABELED) == 1)
    finally:
        loop.close()
    assert not loop._thread.is_alive()


def test_a_loop_that_never_began_can_be_closed(house: _House) -> None:
    house.loop(house.desk).close()


# Who labels


def _open(house: _House, **settings: object) -> Labeler | None:
    chosen = house.settings.model_copy(update=settings)
    return open_labeler(chosen, ["car"], house.store, house.queue, house.clock)


def test_nobody_labels_unless_it_is_set(house: _House) -> None:
    assert _open(house) is None
    assert isinstance(_open(house, labeler="oracle"), OracleLabeler)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "no Label Studio is known: start one with `streetloop labelstudio up`"),
        ({"label_studio_url": "http://127.0.0.1:1"}, "set STREETLOOP_LABEL_STUDIO_TOKEN, too"),
        ({"label_studio_token": SecretStr("0" * 40)}, "set STREETLOOP_LABEL_STUDIO_URL, too"),
        (
            {"label_studio_url": "http://127.0.0.1:1", "label_studio_token": SecretStr("hunter2")},
            "neither a personal access token nor 40 hex digits",
        ),
    ],
)
def test_a_label_studio_that_is_not_known_is_a_clear_sentence(
    house: _House, settings: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        _open(house, labeler="label-studio", **settings)
    assert "hunter2" not in str(raised.value)


def test_the_errors_of_the_oracle_are_as_many_as_set_in_all(house: _House) -> None:
    flawed = _open(house, labeler="oracle", oracle_errors=0.3, oracle_delay_s=60.0)
    assert isinstance(flawed, OracleLabeler)
    assert flawed._flaws.missed + flawed._flaws.wrong_class == pytest.approx(0.2)
    assert flawed._flaws.delay_s == 60.0


# By hand


def test_pushing_says_how_many_were_handed_over(house: _House) -> None:
    house.queue.add([review(k) for k in range(3)])
    house.queue.choose(10)
    assert push(house.queue, house.desk) == 3
    assert push(house.queue, house.desk) == 0


def test_the_report_is_of_random_frames_or_of_all(house: _House) -> None:
    right, wrong = found((10, 10, 50, 40)), found((300, 10, 350, 40), class_id=1)
    for k, reason in enumerate([Reason.RANDOM, Reason.RANDOM, Reason.UNSURE]):
        house.queue.add([review(k, reason=reason, boxes=right)])
    house.queue.choose(30)
    house.desk.answers = {
        digest(0): labeled(digest(0), right),
        digest(1): labeled(digest(1)),  # nothing there: the box was of nothing
        digest(2): labeled(digest(2), wrong),
    }
    house.queue.push(house.desk)
    house.queue.pull(house.desk)
    drawn = measured(house.ledger, ["car", "bus"], only_random=True)
    assert set(drawn) == {"car"}
    assert (drawn["car"].precision, drawn["car"].recall) == (0.5, 1.0)
    every = measured(house.ledger, ["car", "bus"], only_random=False)
    assert (every["car"].removed, every["bus"].added) == (2, 1)
    assert "class 1" in measured(house.ledger, ["car"], only_random=False)


def test_before_anything_is_labelled_the_report_is_empty(house: _House) -> None:
    house.queue.add([review(1)])
    assert measured(house.ledger, ["car"], only_random=False) == {}
