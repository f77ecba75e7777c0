"""Figures on real weights and labeled photographs: ours beside the reference's."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest

from streetloop.storage.store import FolderStore
from streetloop.types import Detections
from tests.support.material import material
from train.data.dataset import Dataset, Example
from train.data.formats import read_yolo
from train.evaluation.coco_map import coco_map
from train.evaluation.metrics import class_map, translated
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile, open_model
from train.model.predictions import MIN_CONFIDENCE, predict_examples, read_image
from train.model.predictor import Predictor

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    return FolderStore(tmp_path_factory.mktemp("photographs"))


@pytest.fixture(scope="module")
def photographs(store: FolderStore) -> Dataset:
    return read_yolo(material("datasets/coco128_val/coco128_val.yaml"), store)


@pytest.fixture(scope="module")
def model(weights: Path, model_cache: Path) -> ModelFile:
    return open_model(str(weights), model_cache)


@pytest.fixture(scope="module")
def found(model: ModelFile, photographs: Dataset, store: FolderStore) -> list[Detections]:
    classes = class_map(model.names, photographs.classes)
    return predict_examples(model, photographs.examples, store, classes)


def test_the_map_is_that_of_pycocotools(photographs: Dataset, found: list[Detections]) -> None:
    truth = [example.truth() for example in photographs.examples]
    ours = coco_map(truth, found)
    assert len(photographs) == 128
    assert ours.map50_95 > 0.4, "or there was nothing to compare"
    assert (ours.map50_95, ours.map50) == pytest.approx(_pycocotools(truth, found), abs=1e-6)


def test_what_may_be_missed_counts_as_pycocotools_has_it(
    photographs: Dataset, found: list[Detections]
) -> None:
    """Every third thing is a crowd: neither wrong to find nor wrong to miss."""
    whole = [example.truth() for example in photographs.examples]
    truth = [one.take(np.arange(len(one)) % 3 > 0) for one in whole]
    crowds = [one.take(np.arange(len(one)) % 3 == 0) for one in whole]
    ours = coco_map(truth, found, crowds)
    reference = _pycocotools(truth, found, crowds)
    assert (ours.map50_95, ours.map50) == pytest.approx(reference, abs=1e-6)
    assert reference != pytest.approx(_pycocotools(truth, found), abs=1e-3)


def test_the_exported_model_finds_what_the_checkpoint_finds(
    model: ModelFile, photographs: Dataset, store: FolderStore, found: list[Detections]
) -> None:
    classes = class_map(model.names, photographs.classes)
    checkpoint = Predictor(model, open_backend(model, "torch"))
    theirs = [_seen(checkpoint, example, store, classes) for example in photographs.examples]
    assert any(
        not np.array_equal(one.confidence, other.confidence) for one, other in zip(found, theirs, strict=True)
    ), "or the same thing was asked twice"
    truth = [example.truth() for example in photographs.examples]
    exported, trained = coco_map(truth, found), coco_map(truth, theirs)
    assert exported.map50_95 == pytest.approx(trained.map50_95, abs=0.003)
    assert exported.map50 == pytest.approx(trained.map50, abs=0.003)


def _seen(predictor: Predictor, example: Example, store: FolderStore, classes: dict[int, int]) -> Detections:
    image = read_image(example, store)
    return translated(predictor.predict(image, MIN_CONFIDENCE, multi_label=True), classes)


def _pycocotools(
    truth: list[Detections], found: list[Detections], crowds: list[Detections] | None = None
) -> tuple[float, float]:
    """mAP50-95 and mAP50 by the reference implementation."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    coco = COCO()
    things = [(k, d, 0) for k, d in enumerate(truth)] + [(k, d, 1) for k, d in enumerate(crowds or [])]
    annotations = [
        {**row, "area": row["bbox"][2] * row["bbox"][3], "iscrowd": crowd}
        for image, boxes, crowd in things
        for row in _rows(image, boxes)
    ]
    coco.dataset = {
        "images": [{"id": k} for k in range(len(truth))],
        "categories": [{"id": k} for k in range(80)],
        "annotations": [{**row, "id": n} for n, row in enumerate(annotations, start=1)],
    }
    answers = [row for image, boxes in enumerate(found) for row in _rows(image, boxes)]
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(answers), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[1])


def _rows(image: int, boxes: Detections) -> list[dict[str, float | list[float]]]:
    return [
        {"image_id": image, "category_id": k, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score}
        for (x1, y1, x2, y2), k, score in zip(
            boxes.xyxy.astype(float).tolist(), boxes.class_id.tolist(), boxes.confidence.tolist(), strict=True
        )
    ]
