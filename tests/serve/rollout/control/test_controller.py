"""From shadow to the champion, or back: what is decided, written down and done."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from serve.rollout.policy import Policy
from serve.rollout.route_table import CHALLENGER, CHAMPION
from serve.rollout.statistics.evidence import Calls, Evidence
from streetloop.errors import DetectorError, LedgerError, ModelUnsupported, NotFound
from streetloop.ledger.history.rollout_gains import list_gains
from streetloop.ledger.rollouts import RolloutCommand, RolloutState, list_decisions, request_command
from tests.support.stage import QUICK, Stage
from tests.support.stream_flow.fakes import eventually


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def test_a_better_model_goes_from_shadow_to_the_champion(stage: Stage) -> None:
    stage.ask()
    over = stage.until_over()

    assert over.state is RolloutState.PROMOTED
    assert over.command is None
    assert stage.decisions == [
        ("start", "ann"),
        ("advance", "policy"),
        ("advance", "policy"),
        ("promote", "policy"),
        ("promoted", "policy"),
    ]
    assert stage.log == [
        "deploy challenger 2",
        "0 of 4 challenged",
        "1 of 4 challenged",
        "4 of 4 challenged",
        "load champion 2",
        "set champion champion 2",
        "0 of 0 challenged",
        "delete challenger",
    ]
    assert stage.applications.runs == {CHAMPION: "2"}


def test_every_decision_has_its_evidence(stage: Stage) -> None:
    stage.ask()
    stage.until_over()
    entries = list_decisions(stage.ledger, 1)[1:]
    frames = [entry.summary["frames"] for entry in entries]
    assert frames == sorted(frames)
    assert frames[0] >= QUICK.frames
    assert all(entry.reason and entry.summary["gains"]["all"]["low"] > 0 for entry in entries)
    kept = [gain for _, gain in list_gains(stage.ledger, 1)]
    assert kept, "its gain is kept in between"
    assert all(gain.blocks > 0 for gain in kept)


def test_each_phase_lasts_as_long_as_the_policy_says(stage: Stage) -> None:
    stage.ask()
    stage.until_over()
    times = [entry.at for entry in list_decisions(stage.ledger, 1)]
    minutes = [(b - a).total_seconds() / 60 for a, b in itertools.pairwise(times[:4])]
    # A look every twenty seconds.
    assert [round(m, 2) for m in minutes] == pytest.approx([1.0] * 3, abs=0.34)


def test_without_a_rollout_nothing_is_done(stage: Stage) -> None:
    for _ in range(5):
        stage.look()
    assert stage.log == []
    assert stage.told == []


def test_nobody_is_compared_before_the_challenger_answers(stage: Stage) -> None:
    stage.applications.holds["deploy", CHALLENGER] = threading.Event()
    stage.ask()
    stage.until(lambda: "deploy challenger 2" in stage.log)
    for _ in range(5):
        stage.look(1.0)
    assert not stage.table.compared
    assert stage.rollout.summary["waits_for"] == ["the challenger is being loaded"]
    stage.applications.holds["deploy", CHALLENGER].set()
    stage.until(lambda: len(stage.table.compared) == 4)
    assert stage.table.sample == QUICK.sample


def test_what_is_waited_for_and_who_serves_whom_can_be_read(stage: Stage) -> None:
    stage.ask(policy=Policy(steps=(0.25, 1.0), minutes=1.0, frames=10**9))
    stage.until(lambda: bool(stage.table.compared))
    stage.look()
    summary = stage.rollout.summary
    assert summary["waits_for"] == [
        "0.7 more minutes in this phase",
        f"{10**9 - summary['frames']} more frames in this phase",
    ]
    assert summary["cameras"] == dict.fromkeys("abcd", CHAMPION)


# Going back by itself


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (DetectorError("the detector did not start"), "it cannot be loaded: the detector did not"),
        (ModelUnsupported("is cut short"), "it cannot be loaded: is cut short"),
        (MemoryError("out of memory"), "it cannot be loaded: out of memory"),
    ],
)
def test_a_challenger_that_cannot_be_loaded_goes_back(stage: Stage, error: Exception, says: str) -> None:
    stage.applications.fails["deploy", CHALLENGER] = [error]
    stage.ask()
    stage.until(lambda: stage.state is RolloutState.ROLLED_BACK)
    assert says in stage.reason
    assert not stage.table.compared
    eventually(lambda: "delete challenger" in stage.log)


def test_a_challenger_that_hangs_while_it_is_loaded_goes_back_and_is_ended_after_all(stage: Stage) -> None:
    hold = stage.applications.holds["deploy", CHALLENGER] = threading.Event()
    stage.ask()
    stage.look(0.0)
    stage.look(170.0)
    assert stage.state is RolloutState.RUNNING
    stage.look(11.0)
    assert stage.state is RolloutState.ROLLED_BACK
    assert stage.reason == "it was not loaded within 180 s"
    hold.set()
    # It comes up late, and must not stay.
    eventually(lambda: stage.log.count("delete challenger") == 2)
    assert CHALLENGER not in stage.applications.runs


def test_a_process_that_dies_again_and_again_goes_back(stage: Stage) -> None:
    stage.ask()
    stage.until(lambda: bool(stage.table.compared))
    for _ in range(3):
        asked = stage.applications.described
        stage.look(2.0)
        eventually(lambda asked=asked: stage.applications.described > asked)  # type: ignore[misc]
        stage.applications.process += 1
    stage.until(lambda: stage.state is RolloutState.ROLLED_BACK, 2.0)
    assert stage.reason == "its process died 2 times"


def test_a_process_that_grows_too_large_goes_back(stage: Stage) -> None:
    stage.ask()
    stage.applications.memory_mb = 9000.0
    stage.until(lambda: stage.state is RolloutState.ROLLED_BACK, 2.0)
    assert "9000 MB" in stage.reason


@pytest.mark.parametrize("served", [0, 1, 4])
def test_harm_routes_all_cameras_back_within_a_look(stage: Stage, served: int) -> None:
    stage.ask()
    stage.until_served(served)
    stage.fleet.gives = Evidence(challenger=Calls(1, 1, 1))
    stage.look(0.5)
    assert stage.state is RolloutState.ROLLED_BACK
    assert not stage.table.challenged
    assert not stage.table.compared
    eventually(lambda: stage.applications.runs == {CHAMPION: "1"})
    assert stage.models.champions == {CHAMPION: "1"}


def test_people_are_told(stage: Stage) -> None:
    stage.ask()
    stage.until_over()
    assert stage.told[0] == "rollout 1 of version 2: shadow"
    assert stage.told[-1] == "rollout 1: promoted: version 2 is the champion"
    assert len(stage.told) == 5


# One after the other


def test_the_next_challenger_waits_until_the_last_has_ended(stage: Stage) -> None:
    stage.ask("2")
    stage.until(lambda: bool(stage.table.compared))
    hold = stage.applications.holds["delete", CHALLENGER] = threading.Event()
    request_command(stage.ledger, RolloutCommand.ROLL_BACK, "bob")
    stage.look(0.5)
    stage.ask("3")
    stage.look(0.5)
    eventually(lambda: "3" in stage.models.asked)
    assert "deploy challenger 3" not in stage.log
    hold.set()
    stage.until(lambda: bool(stage.table.compared))
    assert stage.log.index("delete challenger") < stage.log.index("deploy challenger 3")
    assert stage.applications.runs[CHALLENGER] == "3"


def test_what_is_left_of_the_last_is_not_held_against_the_next(stage: Stage) -> None:
    stage.ask("2")
    stage.until(lambda: bool(stage.table.compared))
    request_command(stage.ledger, RolloutCommand.ROLL_BACK, "bob")
    stage.look(0.5)
    stage.fleet.left = Evidence(frames=5, challenger=Calls(1, 1, 1))
    stage.ask("3")
    assert stage.until_over().state is RolloutState.PROMOTED


# Trouble


def _hasty() -> Policy:
    return QUICK.model_copy(update={"minutes": 0.0})


def test_a_ledger_that_is_away_for_a_look_loses_no_evidence(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.ask()
    stage.until(lambda: bool(stage.table.compared))
    stage.fleet.gives = Evidence()
    with monkeypatch.context() as away:

        def refuse(_: object) -> None:
            raise LedgerError("the ledger is locked")

        away.setattr("serve.rollout.control.controller.open_rollout", refuse)
        stage.fleet.left = Evidence(frames=77)
        with pytest.raises(LedgerError):
            stage.look()
    before = stage.rollout.summary["frames"]
    stage.look()
    assert stage.rollout.summary["frames"] == before + 77


def test_the_thread_goes_on_after_a_look_that_failed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serve.rollout.control.controller._LOOK_EVERY_S", 0.01)
    collect, failures = stage.fleet.collect_evidence, [RuntimeError("a bug"), LedgerError("away")]

    def fail_first() -> Evidence:
        if failures:
            raise failures.pop(0)
        return collect()

    stage.fleet.collect_evidence = fail_first  # type: ignore[method-assign]
    stage.ask(policy=_hasty())
    stage.control.start()
    eventually(lambda: stage.state is RolloutState.PROMOTED)
    assert stage.told[:2] == ["rollout: a step failed; the log says why", "rollout: away"]


def test_a_registry_that_is_away_when_a_rollout_begins_is_asked_again(stage: Stage) -> None:
    stage.models.away = True
    stage.ask()
    stage.until(lambda: bool(stage.told[1:]), 0.5)
    assert stage.told[1:] == ["rollout 1 waits: the registry did not answer"]
    assert stage.rollout.summary["waits_for"] == ["the challenger is being loaded"]
    stage.models.away = False
    stage.clock.advance(5.0)
    assert stage.until_over().state is RolloutState.PROMOTED


def test_a_registry_that_stays_away_ends_a_rollout(stage: Stage) -> None:
    stage.models.away = True
    stage.ask()
    stage.until(lambda: stage.state is RolloutState.ROLLED_BACK, 5.0)
    # Its last attempt may be under way.
    assert stage.reason in {
        "it cannot be loaded: the registry did not answer",
        "it was not loaded within 180 s",
    }
    assert stage.clock.monotonic() >= 180


REPLAYED = QUICK.model_copy(update={"replay_minutes": 5.0})


def test_before_its_canary_a_challenger_answers_recorded_traffic_once(stage: Stage) -> None:
    stage.ask(policy=REPLAYED)
    over = stage.until_over()
    assert over.state is RolloutState.PROMOTED
    assert stage.replayer.asked == [("2", ["a", "b", "c", "d"], 5.0)]


def test_what_finds_nothing_in_recorded_traffic_never_serves(stage: Stage) -> None:
    stage.replayer.found = Evidence(frames=500, replayed=500, detections=(500_000, 0))
    stage.ask(policy=REPLAYED)
    over = stage.until_over()
    assert over.state is RolloutState.ROLLED_BACK
    assert "objects where the champion finds" in list_decisions(stage.ledger, 1)[-1].reason
    assert not any(line.startswith("1 of 4") for line in stage.log)


def test_without_recorded_traffic_it_waits_in_shadow_and_says_why(stage: Stage) -> None:
    stage.replayer.error = NotFound("nothing was recorded")
    stage.ask(policy=REPLAYED)
    stage.until(lambda: any("nothing was recorded" in text for text in stage.told), 20.0)
    for _ in range(20):
        stage.look(20.0)
    assert stage.decisions == [("start", "ann")]
    stage.replayer.error = None
    assert stage.until_over().state is RolloutState.PROMOTED
