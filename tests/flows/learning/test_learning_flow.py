"""The learning flow with a training that is told how to end."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from flows.learning.learning_flow import Learned
from flows.learning.training_plan import TrainingRequest
from serve.rollout.policy import Policy
from streetloop.errors import (
    ConfigError,
    DatasetError,
    DatasetInvalid,
    LearningError,
    StoreError,
    TooFewToJudge,
    TrainingError,
)
from streetloop.ledger.learning import Step, begin_learning, go_on, open_learning
from streetloop.ledger.rollouts import RolloutState, open_rollout
from streetloop.settings import read_settings
from tests.support.samples.frames import NOON
from tests.support.stream_flow.fakes import eventually
from tests.support.town import Town, camera, outcome

NIGHT = {"kind": "drift", "because": "night on a"}


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    return Town(tmp_path, monkeypatch)


def test_nothing_asks_and_nothing_begins(town: Town) -> None:
    town.label(2)
    town.flow.step()
    assert open_learning(town.ledger) is None


@pytest.mark.parametrize(("threads", "left"), [(8, 7), (2, 1), (1, 1)])
def test_a_training_beside_streams_leaves_a_thread_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int, left: int
) -> None:
    town = Town(tmp_path, monkeypatch, threads=threads)
    town.label(3)
    town.flow.step()
    town.step_until(Step.ROLLOUT)
    assert town.asked[0].recipe["threads"] == left


def test_a_city_that_drifted_alone_learns_and_is_rolled_out_alone(town: Town) -> None:
    town.cameras = [camera("a", "denver"), camera("b", "boston")]
    town.drift()
    town.label(3, "night", camera="b")
    town.flow.step()
    town.flow.step()
    assert town.run.step is Step.LABELING, "the labels are of another city"
    town.label(3, "night", first=10)
    town.step_until(Step.ROLLOUT)
    place = town.asked[0].place
    assert place is not None
    assert (place.city, place.cameras) == ("denver", {"a"})
    town.flow.step()
    rollout = open_rollout(town.ledger)
    assert rollout is not None
    assert rollout.city == "denver"
    town.end_rollout(RolloutState.PROMOTED)
    town.step_until(Step.PROMOTED)
    assert town.run.reason == "version 2 is the champion of denver"


def test_what_is_found_elsewhere_while_labels_are_waited_for_makes_the_run_one_for_all(town: Town) -> None:
    town.cameras = [camera("a", "denver"), camera("b", "boston"), camera("c", "london")]
    town.drift()
    town.flow.step()
    assert town.run.trigger["city"] == "denver"
    town.drift("b")
    town.label(3, "night", camera="b")
    town.flow.step()
    town.step_until(Step.ROLLOUT)
    assert town.asked[0].place is None
    assert len(town.run.trigger["findings"]) == 2
    assert town.said[1] == "learning run 1 is for all cities: night on a, b"
    town.flow.step()
    rollout = open_rollout(town.ledger)
    assert rollout is not None
    assert rollout.city is None


def test_a_city_that_lost_its_cameras_parks_its_run(town: Town) -> None:
    begin_learning(town.ledger, "learn-1", {"kind": "a person", "city": "denver"}, town.clock.now())
    town.cameras = [camera("a", "denver")]
    town.label(1)
    town.flow.step()
    town.cameras = [camera("a", "boston")]
    town.flow.step()
    assert town.run.step is Step.PARKED
    assert "no camera is in 'denver'; cities are: boston" in str(town.run.reason)


def test_drift_asks_waits_for_its_labels_and_ends_with_a_champion(town: Town) -> None:
    town.label(3, first=100)  # of the usual day: they do not tell what night looks like
    town.drift()
    town.flow.step()
    assert town.run.trigger["because"] == "night on a"
    town.label(2, "night")
    town.flow.step()
    assert town.run.step is Step.LABELING
    town.label(1, "night", first=2)
    town.step_until(Step.ROLLOUT)
    assert town.asked[0].name == town.run.name
    assert town.asked[0].trigger["learning_run"] == town.run.id
    town.flow.step()
    rollout = open_rollout(town.ledger)
    assert rollout is not None
    assert (rollout.model, rollout.author) == ("2", "learning flow")
    town.flow.step()
    assert town.run.step is Step.ROLLOUT
    town.end_rollout(RolloutState.PROMOTED)
    town.step_until(Step.PROMOTED)
    assert open_learning(town.ledger) is None
    assert len(town.asked) == 1


def test_enough_labels_ask_by_themselves(town: Town) -> None:
    town.label(3)
    town.step_until(Step.ROLLOUT)
    assert town.run.trigger["kind"] == "labels"


def test_the_judge_refuses(town: Town) -> None:
    town.train = lambda _: outcome(accepted=False)
    town.label(3)
    town.step_until(Step.REFUSED)
    assert town.run.reason == "night gained 0.3"
    assert open_rollout(town.ledger) is None


def test_a_candidate_that_is_sent_back_ends_the_run(town: Town) -> None:
    town.label(3)
    town.step_until(Step.ROLLOUT)
    town.flow.step()
    town.end_rollout(RolloutState.ROLLED_BACK)
    town.step_until(Step.ROLLED_BACK)


def test_a_step_that_fails_is_tried_later_each_time_then_parked_and_resumed(town: Town) -> None:
    def fail(_: TrainingRequest) -> Learned:
        raise TrainingError("the disk is full")

    town.train = fail
    town.label(3)
    town.step_until(Step.TRAINING)
    pauses = []
    for attempt in (1, 2):
        eventually(lambda n=attempt: (town.flow.step(), town.run.attempts == n)[1])  # type: ignore[misc]
        assert town.run.next_at is not None
        pauses.append(town.run.next_at - town.clock.now())
        asked = len(town.asked)
        town.flow.step()
        assert len(town.asked) == asked, "not before its time"
        town.clock.advance((pauses[-1] + timedelta(seconds=1)).total_seconds())
    assert pauses[1] > pauses[0]
    town.step_until(Step.PARKED)
    assert town.run.reason == "training failed 3 times: the disk is full"
    town.flow.step()
    assert len(town.asked) == 3
    town.train = lambda _: outcome()
    go_on(town.ledger, town.run, Step(str(town.run.detail["parked"])), town.clock.now())
    town.step_until(Step.ROLLOUT)
    assert {request.name for request in town.asked} == {town.run.name}


def test_a_refusal_is_parked_at_once_with_its_reason(town: Town) -> None:
    def refuse(_: TrainingRequest) -> Learned:
        raise DatasetError("the champion has no class 'tram'")

    town.train = refuse
    town.label(3)
    town.step_until(Step.PARKED)
    assert len(town.asked) == 1
    assert town.run.reason == "training was refused: the champion has no class 'tram'"


def test_a_person_who_asks_without_labels_waits_for_them(town: Town) -> None:
    begin_learning(town.ledger, "learn-1", {"kind": "a person", "because": "ann"}, town.clock.now())
    town.flow.step()
    assert town.run.step is Step.LABELING
    town.label(1)
    town.step_until(Step.ROLLOUT)


def test_too_few_frames_to_judge_by_wait_for_more_labels(town: Town) -> None:
    def refuse(_: TrainingRequest) -> Learned:
        raise TooFewToJudge("night: 8 frames to judge by, 10 are needed")

    town.train = refuse
    town.label(3)
    town.step_until(Step.TRAINING)
    town.step_until(Step.LABELING)
    assert town.run.reason == "night: 8 frames to judge by, 10 are needed"
    asked = len(town.asked)
    town.restarted().step()
    assert (town.run.step, len(town.asked)) == (Step.LABELING, asked), "the same labels are no better"
    town.train = lambda _: outcome()
    town.label(1, first=3)
    town.step_until(Step.ROLLOUT)


@pytest.mark.parametrize(
    "error", [DatasetInvalid("image abc: is not in the object store"), StoreError("s3: not reached")]
)
def test_a_store_that_is_away_is_tried_again_and_waits_for_no_labels(town: Town, error: Exception) -> None:
    def refuse(_: TrainingRequest) -> Learned:
        raise error

    town.train = refuse
    town.label(3)
    town.step_until(Step.TRAINING)
    eventually(lambda: (town.flow.step(), town.run.attempts == 1)[1])
    assert town.run.step is Step.TRAINING
    town.train = lambda _: outcome()
    town.clock.advance(31)
    town.step_until(Step.ROLLOUT)


@pytest.mark.parametrize("step", [Step.TRAINING, Step.ROLLOUT])
def test_a_process_that_was_killed_goes_on_by_the_same_name(town: Town, step: Step) -> None:
    town.label(3)
    town.step_until(step)
    name = town.run.name
    town.restarted()
    town.step_until(Step.ROLLOUT)
    assert {request.name for request in town.asked} == {name}


def test_killed_between_asking_for_the_rollout_and_noting_it_does_not_ask_twice(town: Town) -> None:
    town.label(3)
    town.step_until(Step.ROLLOUT)
    town._ask(town.settings, town.ledger, "2", Policy(), "learning flow", None)
    town.restarted().step()
    there = open_rollout(town.ledger)
    assert there is not None
    assert town.run.detail["rollout"] == there.id


def test_another_rollout_is_waited_for(town: Town) -> None:
    town._ask(town.settings, town.ledger, "7", Policy(), "ann", None)
    town.label(3)
    town.step_until(Step.ROLLOUT)
    town.flow.step()
    assert "rollout 1 of version 7 is open" in str(town.run.reason)
    assert town.run.attempts == 1


def test_a_rest_and_a_daily_limit_follow_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town(tmp_path, monkeypatch, learn_rest_h=2.0, learn_per_day=2)
    town.train = lambda _: outcome(accepted=False)
    town.label(3)
    for number in (1, 2):
        town.step_until(Step.REFUSED)
        assert town.run.id == number
        town.flow.step()
        assert open_learning(town.ledger) is None, "it rests"
        town.clock.advance(2 * 3600 + 1)
        town.flow.step()
        if number == 1:
            assert open_learning(town.ledger) is not None
    assert open_learning(town.ledger) is None, "two a day are enough"
    begin_learning(town.ledger, "by-hand", {"kind": "a person"}, town.clock.now())
    town.step_until(Step.REFUSED)


def test_one_run_is_open_at_a_time(town: Town) -> None:
    begin_learning(town.ledger, "one", NIGHT, NOON)
    with pytest.raises(LearningError, match="learning run 1 is open"):
        begin_learning(town.ledger, "two", NIGHT, NOON)


def test_a_schedule_asks_once_a_round_if_there_is_something_to_learn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(tmp_path, monkeypatch, learn_cron="0 * * * *", learn_rest_h=0)
    town.clock.advance(3600)
    town.flow.step()
    assert open_learning(town.ledger) is None, "nothing to learn"
    town.label(1)
    town.flow.step()
    assert town.run.trigger["kind"] == "schedule"
    town.step_until(Step.ROLLOUT)
    town.flow.step()
    town.end_rollout(RolloutState.PROMOTED)
    town.step_until(Step.PROMOTED)
    town.label(1, first=50)
    town.flow.step()
    assert open_learning(town.ledger) is None, "its hour has not come again"
    town.clock.advance(3600)
    town.flow.step()
    assert open_learning(town.ledger) is not None


@pytest.mark.parametrize(
    ("started", "due"),
    [
        ("2026-03-28T12:00+01:00", "2026-03-29T03:00+02:00"),  # half past two is skipped that night
        ("2026-10-24T12:00+02:00", "2026-10-25T02:30+02:00"),  # it comes twice that night: the first
        ("2026-10-25T02:31+02:00", "2026-10-26T02:30+01:00"),
        ("2026-07-01T12:00+02:00", "2026-07-02T02:30+02:00"),
    ],
)
def test_a_schedule_is_of_the_time_zone_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: str, due: str
) -> None:
    town = Town(tmp_path, monkeypatch, learn_cron="30 2 * * *", timezone="Europe/Berlin", learn_rest_h=0)
    start, end = (datetime.fromisoformat(text) for text in (started, due))
    town.clock.advance((start - NOON).total_seconds())
    town.restarted()
    town.label(1)
    town.clock.advance((end - start).total_seconds() - 1)
    town.flow.step()
    assert open_learning(town.ledger) is None
    town.clock.advance(1)
    town.flow.step()
    assert town.run.trigger["kind"] == "schedule"


def test_a_schedule_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"learn_cron.*cron expression"):
        read_settings(learn_cron="at night")
