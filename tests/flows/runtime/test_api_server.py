"""`streetloop serve` over real HTTP, with a real Ray Serve behind it."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from streetloop.images import decode_image
from tests.support.material import material
from tests.support.programs.cli import Command
from tests.support.samples.pictures import png_header
from tests.support.servers.ports import free_port

pytestmark = [pytest.mark.ray, pytest.mark.model]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[httpx.Client]:
    port = free_port()
    command = Command(
        "serve", "--model", str(weights), "--port", str(port), home=tmp_path_factory.mktemp("home")
    )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        _wait_until_up(client, command)
        yield client
    command.interrupt()
    outcome = command.finish()
    assert outcome.code == 0, outcome.stderr
    assert "Traceback" not in outcome.stderr


def _wait_until_up(client: httpx.Client, command: Command) -> None:
    tick = threading.Event()
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert command.process.poll() is None, command.finish().stderr
        try:
            if client.get("/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        tick.wait(0.2)
    raise AssertionError("the service did not come up")


@pytest.fixture(scope="module")
def photo() -> bytes:
    return material("datasets/coco128_val/images/val2017/000000000139.jpg").read_bytes()


def test_a_picture_is_answered_with_detections(service: httpx.Client, photo: bytes) -> None:
    as_body = service.post("/predict", content=photo, headers={"content-type": "image/jpeg"})
    as_form = service.post("/predict", files={"image": ("a.jpg", photo, "image/jpeg")})
    assert as_body.status_code == as_form.status_code == 200
    assert as_body.json() == as_form.json()
    found = as_body.json()
    assert found["model"].startswith("yolov8n-")
    names = {box["class_name"] for box in found["detections"]}
    assert {"person", "tv", "chair"} <= names
    for box in found["detections"]:
        x1, y1, x2, y2 = box["xyxy"]
        assert 0 <= x1 < x2 <= found["width"]
        assert 0 <= y1 < y2 <= found["height"]


JPEG = {"content-type": "image/jpeg"}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b"this is no picture", JPEG, 400, id="not a picture"),
        pytest.param(b"", JPEG, 400, id="nothing"),
        pytest.param(b"\xff" * 60_000_000, JPEG, 413, id="60 MB"),
        pytest.param(png_header(30_000, 30_000), {"content-type": "image/png"}, 413, id="bomb"),
        pytest.param(b"{}", {"content-type": "application/json"}, 415, id="wrong type"),
        pytest.param(b"abc", {}, 415, id="no type"),
    ],
)
def test_bad_input_is_refused_with_a_reason_and_the_worker_lives_on(
    service: httpx.Client, photo: bytes, body: bytes, headers: dict[str, str], status: int
) -> None:
    refused = service.post("/predict", content=body, headers=headers)
    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"
    assert len(refused.json()["detail"]) > 10
    assert service.post("/predict", content=photo, headers=JPEG).status_code == 200


def test_the_openapi_page_needs_no_network(service: httpx.Client) -> None:
    page = service.get("/docs")
    assert page.status_code == 200
    assert "https://" not in page.text
    assert "/predict" in service.get("/openapi.json").json()["paths"]


def test_the_same_boxes_come_in_every_format_and_drawn(service: httpx.Client, photo: bytes) -> None:
    native, again = service.post("/predict", files=[("image", photo), ("image", photo)]).json()
    assert native == again
    boxes = [box["xyxy"] for box in native["detections"]]
    theirs = service.post("/predict?format=ultralytics", content=photo, headers=JPEG).json()
    assert [list(one["box"].values()) for one in theirs] == [pytest.approx(box, abs=1e-4) for box in boxes]
    centred = service.post("/predict?format=roboflow", content=photo, headers=JPEG).json()["predictions"]
    corners = [(b["x"] - b["width"] / 2, b["y"] + b["height"] / 2) for b in centred]
    assert corners == [pytest.approx((box[0], box[3]), abs=1e-3) for box in boxes]
    drawn = service.post("/predict?annotate=1", content=photo, headers=JPEG)
    assert drawn.headers["content-type"] == "image/jpeg"
    assert decode_image(drawn.content).shape == (native["height"], native["width"], 3)
