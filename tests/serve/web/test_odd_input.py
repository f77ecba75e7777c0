"""Odd models, pictures and clips: each an error of ours, or an answer."""

import contextlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from serve.web.api.create import create_api
from streetloop.errors import ModelNotFound, ModelUnsupported, StreetloopError
from streetloop.types import Detections, Image
from streetloop.video import VideoWriter
from tests.support.control_service import guard_of
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.model_file import open_model
from train.model.postprocess import decode
from train.model.preprocess import input_shape, letterbox

HERE = "http://127.0.0.1:8000"
ONE_CAR = detector_output((32, 32, 20, 10, 0, 0.9))


@pytest.mark.parametrize(("width", "height"), [(2000, 1), (1, 2000), (1281, 1)])
def test_a_very_thin_picture_has_a_letterbox(width: int, height: int) -> None:
    rows, columns = input_shape(width, height, 640)
    letterbox(np.zeros((height, width, 3), np.uint8), columns, rows)


@pytest.mark.parametrize("confidence", [0.25, 0.1])
def test_a_score_that_equals_the_threshold_reaches_it(confidence: float) -> None:
    assert len(decode(detector_output((50, 50, 20, 20, 0, confidence))[None], confidence)[0]) == 1


@pytest.mark.parametrize(
    "shape", [(3, 8), (4, 8), (9, 8)], ids=["3 rows", "no class", "more classes than names"]
)
def test_an_answer_that_does_not_fit_the_classes_is_refused(shape: tuple[int, int], tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "x.onnx", np.ones(shape, np.float32))
    with pytest.raises(ModelUnsupported, match="names 2 classes"):
        open_model(str(path), tmp_path)


def test_end2end_rows_of_five_are_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "x.onnx", np.ones((8, 5), np.float32), metadata={"end2end": "True"})
    with pytest.raises(ModelUnsupported, match="no known detector"):
        open_model(str(path), tmp_path)


@pytest.mark.parametrize(
    "metadata", [{"stride": "x"}, {"stride": "0"}, {"stride": "-32"}, {"names": "{}"}, {"names": "'abc'"}]
)
def test_metadata_that_make_no_sense(metadata: dict[str, str], tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "x.onnx", ONE_CAR, metadata=metadata)
    with pytest.raises(ModelUnsupported):
        open_model(str(path), tmp_path)


def test_no_password_in_the_message_about_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound) as caught:
        open_model("http://u:hunter2@h/x.onnx", tmp_path)
    assert "hunter2" not in str(caught.value)


def test_a_500_is_a_problem_document_too() -> None:
    async def detect(_: Image) -> tuple[str, Detections]:
        raise RuntimeError

    client = TestClient(
        create_api(detect, ("car",), 0.25, guard_of(None)), base_url=HERE, raise_server_exceptions=False
    )
    body = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    answer = client.post("/predict", content=body, headers={"content-type": "image/png"})
    assert answer.headers["content-type"] == "application/problem+json"


def test_problems_are_described_with_their_own_media_type() -> None:
    async def detect(_: Image) -> tuple[str, Detections]:
        return "x", Detections.empty()

    predict = (
        TestClient(create_api(detect, (), 0.25, guard_of(None)), base_url=HERE)
        .get("/openapi.json")
        .json()["paths"]["/predict"]["post"]
    )
    assert "application/problem+json" in predict["responses"]["400"]["content"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 20)])
def test_a_picture_of_one_pixel_is_written_or_refused(shape: tuple[int, int], tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4") as writer, contextlib.suppress(StreetloopError):
        writer.write(np.zeros((*shape, 3), np.uint8), 0.0)


def test_a_video_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StreetloopError):
        VideoWriter(tmp_path / "file" / "a.mp4")
