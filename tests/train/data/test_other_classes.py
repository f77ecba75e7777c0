"""Datasets of some classes, learned by a model that knows more."""

import numpy as np
import pytest

from streetloop.boxes import Box
from streetloop.errors import DatasetError
from streetloop.types import Detections
from train.data.dataset import TRAIN, VALIDATION, Dataset, Example
from train.data.other_classes import completed, with_classes

COCO = ("person", "bicycle", "car")
CAR = (10.0, 10.0, 50.0, 40.0)


def _dataset(classes: tuple[str, ...], *boxes: Box) -> Dataset:
    examples = tuple(Example(split, split, 100, 80, boxes, split) for split in (TRAIN, VALIDATION))
    return Dataset(classes, examples)


def test_classes_are_matched_by_name_and_by_the_map() -> None:
    found = with_classes(
        _dataset(("car", "bike"), Box(0, CAR), Box(1, CAR)), COCO, {"bike": "bicycle"}
    ).examples[0]
    assert [box.class_id for box in found.boxes] == [2, 1]


def test_a_class_that_the_champion_lacks_is_refused_by_name() -> None:
    with pytest.raises(DatasetError, match=r"boxes of 'bike'.*--map bike=CLASS"):
        with_classes(_dataset(("bike",), Box(0, CAR)), COCO, {})


def test_a_class_without_a_box_need_not_be_known() -> None:
    assert with_classes(_dataset(("car", "tram"), Box(0, CAR)), COCO, {}).classes == COCO


def test_what_nobody_labeled_keeps_the_models_boxes_where_it_is_learned() -> None:
    person, other_car = (70.0, 10.0, 80.0, 40.0), (60.0, 50.0, 90.0, 70.0)
    found = Detections(
        np.array([person, CAR, other_car], np.float32), np.full(3, 0.9, np.float32), np.array([0, 1, 2])
    )
    dataset = _dataset(COCO, Box(2, CAR))
    whole, added = completed(dataset, {TRAIN: found, VALIDATION: found}, labeled={2})
    assert added == 1, "the labeled car is no bicycle, and other cars are no objects"
    assert whole.examples[0].boxes == (Box(2, CAR), Box(0, person))
    assert whole.examples[1] == dataset.examples[1]
