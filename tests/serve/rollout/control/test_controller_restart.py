"""A process that dies anywhere on the way: the next one goes on where it was."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serve.rollout.route_table import CHAMPION, city_application
from serve.rollout.statistics.evidence import Evidence
from streetloop.errors import DetectorError
from streetloop.ledger.rollouts import (
    RolloutCommand,
    RolloutState,
    list_decisions,
    list_rollouts,
    request_command,
)
from tests.support.samples.evidence import evidence
from tests.support.samples.frames import Fate, Killed, MortalLedger
from tests.support.stage import LOOK_S, Stage
from tests.support.stream_flow.fakes import eventually


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def _live(stage: Stage, fate: Fate, is_over: Callable[[], bool]) -> bool:
    """One life of the process; False if it ended before what it was to do was done."""
    stage.begin(MortalLedger(stage.ledger, fate))

    def look() -> bool:
        # Little time a look: threads need some, and a load has its limit.
        stage.look(LOOK_S if stage.table.compared else 0.0)
        return is_over()

    try:
        eventually(look)
    except Killed:
        return False
    return True


def _actions(stage: Stage) -> list[str]:
    return [action for action, _ in stage.decisions]


STEPS = [*range(0, 30, 2), *range(1, 30, 2)]


@pytest.mark.parametrize("at", STEPS)
def test_a_death_at_any_step_changes_nothing_about_the_end(stage: Stage, at: int) -> None:
    stage.ask()
    _live(stage, Fate(at), lambda: stage.state is RolloutState.PROMOTED)
    assert _live(stage, Fate(), lambda: list_rollouts(stage.ledger)[0].ended_at is not None)

    assert stage.state is RolloutState.PROMOTED
    assert _actions(stage) == ["start", "advance", "advance", "promote", "promoted"]
    assert stage.models.champions == {CHAMPION: "2"}
    assert not stage.table.challenged
    assert stage.applications.runs[CHAMPION] == "2"


def test_many_deaths_change_nothing_about_the_end(stage: Stage) -> None:
    stage.ask()
    lives = 0
    # Each life gets a little further than the one before.
    while not _live(stage, Fate(3 + 2 * lives), lambda: stage.state is RolloutState.PROMOTED):
        lives += 1
        assert lives < 100
    assert lives > 3
    assert _actions(stage) == ["start", "advance", "advance", "promote", "promoted"]


@pytest.mark.parametrize("at", range(0, 12))
def test_a_death_while_it_is_sent_back_leaves_it_sent_back(stage: Stage, at: int) -> None:
    stage.ask()
    stage.until_served(1)
    request_command(stage.ledger, RolloutCommand.ROLL_BACK, "bob")
    _live(stage, Fate(at), lambda: stage.state is RolloutState.ROLLED_BACK)
    stage.begin()
    with contextlib.suppress(AssertionError):
        stage.until(lambda: stage.rollout.ended_at is not None)
    assert stage.state is RolloutState.ROLLED_BACK
    assert stage.decisions[-1] == ("roll back", "bob")
    assert not stage.table.challenged
    assert stage.applications.runs[CHAMPION] == "1"


@pytest.mark.parametrize("at", range(0, 10))
def test_a_death_while_a_promotion_is_undone_leaves_it_undone(stage: Stage, at: int) -> None:
    stage.ask()
    stage.until_served(1)
    stage.applications.fails["load", CHAMPION] = [DetectorError("busy")]
    request_command(stage.ledger, RolloutCommand.PROMOTE, "bob")
    stage.look(0.5)
    request_command(stage.ledger, RolloutCommand.ROLL_BACK, "carl")
    _live(stage, Fate(at), lambda: stage.state is RolloutState.ROLLED_BACK)
    stage.begin()
    stage.until(lambda: stage.rollout.ended_at is not None)
    assert stage.state is RolloutState.ROLLED_BACK
    assert stage.decisions[-1] == ("roll back", "carl")
    assert stage.models.champions == {CHAMPION: "1"}
    assert stage.applications.runs[CHAMPION] == "1"


# What survives a restart


def test_a_canary_goes_on_with_the_same_cameras(stage: Stage) -> None:
    stage.ask()
    stage.until_served(1)
    served = stage.table.challenged
    stage.begin()
    assert not stage.table.challenged
    stage.until(lambda: bool(stage.table.challenged))
    assert stage.table.challenged == served
    assert stage.log.count("deploy challenger 2") == 2


def test_a_pause_is_still_one(stage: Stage) -> None:
    stage.ask()
    stage.until_served(1)
    request_command(stage.ledger, RolloutCommand.PAUSE, "bob")
    stage.look()
    stage.begin()
    stage.until(lambda: bool(stage.table.challenged))
    for _ in range(20):
        stage.look()
    assert stage.state is RolloutState.PAUSED
    assert len(stage.table.challenged) == 1


def test_a_command_is_still_pending(stage: Stage) -> None:
    stage.ask()
    stage.until(lambda: bool(stage.table.compared))
    request_command(stage.ledger, RolloutCommand.ROLL_BACK, "bob")
    stage.begin()
    stage.look()
    assert stage.decisions[-1] == ("roll back", "bob")


def test_evidence_survives(stage: Stage) -> None:
    stage.ask()
    stage.until_served(1)
    frames = stage.rollout.summary["frames"]
    stage.begin()
    stage.fleet.gives = Evidence(frames=1)
    stage.until(lambda: bool(stage.table.compared))
    stage.look()
    after = stage.rollout.summary
    assert frames <= after["frames"] <= frames + 50
    assert after["gains"]["all"]["blocks"] >= 200


def test_a_phase_goes_on_from_when_it_began(stage: Stage) -> None:
    stage.ask()
    stage.until_served(1)
    began = stage.rollout.phase_at
    stage.begin()
    stage.until(lambda: bool(stage.table.compared))
    assert stage.rollout.phase_at == began


def test_what_it_was_sent_back_for_is_known_to_the_next_process(stage: Stage) -> None:
    stage.ask()
    stage.until_served(1)
    stage.fleet.gives = evidence(gain=-0.5, blocks=2000)
    stage.look()
    stage.begin()
    for _ in range(3):
        stage.look()
    (rollout,) = list_rollouts(stage.ledger)
    assert rollout.state is RolloutState.ROLLED_BACK
    assert list_decisions(stage.ledger, 1)[-1].summary["gains"]["all"]["high"] < 0


def test_a_city_promoted_before_the_end_keeps_its_champion(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"a": "Oslo", "b": "Bergen"})
    own = city_application("Bergen")
    stage.ask(city="Bergen")
    stage.until_over()
    stage.begin(champion_applications={"Bergen": own})
    stage.control.start()
    assert stage.table.champion_applications == {"b": own}
    assert stage.applications.runs == {CHAMPION: "1", own: "2"}
    stage.close()
