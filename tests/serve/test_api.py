import asyncio
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from serve.api import create_api
from serve.images import MAX_BYTES
from streetloop.errors import DetectorError
from streetloop.types import Detections, Image

JPEG = {"content-type": "image/jpeg"}
SEEN = Detections(
    np.array([[1, 2, 30, 40], [0, 0, 5, 5]], np.float32),
    np.array([0.9, 0.2], np.float32),
    np.array([1, 0]),
)


async def detect(image: Image) -> tuple[str, Detections]:
    assert image.shape == (48, 64, 3)
    return "tiny-1", SEEN


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_api(detect, ("car", "bus"), 0.25, None))


@pytest.fixture(scope="module")
def picture() -> bytes:
    encoded, data = cv2.imencode(".jpg", np.full((48, 64, 3), 128, np.uint8))
    assert encoded
    return data.tobytes()


@pytest.mark.parametrize("form", [False, True])
def test_a_picture_is_answered(client: TestClient, picture: bytes, form: bool) -> None:
    answer = (
        client.post("/predict", files={"image": ("a.jpg", picture, "image/jpeg")})
        if form
        else client.post("/predict", content=picture, headers=JPEG)
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "model": "tiny-1",
        "width": 64,
        "height": 48,
        # The weak box is below the confidence that the API answers with.
        "detections": [
            {
                "class_id": 1,
                "class_name": "bus",
                "confidence": pytest.approx(0.9),
                "xyxy": [1, 2, 30, 40],
            }
        ],
    }


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b"", "image/jpeg", 400, "empty"),
        (b"no picture", "image/png", 400, "not a picture"),
        (b"{}", "application/json", 415, "application/json"),
        (b"x", "", 415, "nothing"),
        (b"x", "multipart/form-data; boundary=b", 400, "form"),
        (b"0" * (MAX_BYTES + 1), "image/jpeg", 413, "32 MB"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(
    client: TestClient, body: bytes, kind: str, status: int, words: str
) -> None:
    answer = client.post("/predict", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert words in answer.json()["detail"]


def test_a_truncated_picture_never_reaches_a_5xx(client: TestClient, picture: bytes) -> None:
    for length in (10, 100, len(picture) // 2):
        answer = client.post("/predict", content=picture[:length], headers=JPEG)
        # Decoders fill the missing part of a JPEG with gray; that is an answer too.
        assert answer.status_code in {200, 400}


def test_a_body_without_a_stated_length_is_bounded_too(client: TestClient) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(MAX_BYTES // 2**20 + 2):
            yield b"\xff" * 2**20

    answer = client.post("/predict", content=endless(), headers=JPEG)
    assert answer.status_code == 413


def test_a_form_without_a_file(client: TestClient) -> None:
    answer = client.post("/predict", files={"note": (None, "hello")})
    assert answer.status_code == 400
    assert "no file" in answer.json()["detail"]


def test_a_detector_that_is_away_is_a_503(picture: bytes) -> None:
    async def away(_: Image) -> tuple[str, Detections]:
        await asyncio.sleep(0)
        raise DetectorError("no answer within 30 s")

    answer = TestClient(create_api(away, ("car",), 0.25, None)).post(
        "/predict", content=picture, headers=JPEG
    )
    assert answer.status_code == 503
    assert "no answer within 30 s" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("header", "status"),
    [(None, 401), ("Bearer wrong", 401), ("secret", 401), ("Bearer secret", 200)],
)
def test_with_a_token_only_its_holder_may_ask(
    picture: bytes, header: str | None, status: int
) -> None:
    client = TestClient(create_api(detect, ("car", "bus"), 0.25, "secret"))
    headers = JPEG | ({"authorization": header} if header else {})
    answer = client.post("/predict", content=picture, headers=headers)
    assert answer.status_code == status
    assert "secret" not in answer.text
    assert client.get("/health").status_code == 200


def test_unknown_paths_and_methods_are_problems_too(client: TestClient) -> None:
    for answer in (client.get("/nothing"), client.get("/predict")):
        assert answer.status_code in {404, 405}
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_description_lists_what_can_go_wrong(client: TestClient) -> None:
    predict = client.get("/openapi.json").json()["paths"]["/predict"]["post"]
    assert {"200", "400", "401", "413", "415", "503"} <= predict["responses"].keys()
    assert "multipart/form-data" in predict["requestBody"]["content"]
