import re
import struct
import zlib
from collections.abc import Iterator

import cv2
import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from serve.web.api.create import create_api
from serve.web.uploads import MAX_BYTES
from streetloop.errors import DetectorError
from streetloop.types import Detections, Image
from tests.support.control_service import guard_of

HERE = "http://127.0.0.1:8000"
JPEG = {"content-type": "image/jpeg"}
SEEN = Detections(
    np.array([[1, 2, 30, 40], [0, 0, 5, 5]], np.float32), np.array([0.9, 0.2], np.float32), np.array([1, 0])
)


async def detect(image: Image) -> tuple[str, Detections]:
    assert image.shape == (48, 64, 3)
    return "tiny-1", SEEN


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_api(detect, ("car", "bus"), 0.25, guard_of(None)), base_url=HERE)


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
            {"class_id": 1, "class_name": "bus", "confidence": pytest.approx(0.9), "xyxy": [1, 2, 30, 40]}
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
        raise DetectorError("no answer within 30 s")

    answer = TestClient(create_api(away, ("car",), 0.25, guard_of(None)), base_url=HERE).post(
        "/predict", content=picture, headers=JPEG
    )
    assert answer.status_code == 503
    assert "no answer within 30 s" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("header", "status"), [(None, 401), ("Bearer wrong", 401), ("secret", 401), ("Bearer secret", 200)]
)
def test_with_a_token_only_its_holder_may_ask(picture: bytes, header: str | None, status: int) -> None:
    client = TestClient(create_api(detect, ("car", "bus"), 0.25, guard_of("secret")), base_url=HERE)
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


def refused(answer: httpx.Response, status: int) -> str:
    """The reason in a problem document of that status."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    return str(problem["detail"])


@pytest.mark.parametrize("kind", ["IMAGE/JPEG; q=1", "image/png", "application/octet-stream"])
def test_what_the_body_is_decides_and_not_what_kind_of_picture_it_claims(
    client: TestClient, picture: bytes, kind: str
) -> None:
    answer = client.post("/predict", content=picture, headers={"content-type": kind})
    assert answer.status_code == 200


def test_a_picture_that_claims_to_be_huge_is_too_large(client: TestClient) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunks = [header, b"IDAT" + zlib.compress(b"\0" * 1000), b"IEND"]
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )
    assert "pixels" in refused(
        client.post("/predict", content=bomb, headers={"content-type": "image/png"}), 413
    )


def test_a_picture_that_lacks_its_end_is_refused(client: TestClient, picture: bytes) -> None:
    answer = client.post("/predict", content=picture[:-20], headers=JPEG)
    assert "broken" in refused(answer, 400)


def test_a_stated_length_beyond_the_limit_is_refused(client: TestClient, picture: bytes) -> None:
    headers = JPEG | {"content-length": str(MAX_BYTES + 1)}
    assert "32 MB" in refused(client.post("/predict", content=picture, headers=headers), 413)


def test_a_form_beyond_the_limit_is_refused(client: TestClient) -> None:
    files = {"image": ("a.jpg", b"\xff" * (MAX_BYTES + 1), "image/jpeg")}
    assert "32 MB" in refused(client.post("/predict", files=files), 413)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"--b\r\n\r\n", "multipart/form-data; boundary=b"),
        (
            b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nabc',
            "multipart/form-data; boundary=b",
        ),
    ],
    ids=["no boundary", "no part", "no end"],
)
def test_a_broken_form_is_refused(client: TestClient, body: bytes, kind: str) -> None:
    answer = client.post("/predict", content=body, headers={"content-type": kind})
    assert "form" in refused(answer, 400)


def test_who_has_no_token_is_told_so_before_anything_is_read() -> None:
    client = TestClient(create_api(detect, ("car", "bus"), 0.25, guard_of("secret")), base_url=HERE)
    headers = JPEG | {"content-length": str(MAX_BYTES + 1)}
    answer = client.post("/predict", content=b"no picture", headers=headers)
    assert "Bearer" in refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_page_about_the_api_works_without_the_internet(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "//" not in re.sub(r"<!--.*?-->|^\s*//.*$", "", page.text, flags=re.DOTALL | re.MULTILINE)
    needed = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert any(path.endswith(".js") for path in needed)
    for path in needed:
        assert client.get(path).status_code == 200
