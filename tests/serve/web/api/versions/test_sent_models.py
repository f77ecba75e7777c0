"""A model is sent: it becomes a version by the rules of the command line, or is refused."""

import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import onnx
import pytest
from fastapi.testclient import TestClient
from onnx.external_data_helper import convert_model_to_external_data

from flows.service.parts import models
from flows.service.versions import sent_model
from serve.web.uploads import MAX_BYTES, MAX_MODEL_BODY_BYTES
from streetloop.errors import ProcessDied
from tests.support.control_service import Content, api_of, problem_of
from tests.support.samples.tiny_model import detector_output, write_tiny_model

OUTPUT = detector_output((32, 32, 9, 9, 0, 0.9))


@pytest.fixture
def client(empty: Content) -> TestClient:
    return api_of(empty)


@pytest.fixture
def in_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process of its own would do is done in this one, without its bounds."""

    def work_here(_: Callable[..., int], *args: Any) -> int:
        return sent_model.register_sent(*args)

    monkeypatch.setattr(models, "in_own_process", work_here)


@pytest.fixture
def tiny(tmp_path: Path) -> bytes:
    return write_tiny_model(tmp_path / "any.onnx", OUTPUT).read_bytes()


def _send(client: TestClient, data: bytes, name: str = "own.onnx", **query: str) -> httpx.Response:
    return client.post("/models", files={"file": (name, data)}, params=query)


def test_a_model_that_is_sent_is_a_version(client: TestClient, content_home: Path, tiny: bytes) -> None:
    answer = _send(client, tiny, "..\\..\\/etc/ my model!.onnx")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["number"], made["classes"], made["aliases"]) == (1, ["car", "bus"], [])
    assert made["model"].startswith("my-model-")
    assert made["trigger"] == {"kind": "registered by hand", "file": "my-model.onnx"}
    assert [one["number"] for one in client.get("/models").json()["items"]] == [1]
    assert client.get("/models/1/file").content == tiny
    assert not any((content_home / "sent-models").iterdir()), "nothing of it stays beside the registry"


@pytest.fixture
def content_home(empty: Content) -> Path:
    return empty.settings.home


@pytest.mark.usefixtures("in_here")
def test_its_classes_are_named_anew_and_the_same_again_is_the_same_version(
    client: TestClient, tiny: bytes
) -> None:
    named = _send(client, tiny, classes=" auto , bus").json()
    assert (named["number"], named["classes"]) == (1, ["auto", "bus"])
    assert _send(client, tiny, classes="auto,bus").json()["number"] == 1
    assert _send(client, tiny, classes=" ").json()["number"] == 2, "its own names"


@pytest.mark.usefixtures("in_here")
@pytest.mark.parametrize(
    ("name", "data", "classes", "status", "words"),
    [
        ("best.pt", b"PK", "", 400, "a .pt file is a Python pickle"),
        ("BEST.PT", b"PK", "", 400, "streetloop models register FILE"),
        ("model.exe", b"MZ", "", 400, "'model.exe' is no .onnx file"),
        ("a.onnx", b"", "", 422, "a.onnx: is empty"),
        ("a.onnx", b"no model", "", 422, "a.onnx: is not an ONNX model, or is cut short"),
        ("a.onnx", None, "car", 422, "classes: a.onnx has 2 classes; give each a name of its own"),
        ("a.onnx", None, "car,car", 422, "a name of its own"),
        ("a.onnx", None, "car,,bus", 422, "classes: '' is no name of a class"),
        ("a.onnx", None, "car\nbus,x", 422, "is no name of a class"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(
    client: TestClient, tiny: bytes, name: str, data: bytes | None, classes: str, status: int, words: str
) -> None:
    said = problem_of(_send(client, tiny if data is None else data, name, classes=classes), status)
    assert words in said
    assert "sent-models" not in said, "no path of this machine"
    assert client.get("/models").json()["items"] == []


class Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.usefixtures("in_here")
@pytest.mark.parametrize("name", ["best.pt", "best.onnx"])
def test_a_pickle_is_never_opened(client: TestClient, tmp_path: Path, name: str) -> None:
    mark = tmp_path / "it ran"
    bomb = pickle.dumps(Bomb(mark))
    assert _send(client, bomb, name).status_code in {400, 422}
    assert not mark.exists()
    pickle.loads(bomb)
    assert mark.exists()


@pytest.mark.usefixtures("in_here")
def test_weights_elsewhere_are_refused_before_they_are_looked_for(
    client: TestClient, tmp_path: Path, tiny: bytes
) -> None:
    model = onnx.load_model_from_string(tiny)
    convert_model_to_external_data(model, location="weights.bin", size_threshold=0, convert_attribute=True)
    onnx.save(model, tmp_path / "outside.onnx")
    data = (tmp_path / "outside.onnx").read_bytes()
    assert b"weights.bin" in data
    there = data.replace(b"weights.bin", b"/etc/passwd")
    said = problem_of(_send(client, there), 422)
    assert said == "own.onnx names other files for its weights; send one file with all of it"


def test_a_model_may_be_larger_than_other_bodies_and_not_too_large(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is no .onnx file" in problem_of(_send(client, bytes(MAX_BYTES + 1), "a.zip"), 400)
    headers = {
        "content-length": str(MAX_MODEL_BODY_BYTES + 1),
        "content-type": "multipart/form-data; boundary=b",
    }
    assert "513 MB" in problem_of(client.post("/models", content=b"x", headers=headers), 413)
    monkeypatch.setattr(sent_model, "MAX_MODEL_BYTES", 2**20)
    assert "more than 1 MB" in problem_of(_send(client, bytes(2**20 + 1)), 413)


def test_one_that_crashes_its_runtime_is_refused_and_the_next_may_come(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> int:
        raise ProcessDied("its process ended with -24 and no answer")

    monkeypatch.setattr(models, "in_own_process", die)
    for _ in range(2):
        assert "needed too much time or memory" in problem_of(_send(client, b"x"), 400)


def test_one_is_registered_at_a_time(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, going = threading.Event(), threading.Event()

    def slow(*_: object) -> int:
        begun.set()
        going.wait()
        raise ProcessDied("it is a test")

    monkeypatch.setattr(models, "in_own_process", slow)
    first = threading.Thread(target=_send, args=(client, b""))
    first.start()
    begun.wait()
    answer = _send(client, b"")
    assert "another model is being registered" in problem_of(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    going.set()
    first.join()
