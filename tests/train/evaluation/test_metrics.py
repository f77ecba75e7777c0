import json
from pathlib import Path

import numpy as np
import pytest

from streetloop.errors import DatasetError
from streetloop.storage.store import FolderStore
from streetloop.types import Detections
from tests.train.data.test_dataset import pure
from train.evaluation.metrics import class_map, evaluate, translated


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def test_a_perfect_model_has_a_map_of_one(store: FolderStore) -> None:
    dataset = pure(store)
    report = evaluate(dataset, dataset.examples, [e.truth() for e in dataset.examples])
    content = json.loads(json.dumps(report.as_json()))
    assert (content["map50"], content["map50_95"], content["images"]) == (1.0, 1.0, 5)
    assert set(content["classes"]) == {"car", "bus"}
    assert set(content["slices"]) == {"camera a40"}
    assert report.worst == ()
    assert report.confusion.tolist() == [[5, 0, 0], [0, 5, 0], [0, 0, 0]]


def test_misses_and_false_boxes_are_where_they_belong(store: FolderStore) -> None:
    dataset = pure(store)
    found = [e.truth() for e in dataset.examples]
    found[2] = Detections.empty()
    found[3] = Detections(found[3].xyxy, found[3].confidence, np.array([1, 1]))
    report = evaluate(dataset, dataset.examples, found)
    assert set(report.worst) == {2, 3}
    assert report.confusion.tolist() == [[3, 1, 1], [0, 4, 1], [0, 0, 0]]
    assert report.curves["car"].recall[-1] == pytest.approx(0.6)


def test_classes_are_matched_by_name() -> None:
    assert class_map(("person", "Car", "bus"), ("bus", "car")) == {1: 1, 2: 0}
    assert class_map(("bicycle", "car"), ("bike", "car"), {"bicycle": "bike"}) == {0: 0, 1: 1}
    assert class_map(("car", "bus"), ("vehicle",), {"car": "vehicle", "bus": "vehicle"}) == {0: 0, 1: 0}


def test_a_class_that_the_model_lacks_is_refused_with_the_way_out() -> None:
    with pytest.raises(DatasetError, match=r"no class for bike.*--map MODEL=DATASET"):
        class_map(("bicycle", "car"), ("bike", "car"))
    with pytest.raises(DatasetError, match="tram"):
        class_map(("car",), ("car",), {"tram": "car"})


def test_what_the_dataset_has_no_class_for_is_left_out() -> None:
    found = Detections(np.zeros((3, 4), np.float32), np.ones(3, np.float32), np.array([0, 1, 2]))
    assert translated(found, {2: 0, 0: 1}).class_id.tolist() == [1, 0]
