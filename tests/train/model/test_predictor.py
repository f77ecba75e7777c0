from pathlib import Path

import numpy as np
import pytest

from streetloop.errors import AnswerInvalid, DetectorError
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.backends.backend import random_batch
from train.model.model_file import open_model
from train.model.predictor import Predictor

ONE_CAR = detector_output((32, 32, 20, 10, 0, 0.9))
CAR_AND_BUS = np.array([[32], [32], [20], [10], [0.9], [0.6]], np.float32)


def predictor(folder: Path, answer: np.ndarray, image_size: int = 64, **metadata: str) -> Predictor:
    path = write_tiny_model(folder / "tiny.onnx", answer, metadata=metadata)
    return Predictor(open_model(str(path), folder), image_size=image_size)


def test_every_image_of_a_batch_is_answered(tmp_path: Path) -> None:
    found = predictor(tmp_path, ONE_CAR).detect(random_batch((3, 64, 96)), 0.5)
    assert [one.xyxy.tolist() for one in found] == [[[22, 27, 42, 37]]] * 3


def test_the_padding_of_a_wide_picture_is_taken_off(tmp_path: Path) -> None:
    # 64x16 becomes an input of 64x32 with 8 rows of gray above and below.
    found = predictor(tmp_path, detector_output((32, 16, 20, 10, 1, 0.9))).predict(
        np.zeros((16, 64, 3), np.uint8), 0.5
    )
    assert found.xyxy.tolist() == [[22, 3, 42, 13]]
    assert found.class_id.tolist() == [1]


def test_boxes_end_at_the_edges_of_the_picture(tmp_path: Path) -> None:
    found = predictor(tmp_path, detector_output((32, 32, 500, 500, 0, 0.9))).predict(
        np.zeros((100, 200, 3), np.uint8), 0.5
    )
    assert found.xyxy.tolist() == [[0, 0, 200, 100]]


def test_sides_of_the_input_are_multiples_of_the_models_stride(tmp_path: Path) -> None:
    # With a stride of 64 there are 24 rows of gray above the picture, not 8.
    picture = np.zeros((16, 64, 3), np.uint8)
    answer = detector_output((32, 32, 20, 10, 0, 0.9))
    found = predictor(tmp_path, answer, stride="64").predict(picture, 0.5)
    assert found.xyxy.tolist() == [[22, 3, 42, 13]]


@pytest.mark.parametrize(("multi_label", "classes"), [(False, [0]), (True, [0, 1])])
def test_a_box_stands_for_several_classes_only_when_asked(
    tmp_path: Path, multi_label: bool, classes: list[int]
) -> None:
    found = predictor(tmp_path, CAR_AND_BUS).predict(
        np.zeros((64, 64, 3), np.uint8), 0.5, multi_label=multi_label
    )
    assert found.class_id.tolist() == classes


def test_the_metadata_say_whether_the_model_selects_its_boxes_itself(tmp_path: Path) -> None:
    rows = np.array([[1, 2, 30, 40, 0.9, 1], [1, 2, 30, 40, 0.8, 1]], np.float32)
    found = predictor(tmp_path, rows, end2end="True").predict(np.zeros((64, 64, 3), np.uint8), 0.5)
    assert found.xyxy.tolist() == [[1, 2, 30, 40]] * 2


def test_objectness_weighs_the_score_of_a_class(tmp_path: Path) -> None:
    rows = np.array([[32, 32, 20, 10, 0.9, 0.2, 0.8], [32, 32, 20, 10, 0.1, 1.0, 1.0]], np.float32)
    found = predictor(tmp_path, rows).predict(np.zeros((64, 64, 3), np.uint8), 0.5)
    assert found.xyxy.tolist() == [[22, 27, 42, 37]]
    assert found.class_id.tolist() == [1]
    assert found.confidence.tolist() == pytest.approx([0.72])


def test_a_class_that_the_model_does_not_name_is_an_error(tmp_path: Path) -> None:
    rows = np.array([[1, 2, 30, 40, 0.9, 2]], np.float32)
    with pytest.raises(AnswerInvalid, match="a class that it does not name"):
        predictor(tmp_path, rows, end2end="True").detect(random_batch((1, 64, 64)), 0.5)


def fixed(folder: Path, size: tuple[int, int, int]) -> Predictor:
    path = write_tiny_model(folder / "tiny.onnx", ONE_CAR, size=size)
    return Predictor(open_model(str(path), folder), image_size=640)


@pytest.mark.parametrize("batch", [1, 2, 4])
@pytest.mark.parametrize("images", [1, 3, 4, 5])
def test_a_fixed_batch_answers_any_number_of_images(batch: int, images: int, tmp_path: Path) -> None:
    found = fixed(tmp_path, (batch, 64, 96)).detect(random_batch((images, 64, 96)), 0.5)
    assert [one.xyxy.tolist() for one in found] == [[[22, 27, 42, 37]]] * images


def test_a_fixed_size_takes_pictures_of_every_size(tmp_path: Path) -> None:
    model = fixed(tmp_path, (1, 64, 64))
    assert model.predict(np.zeros((128, 128, 3), np.uint8), 0.5).xyxy.tolist() == [[44, 54, 84, 74]]
    assert model.predict(np.zeros((64, 128, 3), np.uint8), 0.5).xyxy.tolist() == [[44, 22, 84, 42]]


def test_images_that_were_letterboxed_for_another_model_are_fitted_and_boxes_are_in_their_pixels(
    tmp_path: Path,
) -> None:
    # 128x64 is halved and padded by 16 rows above and below.
    found = fixed(tmp_path, (1, 64, 64)).detect(random_batch((2, 64, 128)), 0.5)
    assert [one.xyxy.tolist() for one in found] == [[[44, 22, 84, 42]]] * 2


def test_a_weaker_box_than_asked_for_is_left_out(tmp_path: Path) -> None:
    assert len(predictor(tmp_path, ONE_CAR).predict(np.zeros((64, 64, 3), np.uint8), 0.95)) == 0


def test_pixels_that_the_model_cannot_take_are_a_detector_error(tmp_path: Path) -> None:
    with pytest.raises(DetectorError):
        predictor(tmp_path, ONE_CAR).detect(np.zeros((1, 64, 64, 1), np.uint8), 0.5)
