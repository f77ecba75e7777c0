"""Boxes in pixels of the model's input become boxes in pixels of the frames, once."""

import numpy as np
import pytest

from flows.stream.inference.batch import Batch
from flows.stream.inference.batching import pack
from serve.detector.client import Answer
from streetloop.types import ArrayPicture, Detections
from tests.support.stream_flow.build import find_white, found, frame, plain, with_square
from train.model.preprocess import Letterbox

_IMAGE_SIZE = 64


def _answer(*detections: Detections) -> Answer:
    return Answer("model-7", list(detections), 0.25, "onnx/fp32")


def test_boxes_of_a_packed_batch_lead_back_to_the_frames() -> None:
    frames = [frame(0, picture=plain(64, 40)), frame(1, picture=plain(128, 80))]
    whole = found((0, 12, 64, 52))
    answer = pack(frames, _IMAGE_SIZE).to_source(_answer(whole, whole), "champion")

    assert answer.detections[0].xyxy.tolist() == [[0, 0, 64, 40]]
    assert answer.detections[1].xyxy.tolist() == [[0, 0, 128, 80]]


def test_boxes_are_scaled_shifted_and_clipped_to_the_frame() -> None:
    letterbox = Letterbox(width=800, height=600, scale=0.5, left=0, top=10)
    batch = Batch([frame()], np.zeros((1, 320, 400, 3), np.uint8), [letterbox])
    answer = batch.to_source(_answer(found((100, 60, 200, 110), (-20, 0, 500, 900))), "champion")

    assert answer.detections[0].xyxy.tolist() == [[200, 100, 400, 200], [0, 0, 800, 600]]


def test_all_else_of_an_answer_stays() -> None:
    batch = pack([frame(picture=plain(64, 40))], _IMAGE_SIZE)
    detections = found((0, 12, 8, 20), (8, 20, 16, 28), confidence=[0.9, 0.2], class_id=3)
    answer = batch.to_source(_answer(detections), "challenger")

    assert (answer.application, answer.model_version, answer.seconds) == ("challenger", "model-7", 0.25)
    (converted,) = answer.detections
    assert converted.confidence.tolist() == detections.confidence.tolist()
    assert converted.class_id.tolist() == [3, 3]


def test_a_square_is_found_where_it_is_in_the_frame() -> None:
    picture = ArrayPicture(with_square(200, 100, 60, width=640, height=360))
    batch = pack([frame(picture=picture)], 320)
    answer = batch.to_source(_answer(find_white(batch.images[0])), "champion")

    np.testing.assert_allclose(answer.detections[0].xyxy, [[200, 100, 260, 160]], atol=2)


def test_an_answer_for_fewer_images_is_refused() -> None:
    batch = pack([frame(0), frame(1)], _IMAGE_SIZE)
    with pytest.raises(ValueError, match="shorter"):
        batch.to_source(_answer(found()), "champion")
