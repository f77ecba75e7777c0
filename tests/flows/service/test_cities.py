"""Cities: what they have, cameras that are put into one, another name; and the same over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from serve.rollout.policy import Phase, Policy
from serve.rollout.route_table import city_application
from streetloop.errors import ConfigError, NotFound
from streetloop.ledger.cameras import newest_changes
from streetloop.ledger.learning import begin_learning
from streetloop.ledger.rollouts import start_rollout
from tests.support.control_service import (
    FILE,
    NOW,
    Content,
    api_of,
    problem_of,
    refused,
    register_versions,
    running,
)
from tests.support.control_service import empty as empty
from train.model.find_model import open_registry


def cities(content: Content) -> dict[str | None, list[str]]:
    return {city.name: city.cameras for city in content.service.cities()}


@pytest.fixture
def scheduled(tmp_path: Path) -> Iterator[Content]:
    """A home in whose settings London has a schedule of its own."""
    settings = {"learn_cron": "30 3 * * *", "learn_city_cron": {"London": "0 5 * * 1"}}
    content = Content(tmp_path / "home", timezone="Europe/London", **settings)
    yield content
    content.ledger.close()


# What a city has


def test_a_city_is_the_cameras_that_name_it(empty: Content) -> None:
    empty.service.put_camera({"id": "b4", "uri": "sim://larkfield/gantry"}, "ann", new=True)
    empty.live.append(running())
    london, kingsport, none = empty.service.cities()
    assert (london.name, london.cameras, london.live) == ("London", ["a40"], 1)
    assert (kingsport.name, kingsport.cameras, kingsport.live) == ("kingsport", ["crossing"], 0)
    assert (none.name, none.cameras) == (None, ["b4"])
    assert (london.champion, london.schedule, london.zone) == (None, None, "UTC")


def test_a_schedule_is_of_the_city_or_of_all(scheduled: Content) -> None:
    london, kingsport = scheduled.service.cities()
    assert (london.schedule, london.has_own_schedule) == ("0 5 * * 1", True)
    assert (kingsport.schedule, kingsport.has_own_schedule) == ("30 3 * * *", False)
    assert london.zone == "Europe/London"


def test_a_champion_is_of_the_city_or_of_all(empty: Content) -> None:
    register_versions(empty)
    open_registry(empty.settings).set_alias(city_application("London"), 2)
    london, kingsport = empty.service.cities()
    assert (london.champion, london.has_own_champion) == (2, True)
    assert (kingsport.champion, kingsport.has_own_champion) == (1, False)
    said = refused(ConfigError, lambda: empty.service.rename_city("London", "Oslo", "ann"))
    assert "a champion of its own, version 2" in said


# Cameras are put into one


def test_cameras_are_put_into_a_new_city_and_keep_all_else(empty: Content) -> None:
    view = empty.service.group_cameras("Oslo", ["a40", "crossing"], "ann")
    assert (view.name, view.cameras) == ("Oslo", ["a40", "crossing"])
    assert cities(empty) == {"Oslo": ["a40", "crossing"]}
    first, _ = newest_changes(empty.ledger)
    assert (first.author, first.document) == ("ann", {**FILE[0], "fps": 10.0, "city": "Oslo"})


def test_cameras_that_are_there_are_not_written_again(empty: Content) -> None:
    empty.service.group_cameras("London", ["a40"], "ann")
    assert newest_changes(empty.ledger) == []


@pytest.mark.parametrize(
    ("name", "cameras", "error", "said"),
    [
        ("Oslo", [], ConfigError, "name the cameras of the city"),
        ("Oslo", ["a40", "gone"], NotFound, "no camera 'gone'"),
        ("", ["a40", "crossing"], ConfigError, "city: is empty"),
        ("x" * 101, ["a40"], ConfigError, "city"),
        ("a\nb", ["a40"], ConfigError, "control character"),
    ],
)
def test_what_is_wrong_moves_no_camera(
    empty: Content, name: str, cameras: list[str], error: type[ConfigError | NotFound], said: str
) -> None:
    assert said in refused(error, lambda: empty.service.group_cameras(name, cameras, "ann"))
    assert newest_changes(empty.ledger) == []


# Another name


def test_a_city_gets_another_name(empty: Content) -> None:
    assert empty.service.rename_city("London", "Großstadt", "ann").cameras == ["a40"]
    assert cities(empty) == {"Großstadt": ["a40"], "kingsport": ["crossing"]}
    assert empty.service.rename_city("kingsport", "kingsport", "ann").name == "kingsport"
    assert len(newest_changes(empty.ledger)) == 1


def test_a_name_that_is_taken_or_of_nobody_is_refused(empty: Content) -> None:
    assert "already" in refused(ConfigError, lambda: empty.service.rename_city("London", "kingsport", "ann"))
    refused(NotFound, lambda: empty.service.rename_city("Oslo", "Bergen", "ann"))
    assert newest_changes(empty.ledger) == []


def test_what_goes_by_its_name_keeps_it(scheduled: Content) -> None:
    said = refused(ConfigError, lambda: scheduled.service.rename_city("London", "Oslo", "ann"))
    assert said == "the setting learn_city_cron names 'London'; change it there first"
    policy, phase = Policy().model_dump(mode="json"), Phase().model_dump(mode="json")
    start_rollout(scheduled.ledger, "2", "1", "kingsport", policy, phase, "ann", NOW)
    said = refused(ConfigError, lambda: scheduled.service.rename_city("kingsport", "Oslo", "ann"))
    assert said == "rollout 1 is of 'kingsport'; it must end first"


def test_a_learning_run_of_the_city_must_end_first(empty: Content) -> None:
    begin_learning(empty.ledger, "learn-1", {"kind": "drift", "city": "London"}, NOW)
    said = refused(ConfigError, lambda: empty.service.rename_city("London", "Oslo", "ann"))
    assert said == "learning run 1 is of 'London'; it must end first"
    empty.service.rename_city("kingsport", "Oslo", "ann")


# Over HTTP


def test_the_api_lists_groups_and_renames(empty: Content) -> None:
    client = api_of(empty)
    assert [city["name"] for city in client.get("/cities").json()] == ["London", "kingsport"]
    answer = client.post("/cities", json={"name": "Oslo", "cameras": ["a40"]})
    assert (answer.status_code, answer.json()["cameras"]) == (200, ["a40"])
    answer = client.post("/cities/rename", json={"city": "Oslo", "name": "Bergen"})
    assert (answer.status_code, answer.json()["name"]) == (200, "Bergen")
    problem_of(client.post("/cities", json={"name": "Oslo", "cameras": []}), 422)
    problem_of(client.post("/cities", json={"name": "Oslo", "cameras": ["gone"]}), 404)
    problem_of(client.post("/cities/rename", json={"city": "Oslo", "name": "Paris"}), 404)
