"""A dataset is sent, and a model is evaluated on it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import pytest
from fastapi.testclient import TestClient

from flows.learning import sent_dataset
from serve.web.access.roles import AccessTokens, Guard
from serve.web.uploads import MAX_ARCHIVE_BYTES, MAX_BYTES
from tests.flows.learning.test_sent_dataset import zip_of
from tests.support.control_service import Content, api_of, problem_of, register_versions
from tests.support.samples.label_files import write_yolo_files


def _send(client: TestClient, data: bytes, **query: str) -> httpx.Response:
    files = {"archive": ("set.zip", data, "application/zip")}
    return client.post("/datasets", files=files, params=query)


def test_a_dataset_is_sent_and_evaluated_on(client: TestClient, content: Content, tmp_path: Path) -> None:
    register_versions(content)
    zipped = zip_of(write_yolo_files(tmp_path / "yolo")).getvalue()
    answer = _send(client, zipped)
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert said.pop("digest") in next(iter(content.store.keys("datasets/")))
    assert said == {"images": 1, "classes": {"car": 1}, "splits": {"val": 1}, "notes": [], "stored": 1}
    again = _send(client, zipped).json()
    assert again["stored"] == 0
    asked = client.post("/evaluations", json={"model": "1", "dataset": again["digest"]})
    assert asked.status_code == 202


@pytest.mark.parametrize(
    ("data", "query", "status", "words"),
    [(b"no zip", {}, 400, "the zip cannot be read"), (b"no zip", {"images": ""}, 422, "query.images")],
)
def test_what_is_refused_is_a_problem(
    client: TestClient, data: bytes, query: dict[str, str], status: int, words: str
) -> None:
    assert words in problem_of(_send(client, data, **query), status)


def test_no_dataset_in_it_is_a_422(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "zip").mkdir()
    (tmp_path / "zip/a.txt").write_text("hello")
    said = problem_of(_send(client, zip_of(tmp_path / "zip").getvalue()), 422)
    assert said == "the zip has neither a data.yaml of YOLO nor a JSON of COCO"


def test_a_zip_may_be_larger_than_other_bodies(client: TestClient) -> None:
    assert "the zip cannot be read" in problem_of(_send(client, bytes(MAX_BYTES + 1)), 400)
    headers = {
        "content-length": str(MAX_ARCHIVE_BYTES + 1),
        "content-type": "multipart/form-data; boundary=b",
    }
    assert "512 MB" in problem_of(client.post("/datasets", content=b"x", headers=headers), 413)


def test_one_is_imported_at_a_time(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, going = threading.Event(), threading.Event()

    @contextmanager
    def slow(*_: Any) -> Iterator[BinaryIO]:
        begun.set()
        going.wait()
        raise sent_dataset.InputRejected("the zip cannot be read: it is a test")
        yield

    monkeypatch.setattr(sent_dataset, "unpacked", slow)
    first = threading.Thread(target=_send, args=(client, b""))
    first.start()
    begun.wait()
    answer = _send(client, b"")
    assert "another dataset is being imported" in problem_of(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    going.set()
    first.join()
    assert "it is a test" in problem_of(_send(client, b""), 400), "the next may come"


@pytest.mark.parametrize("form", ["coco", "yolo"])
def test_a_dataset_is_fetched_and_sent_again(client: TestClient, tmp_path: Path, form: str) -> None:
    digest = _send(client, zip_of(write_yolo_files(tmp_path / "yolo")).getvalue()).json()["digest"]
    answer = client.get(f"/datasets/{digest}.zip?form={form}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-length"] == str(len(answer.content))
    name = f"streetloop_dataset-{digest[:12]}-{form}.zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    query = {"images": "images"} if form == "coco" else {}
    again = _send(client, answer.content, **query)
    assert again.status_code == 201, again.text
    assert {**again.json(), "digest": ""} == {
        "digest": "",
        "images": 1,
        "classes": {"car": 1},
        "splits": {"val": 1},
        "notes": [],
        "stored": 0,
    }


def test_a_dataset_that_is_not_there_is_a_problem(client: TestClient) -> None:
    assert "no dataset begins" in problem_of(client.get("/datasets/abcdef.zip"), 404)
    problem_of(client.get("/datasets/none.zip"), 422)
    problem_of(client.get("/datasets/abcdef.zip?form=voc"), 422)


def test_a_viewer_fetches_no_dataset(empty: Content) -> None:
    client = api_of(empty, guard=Guard(AccessTokens(admin="root", operator="ops", viewer="look")))
    for token, status in (("look", 403), ("ops", 404)):
        answer = client.get("/datasets/abcdef.zip", headers={"authorization": f"Bearer {token}"})
        problem_of(answer, status)
