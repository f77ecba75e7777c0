"""Boxes in the JSON of other tools, several pictures, and pictures as answers."""

import io
import json
import uuid

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image as PillowImage

from serve.web.api.create import create_api
from serve.web.prediction.pictures import MAX_PICTURES
from streetloop.images import decode_image, encode_jpeg, encode_png
from streetloop.types import Detections, Image
from tests.support.control_service import HERE, guard_of, problem_of

JPEG = {"content-type": "image/jpeg"}
NAMES = ("car", "bus")
XYXY = np.array([[1.123456789, 2, 30.5, 40], [3, 4, 50, 47], [0, 0, 5, 5]], np.float32)
CONFIDENCE = np.array([0.912345678, 0.5, 0.2], np.float32)
CLASS_ID = np.array([1, 0, 0])


async def detect(image: Image) -> tuple[str, Detections]:
    """Boxes in the upper left, of a model whose version tells the width of the picture."""
    return f"tiny-{image.shape[1]}", Detections(XYXY, CONFIDENCE, CLASS_ID)


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_api(detect, NAMES, 0.25, guard_of(None)), base_url=f"http://{HERE}")


def _picture(width: int = 64, height: int = 48) -> bytes:
    return encode_jpeg(np.full((height, width, 3), 128, np.uint8))


def _form(*pictures: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    return [("image", (f"{number}.jpg", data)) for number, data in enumerate(pictures)]


def test_ultralytics_format_is_what_ultralytics_itself_says(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOLO_AUTOINSTALL", "false")
    import torch
    from ultralytics.engine.results import Results  # after it was told not to install packages

    boxes = np.concatenate([XYXY, CONFIDENCE[:, None], CLASS_ID[:, None]], axis=1)[:2]
    blank = np.zeros((48, 64, 3), np.uint8)
    theirs = Results(blank, "a.jpg", dict(enumerate(NAMES)), torch.from_numpy(boxes.astype(np.float32)))
    answer = client.post("/predict?format=ultralytics", content=_picture(), headers=JPEG)
    assert answer.status_code == 200
    assert answer.json() == theirs.summary() != []
    assert json.dumps(answer.json()) == json.dumps(theirs.summary()), "the keys are in the same order, too"


def test_roboflow_format_has_centres_and_sizes(client: TestClient) -> None:
    answer = client.post("/predict", params={"format": "roboflow"}, content=_picture(), headers=JPEG).json()
    assert answer.keys() == {"image", "predictions"}
    assert answer["image"] == {"width": 64, "height": 48}
    first, second = answer["predictions"]
    ids = {uuid.UUID(one.pop("detection_id")) for one in (first, second)}
    assert len(ids) == 2
    assert second == {
        "x": 26.5,
        "y": 25.5,
        "width": 47,
        "height": 43,
        "confidence": 0.5,
        "class": "car",
        "class_id": 0,
    }
    assert (first["class"], first["confidence"]) == ("bus", pytest.approx(CONFIDENCE[0]))


def test_native_is_the_format_unless_another_is_asked_for(client: TestClient) -> None:
    plain = client.post("/predict", content=_picture(), headers=JPEG)
    named = client.post("/predict?format=native&annotate=0", content=_picture(), headers=JPEG)
    assert plain.json() == named.json()
    assert plain.json().keys() == {"model", "width", "height", "detections"}


@pytest.mark.parametrize("layout", ["native", "roboflow", "ultralytics"])
def test_several_pictures_are_a_list_in_their_order(client: TestClient, layout: str) -> None:
    files = _form(_picture(64), _picture(80), _picture(96))
    answers = client.post(f"/predict?format={layout}", files=files).json()
    (one,) = [client.post(f"/predict?format={layout}", files=_form(_picture(80))).json()]
    assert len(answers) == 3
    if layout == "ultralytics":
        assert answers == [one, one, one]
    else:
        widths = [answer["image"]["width"] if layout == "roboflow" else answer["width"] for answer in answers]
        assert widths == [64, 80, 96]


def test_the_largest_number_of_pictures(client: TestClient) -> None:
    most = [_picture()] * MAX_PICTURES
    assert len(client.post("/predict", files=_form(*most)).json()) == MAX_PICTURES
    said = problem_of(client.post("/predict", files=_form(*most, _picture())), 400)
    assert said == f"the form cannot be read: more than {MAX_PICTURES} files"


def test_a_broken_picture_among_several_is_named(client: TestClient) -> None:
    answer = client.post("/predict", files=_form(_picture(), b"no picture"))
    assert problem_of(answer, 400).startswith("picture 2 of 2: the body is not a picture")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "image/jpeg"),
        ("image/png", "image/png"),
        ("image/jpeg", "image/jpeg"),
        ("image/png,image/jpeg;q=0.5", "image/jpeg"),
        ("application/json", "image/jpeg"),
    ],
)
def test_annotate_answers_the_picture_with_its_boxes(
    client: TestClient, accept: str | None, kind: str
) -> None:
    gray = np.full((480, 640, 3), 128, np.uint8)
    headers = {"content-type": "image/png", **({"accept": accept} if accept else {})}
    answer = client.post("/predict?annotate=1", content=encode_png(gray), headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert f"image/{PillowImage.open(io.BytesIO(answer.content)).format}".lower() == kind
    drawn = decode_image(answer.content)
    assert drawn.shape == gray.shape
    changed = np.abs(drawn.astype(int) - 128).max(axis=2) > 40
    assert changed[46, 45], "the lower edge of a box"
    assert not changed[80:].any(), "neither box nor label is there"


@pytest.mark.parametrize(
    ("query", "pictures", "words"),
    [
        ("annotate=1", 2, "annotate=1 answers one picture, and 2 were sent"),
        ("annotate=1&format=roboflow", 1, "format=roboflow is of an answer in JSON"),
        ("format=coco", 1, "query.format: Input should be 'native', 'roboflow' or 'ultralytics'"),
        ("annotate=perhaps", 1, "query.annotate: Input should be a valid boolean"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    client: TestClient, query: str, pictures: int, words: str
) -> None:
    answer = client.post(f"/predict?{query}", files=_form(*[_picture()] * pictures))
    assert words in problem_of(answer, 422)


def test_the_description_has_every_answer(client: TestClient) -> None:
    predict = client.get("/openapi.json").json()["paths"]["/predict"]["post"]
    content = predict["responses"]["200"]["content"]
    assert content.keys() == {"application/json", "image/jpeg", "image/png"}
    assert {one["name"] for one in predict["parameters"]} == {"format", "annotate"}
    assert len(content["application/json"]["schema"]["anyOf"]) == 6


def test_a_picture_without_boxes_stays_as_it_is() -> None:
    async def see_nothing(_: Image) -> tuple[str, Detections]:
        return "tiny", Detections.empty()

    client = TestClient(create_api(see_nothing, NAMES, 0.25, guard_of(None)), base_url=f"http://{HERE}")
    gray = np.full((48, 64, 3), 128, np.uint8)
    body = cv2.imencode(".png", gray)[1].tobytes()
    answer = client.post("/predict?annotate=1", content=body, headers={"accept": "image/png"} | JPEG)
    assert (decode_image(answer.content) == gray).all()
    assert client.post("/predict?format=ultralytics", content=body, headers=JPEG).json() == []
