"""Every error of ours leaves as a problem document of the right status."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from serve.web.api.problems import MEDIA_TYPE, explain_errors, problems
from streetloop import errors
from streetloop.errors import StreetloopError
from tests.support.control_service import Content, api_of, problem_of

STATUS = {
    errors.InputTooLarge: 413,
    errors.InputRejected: 400,
    errors.NotFound: 404,
    errors.ChangedMeanwhile: 412,
    errors.ConfigError: 422,
    errors.FieldsInvalid: 422,
    errors.LedgerUrlInvalid: 422,
    errors.RolloutError: 409,
    errors.LearningError: 409,
}


def every_kind(kind: type[StreetloopError] = StreetloopError) -> list[type[StreetloopError]]:
    below = (one for child in kind.__subclasses__() for one in every_kind(child))
    return list(dict.fromkeys([kind, *below]))  # some are of two kinds


def answering(error: Exception) -> TestClient:
    api = FastAPI()
    explain_errors(api)

    @api.get("/")
    def fail() -> None:
        raise error

    return TestClient(api, raise_server_exceptions=False)


@pytest.mark.parametrize("kind", every_kind())
def test_every_error_of_ours_has_a_status(kind: type[StreetloopError]) -> None:
    said = problem_of(answering(kind("the thing is so")).get("/"), STATUS.get(kind, 503))
    assert said.endswith("the thing is so")
    assert said.startswith("the detector") == issubclass(kind, errors.DetectorError)


def test_what_nobody_expected_says_no_more_than_its_kind() -> None:
    said = problem_of(answering(RuntimeError("rtsp://u:hunter2@h")).get("/"), 500)
    assert said == "the service failed: RuntimeError"


def test_half_of_a_surrogate_pair_can_be_answered() -> None:
    assert problem_of(answering(errors.NotFound("no \ud800")).get("/"), 404) == "no ?"


def test_where_nothing_is(client: TestClient) -> None:
    problem_of(client.get("/nothing"), 404)
    problem_of(client.patch("/cameras"), 405)
    assert client.patch("/cameras").headers["allow"]


def test_a_ledger_that_is_away_is_a_503(content: Content, client: TestClient) -> None:
    with content.ledger.transaction() as connection:
        connection.execute(text("alter table camera_changes rename to away"))
    for path in ("/cameras", "/cameras/a40"):
        assert "ledger" in problem_of(client.get(path), 503)
    health = client.get("/status")
    assert (health.status_code, health.json()["ok"]) == (200, False)
    assert client.get("/ready").status_code == 503
    assert client.get("/health").status_code == 200


def _operations(client: TestClient) -> list[tuple[str, dict[str, Any]]]:
    paths = client.get("/openapi.json").json()["paths"]
    return [
        (f"{method} {path}", operation)
        for path, operations in paths.items()
        for method, operation in operations.items()
    ]


def test_whatever_goes_wrong_is_described_as_a_problem(client: TestClient) -> None:
    for name, operation in _operations(client):
        for status, answer in operation["responses"].items():
            if status.startswith("2") or (name, status) == ("get /ready", "503"):
                continue
            assert list(answer["content"]) == [MEDIA_TYPE], (name, status)
        assert {"400", "403", "422", "503"} <= operation["responses"].keys(), name


def test_every_operation_has_a_summary_and_asks_for_the_token(content: Content) -> None:
    client = api_of(content, token="secret")
    for name, operation in _operations(client):
        assert operation["summary"], name
        method, path = name.split()
        for part, value in {"{number}": "1", "{event}": "1", "{digest}": "0" * 64}.items():
            path = path.replace(part, value)
        answer = client.request(method, path.replace("{", "").replace("}", ""))
        open_to_all = {"/health": 200, "/ready": 503}
        assert answer.status_code == open_to_all.get(path, 401), name


def test_problems_are_listed_by_status() -> None:
    assert problems(_404="gone")[404]["description"] == "gone"


def test_larger_than_anything_is_refused(empty: Content) -> None:
    client = api_of(empty)
    body = b'{"id": "' + b"a" * (33 * 2**20) + b'"}'
    problem_of(client.post("/cameras", content=body, headers={"content-type": "application/json"}), 413)
