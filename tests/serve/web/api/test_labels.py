"""Labels that are not used, over HTTP: which and why, asked anew or trusted."""

import pytest
from fastapi.testclient import TestClient

from tests.support.control_service import problem_of


def test_a_rejected_frame_is_listed_with_its_reason_and_reopened(client: TestClient) -> None:
    (rejected,) = client.get("/labels/problems?suspect=false").json()["items"]
    assert (rejected["camera"], len(rejected["digest"])) == ("a40", 64)
    assert client.get("/labels/problems?rejected=false&suspect=false").json()["items"] == []
    reopened = client.post("/labels/reopen", json={"digests": [rejected["digest"][:8]]})
    assert (reopened.status_code, reopened.json()) == (200, {"count": 1})
    assert client.get("/labels/problems?suspect=false").json()["items"] == []
    assert client.post("/labels/reopen", json={"rejected": True}).json() == {"count": 0}


def test_nothing_is_suspect_here(client: TestClient) -> None:
    assert client.post("/labels/confirm", json={"suspect": True}).json() == {"count": 0}
    assert client.post("/labels/confirm", json={}).json() == {"count": 0}


@pytest.mark.parametrize("path", ["/labels/reopen", "/labels/confirm"])
@pytest.mark.parametrize(
    "body", [{"digests": ["0" * 64]}, {"digests": ["abc"]}, {"digests": ["../../x"]}, {"all": True}]
)
def test_what_names_no_frame_is_refused(client: TestClient, path: str, body: dict[str, object]) -> None:
    problem_of(client.post(path, json=body), 422)
