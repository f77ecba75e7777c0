"""What people want of a rollout, and get."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from serve.rollout.route_table import CHALLENGER, CHAMPION
from serve.rollout.statistics.evidence import Evidence
from streetloop.ledger.rollouts import RolloutCommand, RolloutState, request_command
from tests.support.samples.evidence import evidence
from tests.support.stage import QUICK, Stage
from tests.support.stream_flow.fakes import eventually


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def test_a_pause_stays_until_it_is_ended(stage: Stage) -> None:
    stage.ask()
    stage.until_served(1)
    request_command(stage.ledger, RolloutCommand.PAUSE, "bob")
    for _ in range(20):
        stage.look()
    assert stage.state is RolloutState.PAUSED
    assert len(stage.table.challenged) == 1
    assert stage.rollout.summary["waits_for"] == ["`streetloop rollout resume`"]
    request_command(stage.ledger, RolloutCommand.RESUME, "carl")
    assert stage.until_over().state is RolloutState.PROMOTED
    assert stage.decisions[2:4] == [("pause", "bob"), ("resume", "carl")]


def test_a_pause_may_last_longer_than_patience_and_takes_none_of_it(stage: Stage) -> None:
    stage.ask(policy=QUICK.model_copy(update={"patience_minutes": 10.0}))
    stage.until_served(1)
    stage.fleet.gives = Evidence()
    request_command(stage.ledger, RolloutCommand.PAUSE, "bob")
    for _ in range(100):
        stage.look()
    assert stage.state is RolloutState.PAUSED
    stage.begin()  # a restart forgets no pause
    stage.until(lambda: bool(stage.table.challenged))
    request_command(stage.ledger, RolloutCommand.RESUME, "carl")
    assert stage.until_over().state is RolloutState.PROMOTED


def test_harm_goes_back_in_a_pause_too(stage: Stage) -> None:
    stage.ask()
    stage.until_served(1)
    request_command(stage.ledger, RolloutCommand.PAUSE, "bob")
    stage.look()
    stage.fleet.gives = evidence(gain=-0.5, blocks=2000)
    stage.look()
    assert stage.state is RolloutState.ROLLED_BACK
    assert not stage.table.challenged


@pytest.mark.parametrize("paused", [False, True])
def test_somebody_may_promote_whatever_the_evidence(stage: Stage, paused: bool) -> None:
    stage.fleet.gives = Evidence()
    stage.ask()
    stage.until(lambda: bool(stage.table.compared))
    if paused:
        request_command(stage.ledger, RolloutCommand.PAUSE, "bob")
        stage.look()
    request_command(stage.ledger, RolloutCommand.PROMOTE, "bob")
    stage.until(lambda: stage.state is RolloutState.PROMOTED)
    assert ("promote", "bob") in stage.decisions
    assert stage.applications.runs[CHAMPION] == "2"


def test_who_promotes_before_it_can_answer_waits_until_it_can(stage: Stage) -> None:
    hold = stage.applications.holds["deploy", CHALLENGER] = threading.Event()
    stage.ask()
    request_command(stage.ledger, RolloutCommand.PROMOTE, "bob")
    for _ in range(3):
        stage.look(1.0)
    assert (stage.state, stage.rollout.command) == (RolloutState.RUNNING, RolloutCommand.PROMOTE)
    hold.set()
    stage.until(lambda: stage.state is RolloutState.PROMOTED)


@pytest.mark.parametrize("served", [0, 1, 4])
def test_somebody_may_send_it_back_at_any_time(stage: Stage, served: int) -> None:
    stage.ask()
    stage.until_served(served)
    request_command(stage.ledger, RolloutCommand.ROLL_BACK, "bob")
    stage.look(0.5)
    assert stage.state is RolloutState.ROLLED_BACK
    assert stage.decisions[-1] == ("roll back", "bob")
    assert not stage.table.challenged


def test_somebody_may_send_it_back_while_it_is_loaded(stage: Stage) -> None:
    hold = stage.applications.holds["deploy", CHALLENGER] = threading.Event()
    stage.ask()
    stage.until(lambda: "deploy challenger 2" in stage.log)
    request_command(stage.ledger, RolloutCommand.ROLL_BACK, "bob")
    stage.look(0.5)
    assert stage.state is RolloutState.ROLLED_BACK
    hold.set()
    eventually(lambda: stage.log.count("delete challenger") == 2)
    assert CHALLENGER not in stage.applications.runs
