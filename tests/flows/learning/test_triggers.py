"""What begins a learning run, and of which cameras."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.learning.triggers import Triggers, city_of, place_of
from streetloop.cameras.camera_file import Camera, parse_camera
from streetloop.causes import Cause
from streetloop.errors import ConfigError, LearningError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.findings import open_finding
from streetloop.ledger.learning import Step, begin_learning, go_on
from streetloop.ledger.review_moves import AnswerSource, Choice, answer_review, choose_reviews, mark_pushed
from streetloop.ledger.reviews import add_reviews
from streetloop.settings import Settings, read_settings
from tests.support.samples.frames import NOON, review

HOUR = timedelta(hours=1)


def camera(name: str, city: str | None) -> Camera:
    return parse_camera({"id": name, "uri": "rtsp://10.0.0.7/a", **({"city": city} if city else {})})


CAMERAS = (camera("d1", "denver"), camera("d2", "denver"), camera("b1", "boston"), camera("x", None))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(Settings(home=tmp_path).ledger)


def triggers(ledger: Ledger, cameras: tuple[Camera, ...] = CAMERAS, **settings: Any) -> Triggers:
    wanted = {"learn_labels": 100, "learn_rest_h": 12.0, **settings}
    return Triggers(Settings(**wanted), ledger, lambda: cameras, NOON)


def drift(ledger: Ledger, *cameras: str) -> None:
    for name in cameras:
        open_finding(ledger, name, NOON, NOON, "m-1", [Cause("night", 0.9)], True, {})


def label(ledger: Ledger, camera_id: str, seed: int) -> None:
    one = review(seed, camera_id=camera_id)
    add_reviews(ledger, [one])
    choose_reviews(ledger, [Choice(one.digest, 1.0, "night")], NOON, NOON, 1000)
    mark_pushed(ledger, one.digest, NOON)
    answer_review(ledger, one.digest, AnswerSource(NOON, "ann"), [])


@pytest.mark.parametrize(
    ("drifted", "city"),
    [
        (["d1"], "denver"),
        (["d1", "d2"], "denver"),
        (["d1", "b1"], None),
        (["x"], None),
        (["d1", "x"], None),
        (["gone"], None),
    ],
)
def test_a_city_that_drifted_alone_learns_by_itself(
    ledger: Ledger, drifted: list[str], city: str | None
) -> None:
    drift(ledger, *drifted)
    found = triggers(ledger).due(NOON)
    assert found is not None
    assert found["kind"] == "drift"
    assert city_of(found) == city


def test_where_there_is_one_city_all_learn(ledger: Ledger) -> None:
    drift(ledger, "d1")
    found = triggers(ledger, CAMERAS[:2]).due(NOON)
    assert found is not None
    assert city_of(found) is None


def test_a_city_counts_the_labels_of_its_cameras(ledger: Ledger) -> None:
    for seed, name in enumerate(["d1", "d2", "b1"]):
        label(ledger, name, seed)
    found = triggers(ledger)
    assert [found.labels(city) for city in ("denver", "boston", None, "nowhere")] == [2, 1, 3, 0]
    assert found.labels("denver", of_drift=True) == 2


def test_each_city_has_its_schedule(ledger: Ledger) -> None:
    schedules = {"denver": "0 13 * * *", "boston": "0 14 * * *"}
    found = triggers(ledger, learn_city_cron=schedules)
    label(ledger, "b1", 0)
    assert found.due(NOON + HOUR) is None, "it is Denver's time, which has no label"
    label(ledger, "d1", 1)
    now = found.due(NOON + HOUR)
    assert now is not None
    assert now["because"] == "the schedule of denver; 1 new labels"
    run = begin_learning(ledger, "learn-1", now, NOON + HOUR)
    go_on(ledger, run, Step.PROMOTED, NOON + HOUR * 1.5)
    later = found.due(NOON + HOUR * 2)
    assert later is not None, "Boston does not rest because Denver has learned"
    assert city_of(later) == "boston"
    assert found.due(NOON + HOUR * 1.75) is None


def test_a_rest_of_days_is_kept(ledger: Ledger) -> None:
    found = triggers(ledger, learn_rest_h=72.0)
    drift(ledger, "x")
    run = begin_learning(ledger, "learn-1", {"kind": "labels"}, NOON)
    go_on(ledger, run, Step.REFUSED, NOON)
    assert found.due(NOON + HOUR * 48) is None
    assert found.due(NOON + HOUR * 73) is not None


def test_a_place_is_a_city_with_its_cameras() -> None:
    denver = place_of(CAMERAS, "denver")
    assert denver is not None
    assert denver.cameras == {"d1", "d2"}
    assert place_of(CAMERAS, None) is None
    with pytest.raises(LearningError, match="no camera is in 'rome'; cities are: boston, denver"):
        place_of(CAMERAS, "rome")


def test_a_schedule_of_a_city_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="denver: is no cron expression"):
        read_settings(learn_city_cron={"denver": "at night"})
