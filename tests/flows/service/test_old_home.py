"""A home that version 0.1.0 left: everything in it is read, with the values that were written."""

import hashlib
from typing import Any

import pyarrow.parquet as pq
import pytest

from drift.period_log import cameras_in, read_periods
from flows.learning.training_plan import finished_version
from serve.rollout.policy import Policy
from serve.rollout.statistics.evidence import Evidence
from streetloop.boxes import boxes_to_json
from streetloop.cameras.camera_file import parse_camera
from streetloop.errors import NotFound
from streetloop.images import decode_image
from streetloop.ledger.cameras import newest_changes
from streetloop.ledger.findings import list_findings
from streetloop.ledger.reviews import ReviewState, find_reviews, list_reviews
from streetloop.ledger.rollouts import list_rollouts
from tests.support.samples.old_home import Old, require
from tests.support.samples.old_home import then as then
from tests.support.samples.tiny_model import NAMES
from train.data.dataset import load_dataset
from train.model.drift_reference import training_past
from train.model.find_model import find_model, open_registry


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Old:
    return Old(tmp_path_factory.mktemp("old"))


def shown(views: Any) -> Any:
    return [view.model_dump(mode="json") for view in views]


# The ledger


def test_cameras_are_those_of_the_file_as_they_were_changed(old: Old) -> None:
    require(shown(old.service.cameras()), old.wrote["cameras"])
    changed = {one.camera_id: one.document for one in newest_changes(old.ledger)}
    for name, address in old.wrote["addresses"].items():
        document = changed.pop(name)
        assert address == (None if document is None else parse_camera(document).uri.reveal())
    assert not changed


def test_events_that_ended_and_events_that_go_on(old: Old) -> None:
    every = old.service.events(None, None, only_open=False, offset=0, limit=100).items
    require(shown(every), old.wrote["events"])
    going_on = old.service.events(None, None, only_open=True, offset=0, limit=100).items
    assert {one.id for one in going_on} == {
        one["id"] for one in old.wrote["events"] if one["ended_at"] is None
    }


def test_findings(old: Old) -> None:
    found = list_findings(old.ledger)
    for one, wrote in zip(found, old.wrote["findings"], strict=True):
        require([one.since.isoformat(), one.opened_at.isoformat()], [wrote["since"], wrote["opened"]])
        assert (one.closed_at and one.closed_at.isoformat()) == wrote["closed"]
        assert (one.camera_id, one.cause_names, one.asks_for_labels) == (
            wrote["camera"],
            wrote["causes"],
            wrote["labels help"],
        )
        assert one.model_version == wrote["model"]
        require(dict(one.features), wrote["features"])


@pytest.mark.usefixtures("then")
def test_drift(old: Old) -> None:
    views = {one.camera_id: one for one in old.service.drift()}
    said = old.asked("drift")
    assert said.keys() == {"a40", "bridge", "crossing"}
    assert views.keys() == said.keys() | {"gantry"}, "of the file, and never watched"
    for wrote in old.wrote["findings"]:
        view = views[wrote["camera"]]
        assert view.drifts == (wrote["closed"] is None)
        assert [cause.name for cause in view.causes] == ([] if wrote["closed"] else wrote["causes"])
        require(said[wrote["camera"]], {k: wrote[k] for k in ("since", "opened", "closed", "causes")})
        require(said[wrote["camera"]], "own past")
    assert "bridge" in old.service.drift_page()


def test_the_queue(old: Old) -> None:
    counts = old.wrote["queue"]
    assert all(counts.values()), "there is a frame in every state"
    require(old.service.queue().counts, counts)
    require(old.asked("label", "status"), counts)


def test_reviews_with_boxes_and_labels(old: Old) -> None:
    wrote = {one["digest"]: one for one in old.wrote["reviews"]}
    reviews = list_reviews(old.ledger, list(ReviewState))
    assert {one.digest for one in reviews} == wrote.keys()
    for one in reviews:
        plain = {name: getattr(one, name) for name in one.__dataclass_fields__}
        plain |= {"captured_at": one.captured_at.isoformat(), "boxes": boxes_to_json(one.boxes)}
        plain |= {"label": None if one.label is None else boxes_to_json(one.label)}
        require(plain, wrote[one.digest])
        assert len(one.embedding) > len(one.fingerprint) > 0
    for state, count in old.wrote["queue"].items():
        views = old.service.reviews(state, 0, 100).items
        assert len(views) == count
        for view in views:
            wanted = {k: wrote[view.digest][k] for k in ("camera", "score", "model", "captured")}
            require(view.model_dump(mode="json"), wanted)


def test_images_of_reviews(old: Old) -> None:
    for one in old.wrote["reviews"]:
        if one["state"] == "expired":
            with pytest.raises(NotFound, match="expired"):
                old.service.review_image(one["digest"])
            continue
        data = old.service.review_image(one["digest"])
        assert hashlib.sha256(data).hexdigest() == one["digest"]
        image = decode_image(data)
        assert [image.shape[1], image.shape[0]] == one["size"]


