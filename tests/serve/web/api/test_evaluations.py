"""Evaluations over HTTP, of a server whose streams never take them up."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from flows.service.parts.evaluations import MAX_WAITING
from streetloop.ledger.evaluations import fail_evaluation, finish_evaluation, start_next_evaluation
from tests.support.control_service import Content, problem_of, register_versions
from tests.train.data.test_dataset import pure
from train.data.dataset import save_dataset

NOW = datetime.now(UTC)
RESULT = {"map50": 0.5, "images": 1, "classes": {"car": {"map50": None}}, "notes": ["one was mended"]}


@pytest.fixture
def digest(content: Content) -> str:
    register_versions(content)
    return save_dataset(content.store, pure(content.store))


def _ask(client: TestClient, **wanted: Any) -> dict[str, Any]:
    answer = client.post("/evaluations", json=wanted)
    assert answer.status_code == 202, answer.text
    said: dict[str, Any] = answer.json()
    return said


def test_an_evaluation_from_its_begin_to_its_result(
    client: TestClient, content: Content, digest: str
) -> None:
    asked = _ask(client, model="champion", dataset=digest[:8], split="val", map={"bus": "bus"})
    assert {key: asked[key] for key in ("id", "state", "progress")} == {
        "id": 1,
        "state": "queued",
        "progress": 0.0,
    }
    assert (asked["model"], asked["dataset"], asked["author"]) == ("1", digest, "api"), "as they are now"
    assert asked["options"] == {"split": "val", "classes": None, "map": {"bus": "bus"}, "image_size": None}
    assert client.get("/evaluations/1").json() == {**asked, "result": None}
    start_next_evaluation(content.ledger, NOW)
    assert client.get("/evaluations/1").json()["state"] == "running"
    finish_evaluation(content.ledger, 1, RESULT, NOW)
    done = client.get("/evaluations/1").json()
    assert (done["state"], done["progress"], done["result"]) == ("done", 1.0, RESULT)
    assert done["ended_at"] is not None


def test_one_that_failed_says_why(client: TestClient, content: Content, digest: str) -> None:
    _ask(client, model="1", dataset=digest)
    start_next_evaluation(content.ledger, NOW)
    fail_evaluation(content.ledger, 1, "interrupted: the run ended before it was done", NOW)
    said = client.get("/evaluations/1").json()
    assert (said["state"], said["result"]) == ("failed", None)
    assert said["error"].startswith("interrupted")


def test_they_are_listed_by_pages_without_results(client: TestClient, content: Content, digest: str) -> None:
    for _ in range(3):
        _ask(client, model="1", dataset=digest)
    page = client.get("/evaluations", params={"limit": 2}).json()
    assert ([one["id"] for one in page["items"]], page["more"]) == ([3, 2], True)
    assert "result" not in page["items"][0]
    rest = client.get("/evaluations", params={"limit": 2, "offset": 2}).json()
    assert ([one["id"] for one in rest["items"]], rest["more"]) == ([1], False)


@pytest.mark.parametrize("name", ["2", "tiny-2", "baseline", "settings"])
def test_a_model_is_a_version_or_what_the_server_itself_names(
    client: TestClient, content: Content, digest: str, name: str
) -> None:
    name = content.settings.model if name == "settings" else name
    asked = _ask(client, model=name, dataset=digest, classes=["car"])
    assert asked["model"] == ("2" if name == "tiny-2" else name)
    assert asked["options"]["classes"] == {"car": ["car"]}


@pytest.mark.parametrize(
    ("wanted", "status", "words"),
    [
        ({"model": "9"}, 404, "no version or model '9'"),
        ({"model": "/etc/passwd"}, 404, "no version or model '/etc/passwd'"),
        ({"model": "yolov8n.pt"}, 404, "no version or model"),
        ({"dataset": "0" * 64}, 404, "no dataset begins with 0000"),
        ({"dataset": "../../etc"}, 422, "body.dataset"),
        ({"dataset": "/tmp/coco.json"}, 422, "body.dataset"),
        ({"split": "test"}, 422, "no image of the dataset is for test"),
        ({"split": "holdout"}, 422, "body.split: Input should be 'train', 'val' or 'test'"),
        ({"classes": ["tram"]}, 422, "the dataset has no class 'tram'"),
        ({"classes": []}, 422, "names no class"),
        ({"map": {"": "car"}}, 422, "body.map"),
        ({"image_size": 5}, 422, "body.image_size"),
        ({"images": "/srv"}, 422, "body.images: Extra inputs are not permitted"),
    ],
)
def test_a_mistake_is_one_sentence_and_queues_nothing(
    client: TestClient, digest: str, wanted: dict[str, Any], status: int, words: str
) -> None:
    answer = client.post("/evaluations", json={"model": "1", "dataset": digest} | wanted)
    assert words in problem_of(answer, status)
    assert client.get("/evaluations").json()["items"] == []


def test_a_full_queue_says_when_to_ask_again(client: TestClient, digest: str) -> None:
    for _ in range(MAX_WAITING):
        _ask(client, model="1", dataset=digest)
    answer = client.post("/evaluations", json={"model": "1", "dataset": digest})
    assert "wait already" in problem_of(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


def test_there_is_none_of_that_number(client: TestClient) -> None:
    assert problem_of(client.get("/evaluations/7"), 404) == "there is no evaluation 7"
