"""The last step: the champion's application takes the model over, or gives it back."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from serve.rollout.route_table import CHALLENGER, CHAMPION, city_application
from serve.rollout.statistics.evidence import Evidence
from streetloop.errors import DetectorError
from streetloop.ledger.rollouts import RolloutCommand, RolloutState, request_command
from tests.support.stage import Stage
from tests.support.stream_flow.build import camera
from tests.support.stream_flow.fakes import eventually

OSLO, BERGEN = city_application("Oslo"), city_application("Bergen")
TWO_CITIES = {"a": "Oslo", "b": "Oslo", "c": "Bergen", "d": "Bergen"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path, TWO_CITIES)
    yield stage
    stage.close()


def _promoting(stage: Stage) -> None:
    stage.until_served(1)
    request_command(stage.ledger, RolloutCommand.PROMOTE, "bob")
    stage.look(0.5)
    assert stage.state is RolloutState.PROMOTING


def _back(stage: Stage) -> None:
    request_command(stage.ledger, RolloutCommand.ROLL_BACK, "carl")
    stage.until(lambda: stage.state is RolloutState.ROLLED_BACK)


def test_the_challenger_serves_while_the_champion_takes_over(stage: Stage) -> None:
    hold = stage.applications.holds["load", CHAMPION] = threading.Event()
    stage.ask()
    _promoting(stage)
    for _ in range(5):
        stage.look()
        assert len(stage.table.challenged) == 4
    assert stage.models.champions == {CHAMPION: "1"}
    hold.set()
    stage.until(lambda: stage.state is RolloutState.PROMOTED)
    assert not stage.table.challenged
    assert stage.models.champions == {CHAMPION: "2"}


@pytest.mark.parametrize("trouble", ["away", "load"])
def test_a_promotion_waits_for_what_is_away_and_tries_again(stage: Stage, trouble: str) -> None:
    stage.ask()
    stage.until_served(1)
    if trouble == "away":
        stage.models.away = True
    else:
        stage.applications.fails["load", CHAMPION] = [DetectorError("busy"), MemoryError("full")]
    _promoting(stage)
    stage.until(lambda: any("promotion waits" in said for said in stage.told), 1.0)
    assert stage.state is RolloutState.PROMOTING
    assert len(stage.table.challenged) == 4
    stage.models.away = False
    stage.until(lambda: stage.state is RolloutState.PROMOTED, 1.0)
    assert stage.applications.runs == {CHAMPION: "2"} or CHALLENGER in stage.applications.runs
    assert len([said for said in stage.told if "promotion waits" in said]) <= 2


def test_it_is_not_tried_again_at_once(stage: Stage) -> None:
    stage.applications.fails["load", CHAMPION] = [DetectorError("busy")] * 2
    stage.ask()
    _promoting(stage)
    stage.until(lambda: any("promotion waits" in said for said in stage.told))
    for _ in range(20):
        stage.look(0.2)
    assert stage.log.count("load champion 2") == 1
    stage.until(lambda: stage.log.count("load champion 2") == 2, 1.0)


@pytest.mark.parametrize("wanted", [RolloutCommand.PAUSE, RolloutCommand.RESUME, RolloutCommand.PROMOTE])
def test_what_makes_no_sense_any_more_is_refused_and_written_down(
    stage: Stage, wanted: RolloutCommand
) -> None:
    hold = stage.applications.holds["load", CHAMPION] = threading.Event()
    stage.ask()
    _promoting(stage)
    request_command(stage.ledger, wanted, "carl")
    stage.look()
    assert stage.decisions[-1] == ("refuse", "carl")
    assert stage.reason == f"{wanted}: it is being promoted"
    assert stage.rollout.command is None
    hold.set()
    stage.until(lambda: stage.state is RolloutState.PROMOTED)


# Going back while it is promoted


def test_the_old_model_is_back_before_any_camera_is_routed_to_it(stage: Stage) -> None:
    stage.applications.fails["load", CHAMPION] = [DetectorError("busy")]
    stage.ask()
    _promoting(stage)
    stage.until(lambda: any("promotion waits" in said for said in stage.told))
    done = len(stage.log)
    _back(stage)
    assert stage.log[done : done + 2] == ["load champion 1", "0 of 0 challenged"]
    assert stage.decisions[-1] == ("roll back", "carl")
    assert stage.models.champions == {CHAMPION: "1"}
    eventually(lambda: stage.applications.runs == {CHAMPION: "1"})


@pytest.mark.parametrize("where", ["finding", "loading"])
def test_a_takeover_that_ends_late_does_not_win(stage: Stage, where: str) -> None:
    stage.ask()
    stage.until_served(1)
    if where == "finding":
        hold = stage.models.holds["2"] = threading.Event()
        asked = stage.models.asked.count("2")
    else:
        hold = stage.applications.holds["load", CHAMPION] = threading.Event()
    request_command(stage.ledger, RolloutCommand.PROMOTE, "bob")
    stage.look(0.5)
    stage.look(0.5)
    if where == "finding":
        eventually(lambda: stage.models.asked.count("2") > asked)
    else:
        eventually(lambda: "load champion 2" in stage.log)
    request_command(stage.ledger, RolloutCommand.ROLL_BACK, "carl")
    for _ in range(3):
        stage.look(0.5)
    if where == "finding":
        eventually(lambda: not stage.table.challenged)
    hold.set()
    stage.until(lambda: stage.state is RolloutState.ROLLED_BACK)
    assert stage.applications.runs[CHAMPION] == "1"
    assert stage.models.champions == {CHAMPION: "1"}


def test_going_back_waits_for_a_registry_that_is_away_and_tries_again(stage: Stage) -> None:
    stage.applications.fails["load", CHAMPION] = [DetectorError("busy")]
    stage.ask()
    _promoting(stage)
    stage.until(lambda: any("promotion waits" in said for said in stage.told))
    stage.models.away = True
    request_command(stage.ledger, RolloutCommand.ROLL_BACK, "carl")
    stage.until(lambda: any("rollback waits" in said for said in stage.told), 1.0)
    # The challenger goes on serving, and the command stays pending, for a restart, too.
    assert (stage.state, stage.rollout.command) == (RolloutState.PROMOTING, RolloutCommand.ROLL_BACK)
    assert len(stage.table.challenged) == 4
    stage.models.away = False
    stage.until(lambda: stage.state is RolloutState.ROLLED_BACK, 1.0)
    assert stage.models.champions == {CHAMPION: "1"}


# Cities


def test_a_model_for_one_city_is_tried_there_and_lives_there(stage: Stage) -> None:
    stage.ask(city="Bergen")
    stage.until_served(1)
    assert stage.table.compared == frozenset("cd")
    stage.until_over()
    assert stage.state is RolloutState.PROMOTED
    assert stage.applications.runs == {CHAMPION: "1", BERGEN: "2"}
    assert stage.models.champions == {CHAMPION: "1", BERGEN: "2"}
    assert stage.table.champion_applications == {"c": BERGEN, "d": BERGEN}
    assert [stage.table.application(one) for one in "abcd"] == [CHAMPION, CHAMPION, BERGEN, BERGEN]


def test_a_rollout_for_all_leaves_a_city_with_a_champion_of_its_own_out(stage: Stage) -> None:
    stage.ask(city="Bergen")
    stage.until_over()
    stage.ask("3")
    stage.until_served(1)
    assert stage.table.compared == frozenset("ab")
    stage.until_over()
    assert stage.applications.runs == {CHAMPION: "3", BERGEN: "2"}
    assert stage.table.champion_applications == {"c": BERGEN, "d": BERGEN}


def test_a_city_goes_on_from_the_champion_of_its_own(stage: Stage) -> None:
    stage.models.champions[BERGEN] = "2"
    stage.begin(champion_applications={"Bergen": BERGEN})
    stage.ask("3", city="Bergen", champion="2")
    stage.until_over()
    assert stage.applications.runs == {CHAMPION: "1", BERGEN: "3"}
    assert stage.log.count("load champion-Bergen 3") == 1


def test_a_camera_that_is_added_in_a_city_with_its_own_champion_is_answered_by_it(stage: Stage) -> None:
    stage.ask(city="Bergen")
    stage.until_over()
    stage.cameras.append(camera("e").model_copy(update={"city": "Bergen"}))
    stage.cameras.append(camera("f").model_copy(update={"city": "Oslo"}))
    stage.look()
    assert [stage.table.application(one) for one in "ef"] == [BERGEN, CHAMPION]


def test_a_city_without_a_camera_is_said_at_once(stage: Stage) -> None:
    stage.ask(city="Atlantis")
    stage.look()
    assert stage.state is RolloutState.ROLLED_BACK
    assert stage.reason == "no camera of this run is in Atlantis"
    assert "deploy challenger 2" not in stage.log


def _promoting_city(stage: Stage, champion: str) -> None:
    stage.applications.fails["load", BERGEN] = [DetectorError("busy")]
    stage.ask("3", city="Bergen", champion=champion)
    _promoting(stage)
    stage.until(lambda: any("promotion waits" in said for said in stage.told))


def test_a_city_that_had_no_champion_of_its_own_has_none_after_going_back(stage: Stage) -> None:
    _promoting_city(stage, "1")
    _back(stage)
    assert stage.models.champions == {CHAMPION: "1"}
    assert stage.table.champion_applications == {}
    eventually(lambda: stage.applications.runs == {CHAMPION: "1"})


def test_a_city_that_had_one_gets_it_back(stage: Stage) -> None:
    stage.models.champions[BERGEN] = "2"
    stage.begin(champion_applications={"Bergen": BERGEN})
    _promoting_city(stage, "2")
    _back(stage)
    assert stage.models.champions == {CHAMPION: "1", BERGEN: "2"}
    assert stage.applications.runs[BERGEN] == "2"
    assert [stage.table.application(one) for one in "abcd"] == [CHAMPION, CHAMPION, BERGEN, BERGEN]


def test_the_others_never_notice(stage: Stage) -> None:
    stage.ask(city="Bergen")
    stage.until_over()
    for table in stage.fleet.tables:
        assert [table.application(one) for one in "ab"] == [CHAMPION, CHAMPION]
    assert "load champion 2" not in stage.log
    assert stage.fleet.gives != Evidence()
