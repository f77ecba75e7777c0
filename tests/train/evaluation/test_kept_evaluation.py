"""What is kept of an evaluation: little, bounded, and enough to say what was found where."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from streetloop.boxes import Box
from streetloop.errors import StoreError
from streetloop.storage.store import FolderStore
from streetloop.types import Detections
from tests.train.data.test_dataset import pure
from train.evaluation import kept_evaluation as module
from train.evaluation.kept_evaluation import (
    KeptEvaluation,
    evaluation_key,
    is_kept,
    keep_evaluation,
    kept_evaluation,
    load_kept_evaluation,
)
from train.evaluation.metrics import evaluate

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def of(*rows: tuple[float, float, float, float, int, float]) -> Detections:
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Detections(
        table[:, :4].astype(np.float32), table[:, 5].astype(np.float32), table[:, 4].astype(np.int64)
    )


CAR, BUS = (1, 2, 11, 12), (20, 20, 30, 30)


def test_the_area_under_a_curve_is_coco_s_map50(store: FolderStore) -> None:
    dataset = pure(store)
    rng = np.random.default_rng(3)
    found = [
        of((*CAR, 0, rng.random()), (*BUS, 0, rng.random()), (*BUS, int(rng.random() < 0.6), rng.random()))
        for _ in dataset.examples
    ]
    report = evaluate(dataset, dataset.examples, found)
    kept = kept_evaluation(report, dataset.examples, found)
    areas = {name: np.mean([one or 0.0 for one in curve]) for name, curve in kept.curves.items()}
    assert areas == {name: pytest.approx(m.map50, abs=1e-4) for name, m in report.by_class.items()}
    assert 0 < areas["car"] < 1
    assert 0 < areas["bus"] < 1


def test_a_frame_has_what_is_shown_and_whether_it_is_right(store: FolderStore) -> None:
    dataset = pure(store)
    unclear = (*dataset.examples[0].boxes, Box(0, (40.0, 5.0, 55.0, 15.0), ignored=True))
    examples = (replace(dataset.examples[0], boxes=unclear), *dataset.examples[1:])
    first = of(
        (*CAR, 0, 0.4),  # right
        (*CAR, 0, 0.9),  # right before it: the surer one has the match
        (*BUS, 0, 0.8),  # a bus that was taken for a car
        (41, 6, 54, 14, 0, 0.7),  # where nothing counts
        (*BUS, 1, 0.2),  # too unsure to be shown
    )
    found = [first, *(Detections.empty() for _ in examples[1:])]
    report = evaluate(dataset, examples, found)
    frame = kept_evaluation(report, examples, found).frames[0]
    assert (frame.missed, frame.false) == (1, 2)
    assert [(box.class_name, box.confidence, box.right) for box in frame.found] == [
        ("car", 0.9, True),
        ("car", 0.8, False),
        ("car", 0.4, False),
    ]
    assert [(box.class_name, box.xyxy) for box in frame.truth] == [("car", CAR), ("bus", BUS)]
    assert (frame.camera_id, frame.width, frame.height) == ("a40", 60, 40)


def test_frames_beyond_a_bound_are_left_out_evenly(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FRAMES", 3)
    dataset = pure(store)
    found = [example.truth() for example in dataset.examples]
    kept = kept_evaluation(evaluate(dataset, dataset.examples, found), dataset.examples, found)
    assert [frame.image for frame in kept.frames] == [dataset.examples[k].image for k in (0, 2, 4)]
    assert kept.images == 5


def test_only_the_newest_stay_in_the_store(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT", 2)
    kept = KeptEvaluation(curves={"car": [1.0, None]}, frames=[], images=1)
    keys = [evaluation_key(9 + number, AT + timedelta(seconds=number)) for number in range(3)]
    for key in keys:
        keep_evaluation(store, key, kept)
    assert [is_kept(store, key) for key in keys] == [False, True, True]
    assert load_kept_evaluation(store, keys[2]) == kept
    store.put(keys[2], store.get(keys[2])[:-4])
    with pytest.raises(StoreError, match="damaged"):
        load_kept_evaluation(store, keys[2])
