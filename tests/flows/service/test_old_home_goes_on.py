"""A home that version 0.1.0 left goes on: what is open in it is steered, answered and ended."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drift.monitor import LiveWatch
from flows.cli.main import app
from flows.learning.dataset_builder import gather_material, mark_learned
from flows.learning.training_plan import read_plan
from labeling.queue import ReviewQueue
from streetloop.ledger.cameras import newest_changes
from streetloop.ledger.events import list_events
from streetloop.ledger.findings import list_findings
from streetloop.ledger.learning import list_learning
from streetloop.ledger.reviews import ReviewState, list_reviews
from streetloop.ledger.rollouts import list_decisions
from tests.drift.support import breathing
from tests.support.rollout import register_tiny
from tests.support.samples.old_home import LEFT, Old
from tests.support.samples.old_home import then as then
from tests.support.stage import Stage
from tests.support.stream_flow.fakes import FakeClock
from train.data.dataset import load_dataset
from train.model.class_names import older_frames
from train.model.find_model import find_model, open_registry
from train.model.model_file import open_model
from train.model_registry import CHAMPION

CITIES = {"a40": "kingsport", "crossing": "kingsport", "gantry": "larkfield", "bridge": "larkfield"}


@pytest.fixture
def old(tmp_path: Path) -> Old:
    return Old(tmp_path)


@pytest.fixture
def tiny(old: Old, tmp_path: Path) -> Path:
    """The champion's file, as a user may name it."""
    path = tmp_path / "tiny.onnx"
    shutil.copy(find_model(CHAMPION, old.settings).onnx, path)
    return path


def restarted(old: Old) -> Stage:
    """Streams start over the home."""
    stage = Stage(old.settings.home, CITIES)
    stage.control.close()
    stage.clock = FakeClock(LEFT)
    stage.models.champions = {"champion": "2"}
    stage.begin()
    return stage


def test_a_camera_keeps_its_password_through_a_change(old: Old) -> None:
    (bridge,) = [one for one in old.service.cameras() if one.id == "bridge"]
    document = {"id": "bridge", "uri": bridge.uri, "city": "kingsport"}
    assert old.service.put_camera(document, "ann", new=False).city == "kingsport"
    (change,) = [one for one in newest_changes(old.ledger) if one.camera_id == "bridge"]
    assert change.document is not None
    assert change.document["uri"] == old.wrote["addresses"]["bridge"]


def test_a_parked_learning_run_is_resumed_with_its_plan(old: Old) -> None:
    run = old.service.resume_learning("ann")
    assert (run.id, run.step) == (old.wrote["learning"][0]["id"], "training")
    plan = read_plan(old.settings, list_learning(old.ledger)[0].name)
    assert plan is not None
    assert plan.request.wanted == ("night",)
    assert len(load_dataset(old.store, plan.dataset)) == len(old.wrote["dataset"]["images"])
    assert find_model(str(plan.champion), old.settings).checkpoint is not None


def test_after_a_dropped_run_another_begins(old: Old) -> None:
    assert old.service.drop_learning("ann").step == "dropped"
    assert old.service.confirm_labels(suspect=True) > 0  # there is nothing else to learn from
    assert old.service.learn("ann").id > old.wrote["learning"][0]["id"]


def test_the_open_rollout_is_rolled_back_by_hand(old: Old) -> None:
    wrote = old.wrote["rollouts"][0]
    assert old.service.steer_rollout("roll back", "ann").wanted == "roll back"
    stage = restarted(old)
    stage.look()
    assert (stage.state, stage.reason) == ("rolled back", "by hand")
    assert stage.rollout.id == wrote["view"]["id"]
    assert len(list_decisions(old.ledger, stage.rollout.id)) == wrote["decisions"] + 1
    assert stage.rollout.summary["frames"] == wrote["view"]["evidence"]["frames"]
    stage.close()


def test_the_open_rollout_goes_on_to_its_promotion(old: Old) -> None:
    wrote = old.wrote["rollouts"][0]
    stage = restarted(old)
    ended = stage.until_over()
    assert (ended.id, ended.state) == (wrote["view"]["id"], "promoted")
    assert ended.summary["frames"] > wrote["evidence"]["frames"]
    assert stage.models.champions == {"champion": "5"}
    stage.close()


def test_another_rollout_is_asked_for_once_that_one_is_over(old: Old) -> None:
    old.service.steer_rollout("roll back", "ann")
    stage = restarted(old)
    stage.look()
    stage.close()
    asked = old.service.start_rollout("challenger", None, "ann")
    assert (asked.model, asked.champion, asked.state) == ("5", "2", "running")


def test_frames_are_pushed_answered_and_learned_from(old: Old, tiny: Path) -> None:
    wrote = old.wrote["queue"]
    environment = {"STREETLOOP_HOME": str(old.settings.home), "STREETLOOP_MODEL": str(tiny)}
    for command in ("pull", "push"):
        CliRunner().invoke(app, ["label", command, "--labeler", "oracle"], env=environment)
    counts = old.service.queue().counts
    assert counts["pushed"] == wrote["pending"] - 1, "the oracle does not know a real camera"
    labeled = list_reviews(old.ledger, [ReviewState.LABELED])
    (answered,) = [one for one in labeled if one.labeler == "oracle"]
    assert answered.label
    assert counts["rejected"] == wrote["rejected"] + 1, "a frame of a real camera is declined"

    champion = open_registry(old.settings).find(CHAMPION)
    material = gather_material(old.settings, old.ledger, champion, "goes on", {})
    before = {one["image"] for one in old.wrote["dataset"]["images"]}
    assert {one.image for one in material.dataset.examples} == before | {r.digest for r in labeled}
    mark_learned(old.ledger, material.dataset)
    assert old.service.queue().counts["in dataset"] == wrote["in dataset"] + len(labeled)


def test_candidates_are_chosen_or_expire(old: Old, tiny: Path) -> None:
    wrote = old.wrote["queue"]
    queue = ReviewQueue(old.ledger, FakeClock(LEFT))
    assert queue.choose(100) == 0, "nobody knows the class names of the model that found them"
    older_frames(old.settings, old.ledger, [open_model(str(tiny), old.settings.models)], None).settle()
    assert queue.choose(100) > 0
    late = ReviewQueue(old.ledger, FakeClock(LEFT + timedelta(days=30)))
    assert len(late.expire()) == wrote["candidate"] + wrote["pending"]


def test_a_version_is_registered_beside_the_old_ones(old: Old, tiny: Path) -> None:
    registry = open_registry(old.settings)
    number = register_tiny(registry, tiny)
    assert number == len(old.wrote["models"]) + 1
    registry.set_alias("challenger", number)
    assert find_model("challenger", old.settings).onnx.read_bytes() == tiny.read_bytes()


@pytest.mark.usefixtures("then")
def test_the_watch_goes_on_and_ends_the_open_drift_and_the_frozen_picture(old: Old) -> None:
    cameras, said = ("bridge", "crossing"), list[str]()
    watch = LiveWatch(cameras, old.settings, old.store, old.ledger, None, said.append)
    for one in breathing(100, start=LEFT - timedelta(hours=2)):
        watch.take([replace(one, camera_id=camera) for camera in cameras])
    watch.close()
    assert not watch.faults
    (finding,) = list_findings(old.ledger, "bridge")
    assert finding.closed_at is not None
    assert list_events(old.ledger, only_open=True) == []
    assert any("as before" in sentence for sentence in said)