def test_learning_runs_with_their_plans(old: Old) -> None:
    wrote = old.wrote["learning"]
    assert {one["step"] for one in wrote} == {"promoted", "rolled back", "refused", "dropped", "parked"}
    require(shown(old.service.learning(0, 100).items), wrote)
    said = [{k: v for k, v in one.items() if k != "step_at"} for one in wrote]
    require(old.asked("learn", "status"), said)
    for name, version in old.wrote["plans"].items():
        assert finished_version(old.settings, name) == version


def test_rollouts_with_decisions_policy_and_evidence(old: Old) -> None:
    wrote = old.wrote["rollouts"]
    assert [one["view"]["state"] for one in wrote] == ["running", "rolled back", "promoted"]
    require(old.asked("rollout", "status"), wrote[0]["view"])
    rollouts = list_rollouts(old.ledger)
    for one, rollout in zip(wrote, rollouts, strict=True):
        view = old.service.rollout(rollout.id)
        require(view.model_dump(mode="json"), one["view"])
        require(old.asked("rollout", "report", str(rollout.id)), one["view"])
        assert len(view.decisions) == one["decisions"]
        assert list(Policy(**rollout.policy).steps) == one["steps"]
        assert rollout.phase_frames == one["phase frames"]
        if one["evidence"] is not None:
            require(Evidence.from_json(rollout.evidence or {}).as_json(), one["evidence"])


# The object store


def test_minutes_of_every_camera(old: Old) -> None:
    assert cameras_in(old.store) == sorted(old.wrote["minutes"])
    for name, wrote in old.wrote["minutes"].items():
        found = list(read_periods(old.store, name, pictures=True))
        assert len(found) == wrote["count"]
        for at, one in enumerate((found[0], found[-1])):
            assert one.started_at.isoformat() == wrote["began"][at]
            assert one.values["brightness"] == wrote["brightness"][at]
            assert one.mix["car"] == wrote["cars"][at]
        for key, kept in (("pictures", "picture"), ("lines", "edges")):
            assert sum(getattr(one, kept) is not None for one in found) == wrote[key] > 0
        assert sum(one.still for one in found) == wrote["still"]


def test_the_dataset_with_its_images(old: Old) -> None:
    wrote = old.wrote["dataset"]
    dataset = load_dataset(old.store, wrote["digest"])
    assert dataset.digest == wrote["digest"]
    for one, example in zip(wrote["images"], dataset.examples, strict=True):
        boxes = [[box.class_id, *box.xyxy] for box in example.boxes]
        assert (example.image, example.split, boxes) == (one["image"], one["split"], one["boxes"])
        assert (example.camera_id, example.labeler) == (one["camera"], one["labeler"])
        assert list(example.slices) == one["slices"]
        assert hashlib.sha256(old.store.get(example.key)).hexdigest() == example.image
    known = find_reviews(old.ledger, [one["image"] for one in wrote["images"]])
    assert {review.dataset for review in known} == {wrote["digest"]}


def test_the_detection_log(old: Old) -> None:
    table = pq.read_table(old.store.uri("detections"), partitioning=None)
    rows = table.to_pylist()
    for row in rows:
        row["captured_at"] = row["captured_at"].isoformat()
    assert rows == old.wrote["detections"]
    silent = [key for key in old.store.keys("detections/") if "camera=gantry" in key]
    assert len(silent) == 1


# The registry


def test_versions_with_papers_and_aliases(old: Old) -> None:
    require(shown(old.service.models()), old.wrote["models"])
    said = [
        {k: one[k] for k in ("number", "aliases", "parent", "dataset", "scores", "verdict")}
        for one in old.wrote["models"]
    ]
    require(old.asked("models"), said)
    aliases = {alias: one["number"] for one in old.wrote["models"] for alias in one["aliases"]}
    assert {"champion", "challenger"} <= aliases.keys()
    registry = open_registry(old.settings)
    for alias, number in aliases.items():
        assert registry.find(alias).number == number
    accepted = {v.number: v.record.accepted for v in registry.versions()}
    assert accepted == {1: None, 2: True, 3: True, 4: False, 5: True}


def test_lineage(old: Old) -> None:
    require(shown(old.service.lineage("challenger")), old.wrote["lineage"])
    require(old.asked("lineage", "challenger"), old.wrote["lineage"])


@pytest.mark.parametrize("name", ["1", "champion", "challenger"])
def test_a_version_is_fetched_with_checkpoint_and_reference_of_drift(old: Old, name: str) -> None:
    model = find_model(name, old.settings)
    assert model.names == NAMES
    assert model.onnx.is_file()
    assert model.checkpoint is not None
    assert "stands for the weights" in model.checkpoint.read_text()
    past = training_past(model)
    assert past is not None
    assert len(past.values) == 5
