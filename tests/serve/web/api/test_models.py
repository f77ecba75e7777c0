"""Models, learning and rollouts over HTTP."""

from pathlib import Path
from typing import Any

import onnx
import pytest
from fastapi.testclient import TestClient

from flows.service.parts import models
from serve.web.access.roles import AccessTokens, Guard
from tests.support.control_service import Content, api_of, problem_of, register_versions
from tests.support.samples.tiny_model import NAMES
from train.model.find_model import open_registry
from train.model_registry import VersionRecord


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """Three versions, and no rollout."""
    content = Content(tmp_path_factory.mktemp("registered"))
    register_versions(content)
    return api_of(content)


def test_without_a_registry_there_are_no_models(client: TestClient) -> None:
    assert client.get("/models").json() == {"items": [], "offset": 0, "more": False}
    problem_of(client.get("/models/1/lineage"), 404)


def test_models_in_pages(registered: TestClient) -> None:
    page = registered.get("/models?limit=2").json()
    assert ([one["number"] for one in page["items"]], page["more"]) == ([3, 2], True)
    assert page["items"][1]["scores"]["map50/night"] == 0.5
    (first,) = registered.get("/models?offset=2").json()["items"]
    assert first["aliases"] == ["champion"]


def test_the_lineage_of_a_model(registered: TestClient) -> None:
    for name in ("2", "champion"):
        answer = registered.get(f"/models/{name}/lineage")
        assert answer.status_code == 200
        assert answer.json()[-1]["number"] == 1
    for name in ("9", "nobody", "%2e%2e", "<b>", "-1", "1e3"):
        problem_of(registered.get(f"/models/{name}/lineage"), 404)
    problem_of(registered.get(f"/models/{'x' * 65}/lineage"), 422)


def test_two_versions_are_compared(registered: TestClient) -> None:
    found = registered.get("/models/champion/compare/2").json()
    assert (found["first"], found["second"], found["same_frames"]) == (1, 2, True)
    (night,) = (row for row in found["rows"] if row["name"] == "night")
    assert (night["kind"], night["difference"], night["mark"]) == ("slice", 0.2, "better")
    for path in ("/models/1/compare/9", "/models/nobody/compare/1"):
        problem_of(registered.get(path), 404)


def test_a_version_is_downloaded_as_it_is(registered: TestClient) -> None:
    answer = registered.get("/models/champion/file")
    assert answer.status_code == 200
    assert onnx.load_model_from_string(answer.content).graph.node
    assert answer.headers["content-disposition"] == 'attachment; filename="detector-1.onnx"'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "no pt file" in problem_of(registered.get("/models/1/file?form=pt"), 404)
    problem_of(registered.get("/models/9/file"), 404)
    problem_of(registered.get("/models/1/file?form=exe"), 422)


