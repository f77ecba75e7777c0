"""The control service over a real ledger and store: what people see, and what they may do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.service.control_service import REPORT_FILE
from streetloop.cameras.camera_file import parse_camera
from streetloop.errors import ConfigError, LearningError, NotFound, RolloutError
from streetloop.ledger.learning import Step, open_learning
from streetloop.ledger.reviews import ReviewState
from streetloop.ledger.rollouts import list_rollouts
from tests.support.control_service import FILE, Content, jpeg, refused, register_versions, running

SIM = {"id": "new", "uri": "sim://larkfield/gantry"}


# What happened


def test_events_come_newest_first_and_can_be_asked_for_by_camera_kind_and_whether_they_go_on(
    content: Content,
) -> None:
    ask = content.service.events
    every = ask(None, None, only_open=False, offset=0, limit=10)
    assert [one.kind for one in every.items] == ["drift", "frozen picture", "frozen picture"]
    names = [one["name"] for one in every.items[0].detail["causes"]]
    assert names == ["night", "fog"]
    assert not every.more
    here = ask("crossing", None, only_open=False, offset=0, limit=10).items
    assert [one.camera_id for one in here] == ["crossing"]
    assert len(ask(None, "drift", only_open=False, offset=0, limit=10).items) == 1
    (going_on,) = ask(None, None, only_open=True, offset=0, limit=10).items
    assert (going_on.kind, going_on.ended_at, going_on.model) == ("drift", None, "m-1")
    assert ask("nobody", "x" * 100, only_open=True, offset=0, limit=1).items == []


def test_pages_follow_each_other_without_gap_or_double(content: Content) -> None:
    service = content.service
    ask: dict[str, Callable[[int, int], Any]] = {
        "events": lambda o, n: service.events(None, None, only_open=False, offset=o, limit=n),
        "reviews": lambda o, n: service.reviews(None, o, n),
        "learning": service.learning,
        "rollouts": service.rollouts,
    }
    for name, page in ask.items():
        whole = page(0, 200).items
        assert len(whole) >= 2, name
        singly = [page(offset, 1) for offset in range(len(whole))]
        assert [one for part in singly for one in part.items] == whole, name
        assert [part.more for part in singly] == [True] * (len(whole) - 1) + [False], name
        assert (page(len(whole), 1).items, page(100_000, 200).more) == ([], False), name


def test_the_drift_of_every_camera_that_was_watched(content: Content) -> None:
    dark, usual = content.service.drift()
    assert (dark.camera_id, dark.drifts) == ("a40", True)
    assert [(one.name, one.probability) for one in dark.causes] == [("night", 0.62), ("fog", 0.31)]
    assert dark.since is not None
    assert (usual.camera_id, usual.drifts, usual.since) == ("crossing", False, None)
    assert usual.missing_minutes > 0
    assert "not enough yet" in usual.state


def test_drift_is_not_worked_out_anew_for_everybody(content: Content) -> None:
    before = content.service.drift()
    for key in list(content.store.keys("minutes/")):
        content.store.delete(key)
    assert content.service.drift() == before


def test_a_camera_that_was_never_watched_says_how_much_is_needed(empty: Content) -> None:
    views = empty.service.drift()
    assert [(one.camera_id, one.state, one.drifts) for one in views] == [
        ("a40", "not watched yet", False),
        ("crossing", "not watched yet", False),
    ]
    assert {(one.missing_minutes, one.needed_minutes, one.period_s) for one in views} == {(75, 75, 60.0)}
    assert "was never watched" in refused(ConfigError, lambda: empty.service.drift("a40"))


def test_a_young_camera_says_how_much_of_what_is_needed_is_there(content: Content) -> None:
    _, young = content.service.drift()
    assert (young.needed_minutes, young.missing_minutes) == (75, 55), "there are 20 minutes of it"


# Review


def test_the_queue_in_numbers(content: Content, empty: Content) -> None:
    queue = content.service.queue()
    assert queue.counts == {str(state): 1 for state in ReviewState}
    assert (queue.labeler, queue.url) == ("none", None)


def test_the_queue_says_where_the_labellers_work(tmp_path: Path) -> None:
    here = "http://labels.example:8080"
    content = Content(tmp_path, labeler="label-studio", label_studio_url=here)
    assert content.service.queue().url == here
    login = Content(tmp_path, labeler="label-studio", label_studio_url="http://admin:hunter2@host")
    assert login.service.queue().url == "http://***@host"
    nowhere = Content(tmp_path, labeler="label-studio")
    assert nowhere.service.queue().url is None


def test_reviews_are_all_but_candidates_or_those_of_one_state(content: Content) -> None:
    found = content.service.reviews(None, 0, 50).items
    assert [one.state for one in found] == [str(s) for s in ReviewState if s is not ReviewState.CANDIDATE]
    (only,) = content.service.reviews("candidate", 0, 50).items
    assert (only.state, only.camera_id, only.reason) == ("candidate", "a40", "unsure")
    said = refused(NotFound, lambda: content.service.reviews("lost", 0, 50))
    assert "'lost'" in said
    assert "in dataset" in said


def test_the_image_of_a_frame(content: Content) -> None:
    (one,) = content.service.reviews("pending", 0, 1).items
    assert content.service.review_image(one.digest) == jpeg(list(ReviewState).index(ReviewState.PENDING))
    (gone,) = content.service.reviews("expired", 0, 1).items
    assert "expired" in refused(NotFound, lambda: content.service.review_image(gone.digest))
    for digest in ("0" * 64, "../../etc/passwd", "%", "x" * 5000):
        said = refused(NotFound, lambda d=digest: content.service.review_image(d))
        assert len(said) < 200


# Learning


def test_learning_runs_newest_first(content: Content) -> None:
    parked, refusal = content.service.learning(0, 10).items
    assert (parked.step, parked.ended_at, parked.detail) == ("parked", None, {"parked": "training"})
    assert (refusal.step, refusal.reason) == ("refused", "no better")


def test_somebody_may_ask_for_one_at_a_time(empty: Content) -> None:
    assert "no new labels" in refused(LearningError, lambda: empty.service.learn("ann"))
    assert not empty.service.learning(0, 1).items
    empty.add_reviews()
    run = empty.service.learn("ann")
    assert run.trigger == {"kind": "a person", "because": "ann asked for it"}
    assert run.step == "labeling"
    assert "is open" in refused(LearningError, lambda: empty.service.learn("bob"))
    dropped = empty.service.drop_learning("bob")
    assert (dropped.id, dropped.step, dropped.reason) == (run.id, "dropped", "by hand (bob)")
    assert empty.service.learn("bob").id != run.id


def test_a_parked_run_goes_on_where_it_was(content: Content) -> None:
    run = content.service.resume_learning("ann")
    assert (run.step, run.detail["resumed by"], run.attempts) == ("training", "ann", 0)
    assert f"learning run {run.id} is not parked: it is at training" in refused(
        LearningError, lambda: content.service.resume_learning("ann")
    )
    found = open_learning(content.ledger)
    assert found is not None
    assert found.step is Step.TRAINING


def test_without_a_run_there_is_none_to_steer(empty: Content) -> None:
    refused(LearningError, lambda: empty.service.resume_learning("ann"))
    assert "no learning run is open" in refused(LearningError, lambda: empty.service.drop_learning("ann"))


# Rollouts


def test_rollouts_newest_first_and_one_with_its_decisions(content: Content) -> None:
    open_, over = content.service.rollouts(0, 10).items
    assert (open_.model, open_.state, open_.phase, open_.city) == ("3", "running", "shadow", None)
    assert (over.state, over.city, over.decisions) == ("rolled back", "London", [])
    found = content.service.rollout(over.id)
    assert [one.action for one in found.decisions] == ["start", "roll back"]
    assert content.service.rollout(open_.id).evidence["gains"]["all"]["mean"] == 0.04
    assert "no rollout 99" in refused(NotFound, lambda: content.service.rollout(99))


@pytest.mark.parametrize("wanted", ["pause", "resume", "promote", "roll back"])
def test_an_open_rollout_can_be_steered(content: Content, wanted: str) -> None:
    assert content.service.steer_rollout(wanted, "ann").wanted == wanted
    assert list_rollouts(content.ledger, 1)[0].command_by == "ann"


def test_without_an_open_rollout_there_is_none_to_steer(empty: Content) -> None:
    said = refused(RolloutError, lambda: empty.service.steer_rollout("pause", "ann"))
    assert "no rollout is open" in said


def test_without_a_registry_there_are_no_models(empty: Content) -> None:
    assert empty.service.models() == []
    for ask in (
        lambda: empty.service.lineage("1"),
        lambda: empty.service.start_rollout("champion", None, "ann"),
    ):
        assert "there is no version" in refused(NotFound, ask)


# With a registry


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Content:
    content = Content(tmp_path_factory.mktemp("registered"))
    register_versions(content)
    return content


def test_versions_newest_first(registered: Content) -> None:
    third, second, first = registered.service.models()
    assert (first.number, first.aliases, first.parent) == (1, ["champion"], None)
    assert (second.parent, second.verdict, second.trigger) == (1, ["it wins"], {"because": "drift"})
    assert second.scores.keys() == {"map50/all", "map50/night", "map50/day"}, (
        "what is not a number is left out"
    )
    assert third.classes == ["bicycle"]


def test_the_lineage_of_a_version_goes_back_to_the_first(registered: Content) -> None:
    found = registered.service.lineage("2")
    assert [one.number for one in found] == [2, 1]
    assert registered.service.lineage("champion") == found[1:]
    for name in ("7", "nobody", "../..", "", "x" * 500):
        said = refused(NotFound, lambda n=name: registered.service.lineage(n))
        assert "there is no version" in said
        assert len(said) < 200


def test_a_rollout_is_asked_for(registered: Content) -> None:
    service = registered.service
    assert "knows other classes" in refused(RolloutError, lambda: service.start_rollout("3", None, "ann"))
    assert "is the champion already" in refused(
        RolloutError, lambda: service.start_rollout("champion", None, "ann")
    )
    refused(NotFound, lambda: service.start_rollout("9", None, "ann"))
    rollout = service.start_rollout("2", "London", "ann")
    assert (rollout.model, rollout.champion, rollout.city) == ("2", "1", "London")
    assert rollout.author == "ann"
    assert "is open" in refused(RolloutError, lambda: service.start_rollout("2", None, "bob"))


# Health


def test_without_streams_that_is_the_problem(empty: Content) -> None:
    health = empty.service.health()
    assert (health.ok, health.cameras, health.live, health.model) == (False, 2, 0, None)
    assert health.problems == ["no stream runs"]


def test_all_is_well(empty: Content) -> None:
    empty.live += [running(), running("crossing", model="m-2")]
    health = empty.service.health()
    assert (health.ok, health.live, health.model, health.problems) == (True, 2, "m-1", [])


def test_problems_of_cameras_and_faults_are_said_once_each(empty: Content) -> None:
    fault = ["the log cannot be written"]
    empty.live += [running(state="lost", error="no answer", faults=fault), running("crossing", faults=fault)]
    health = empty.service.health()
    assert (health.ok, health.live) == (False, 1)
    assert health.problems == ["a40: no answer", "the log cannot be written"]


def test_the_cameras_of_the_file_are_as_they_were(empty: Content) -> None:
    empty.service.put_camera(SIM, "ann", new=True)
    assert empty.file == [parse_camera(one) for one in FILE]


def test_the_report_of_the_demo_is_there_once_it_is_written(empty: Content) -> None:
    assert not empty.service.health().report
    assert "`streetloop demo` writes one" in refused(NotFound, empty.service.report_page)
    (empty.settings.home / REPORT_FILE).write_text("<h1>straße</h1>", encoding="utf-8")
    assert empty.service.health().report
    assert empty.service.report_page() == "<h1>straße</h1>"
