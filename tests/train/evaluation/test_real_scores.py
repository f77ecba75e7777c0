"""Figures on real weights and labeled photographs: ours beside the reference's."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest

from streetloop.types import Detections
from tests.support.material import material
from train.data.dataset import Dataset, Example
from train.data.formats import ImagesInPlace, ImportedDataset, read_yolo
from train.evaluation.coco_map import coco_map
from train.evaluation.metrics import class_map, translated
from train.evaluation.ultralytics_map import ultralytics_map
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile, open_model
from train.model.predictions import MIN_CONFIDENCE, predict_examples, read_image
from train.model.predictor import Predictor

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def imported() -> ImportedDataset:
    return read_yolo(material("datasets/coco128_val/coco128_val.yaml"))


@pytest.fixture(scope="module")
def store(imported: ImportedDataset) -> ImagesInPlace:
    return ImagesInPlace(imported.files)


@pytest.fixture(scope="module")
def photographs(imported: ImportedDataset) -> Dataset:
    return imported.dataset


@pytest.fixture(scope="module")
def model(weights: Path, model_cache: Path) -> ModelFile:
    return open_model(str(weights), model_cache)


@pytest.fixture(scope="module")
def found(model: ModelFile, photographs: Dataset, store: ImagesInPlace) -> list[Detections]:
    classes = class_map(model.names, photographs.classes)
    return predict_examples(model, photographs.examples, store, classes)


def test_the_map_is_that_of_pycocotools(photographs: Dataset, found: list[Detections]) -> None:
    truth = [example.truth() for example in photographs.examples]
    ours = coco_map(truth, found)
    assert len(photographs) == 128
    assert ours.map50_95 > 0.4, "or there was nothing to compare"
    assert (ours.map50_95, ours.map50) == pytest.approx(_pycocotools(truth, found), abs=1e-6)


def test_ultralytics_map_is_what_its_own_validator_computes(
    photographs: Dataset, found: list[Detections]
) -> None:
    """Its validator's matching and curves, on the same boxes."""
    truth = [example.truth() for example in photographs.examples]
    ours = ultralytics_map(truth, found)
    assert (ours.map50_95, ours.map50) == pytest.approx(_ultralytics(truth, found), abs=1e-6)
    assert coco_map(truth, found).map50_95 - ours.map50_95 == pytest.approx(0.003, abs=0.002)


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
    model: ModelFile, photographs: Dataset, store: ImagesInPlace, found: list[Detections]
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


def _seen(
    predictor: Predictor, example: Example, store: ImagesInPlace, classes: dict[int, int]
) -> Detections:
    image = read_image(example, store)
    return translated(predictor.predict(image, MIN_CONFIDENCE, multi_label=True), classes)


def _ultralytics(truth: list[Detections], found: list[Detections]) -> tuple[float, float]:
    """mAP50-95 and mAP50 by the parts of Ultralytics' validator."""
    import torch
    from ultralytics.models.yolo.detect import DetectionValidator
    from ultralytics.utils.metrics import DetMetrics

    validator = object.__new__(DetectionValidator)  # its own start asks for a model and folders
    validator.iouv, validator.niou = torch.linspace(0.5, 0.95, 10), 10
    metrics = DetMetrics({k: str(k) for k in range(80)})
    for there, seen in zip(truth, found, strict=True):
        order = np.argsort(-seen.confidence, kind="stable")
        one, other = (
            {"bboxes": torch.from_numpy(d.xyxy), "cls": torch.from_numpy(d.class_id)}
            for d in (seen.take(order), there)
        )
        matched = validator._process_batch(one, other)
        metrics.update_stats(
            {
                **matched,
                "conf": seen.confidence[order],
                "pred_cls": seen.class_id[order],
                "target_cls": there.class_id,
                "target_img": np.unique(there.class_id),
                "im_name": "",
            }
        )
    metrics.process()
    return float(metrics.box.map), float(metrics.box.map50)


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