def test_a_checkpoint_is_handed_out_unread_and_not_when_it_is_too_large(
    empty: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_versions(empty)
    registry = open_registry(empty.settings)
    weights = empty.settings.home / "any.pt"
    weights.write_bytes(b"no pickle at all")
    run = registry.start("tiny", {})
    registry.register(run, empty.settings.home / "tiny.onnx", VersionRecord("", 1, NAMES, ""), [weights])
    client = api_of(empty)
    assert client.get("/models/4/file?form=pt").content == b"no pickle at all"
    monkeypatch.setattr(models, "MAX_FILE_BYTES", 10)
    assert "`streetloop models export` writes it" in problem_of(client.get("/models/4/file?form=pt"), 413)


def test_a_viewer_downloads_nothing(empty: Content) -> None:
    guard = Guard(AccessTokens(admin="root", operator="ops", viewer="look"))
    client = api_of(empty, guard=guard)
    for token, status in (("look", 403), ("ops", 404), ("root", 404)):
        bearer = {"authorization": f"Bearer {token}"}
        problem_of(client.get("/models/1/file", headers=bearer), status)
    problem_of(client.get("/models/1/file"), 401)


# Learning


def test_learning_runs(client: TestClient) -> None:
    found = client.get("/learning?limit=1").json()
    assert (found["items"][0]["step"], found["more"]) == ("parked", True)


def test_one_run_at_a_time(empty: Content) -> None:
    client = api_of(empty)
    for path in ("/learning/resume", "/learning/drop"):
        problem_of(client.post(path), 409)
    assert "no new labels" in problem_of(client.post("/learning"), 409)
    empty.add_reviews()
    begun = client.post("/learning")
    assert (begun.status_code, begun.json()["trigger"]["because"]) == (202, "api asked for it")
    assert "is open" in problem_of(client.post("/learning"), 409)
    assert "parked" in problem_of(client.post("/learning/resume"), 409)
    dropped = client.post("/learning/drop")
    assert (dropped.status_code, dropped.json()["reason"]) == (200, "by hand (api)")


def test_a_city_learns_alone(empty: Content) -> None:
    client = api_of(empty)
    assert "no camera is in 'rome'" in problem_of(client.post("/learning", json={"city": "rome"}), 409)
    assert "no new labels of London's 1 cameras" in problem_of(
        client.post("/learning", json={"city": "London"}), 409
    )
    empty.add_reviews()
    begun = client.post("/learning", json={"city": "London"})
    assert (begun.status_code, begun.json()["trigger"]["city"]) == (202, "London")
    problem_of(client.post("/learning", json={"town": "London"}), 422)


def test_a_parked_run_goes_on(client: TestClient) -> None:
    resumed = client.post("/learning/resume")
    assert (resumed.status_code, resumed.json()["step"]) == (202, "training")


# Rollouts


def test_rollouts_and_one_with_its_decisions(client: TestClient) -> None:
    page = client.get("/rollouts?limit=1").json()
    assert (page["items"][0]["id"], page["items"][0]["decisions"], page["more"]) == (2, [], True)
    one = client.get("/rollouts/1").json()
    assert [entry["action"] for entry in one["decisions"]] == ["start", "roll back"]
    problem_of(client.get("/rollouts/3"), 404)
    for number in ("0", "-1", "x", "1.5", str(2**31), str(10**50)):
        problem_of(client.get(f"/rollouts/{number}"), 422)


@pytest.mark.parametrize("wanted", ["pause", "resume", "promote", "roll back"])
def test_steering(client: TestClient, wanted: str) -> None:
    answer = client.post("/rollouts/steer", json={"wanted": wanted})
    assert (answer.status_code, answer.json()["wanted"]) == (202, wanted)


def test_what_is_being_rolled_back_is_not_promoted(client: TestClient) -> None:
    client.post("/rollouts/steer", json={"wanted": "roll back"})
    assert "is being rolled back" in problem_of(
        client.post("/rollouts/steer", json={"wanted": "promote"}), 409
    )


@pytest.mark.parametrize(
    "body", [{}, {"wanted": None}, {"wanted": "explode"}, {"wanted": "pause", "now": 1}, [], "x"]
)
def test_steering_to_nowhere(client: TestClient, body: Any) -> None:
    problem_of(client.post("/rollouts/steer", json=body), 422)


def test_a_rollout_is_asked_for(registered: TestClient) -> None:
    assert "no rollout is open" in problem_of(
        registered.post("/rollouts/steer", json={"wanted": "pause"}), 409
    )
    problem_of(registered.post("/rollouts", json={"version": "9"}), 404)
    problem_of(registered.post("/rollouts", json={"version": "3"}), 409)
    made = registered.post("/rollouts", json={"version": "2", "city": "London"})
    assert (made.status_code, made.json()["city"], made.json()["author"]) == (202, "London", "api")
    assert "is open" in problem_of(registered.post("/rollouts", json={"version": "2"}), 409)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"version": ""},
        {"version": 2},
        {"version": "x" * 65},
        {"version": "2", "city": ""},
        {"version": "2", "policy": {}},
        {"version": ["2"]},
    ],
)
def test_a_rollout_of_nothing(client: TestClient, body: Any) -> None:
    problem_of(client.post("/rollouts", json=body), 422)


def test_a_registry_that_is_broken_is_a_503(tmp_path: Path) -> None:
    content = Content(tmp_path)
    broken = tmp_path / "mlflow" / "mlflow.db"
    broken.parent.mkdir()
    broken.write_bytes(b"this is no database" * 100)
    assert "registry" in problem_of(api_of(content).get("/models"), 503)
