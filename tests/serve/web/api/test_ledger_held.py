"""While another program holds the ledger, reads answer and writes give up soon."""

import sqlite3
import time
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from flows.service.parts import state
from streetloop.sqlite_url import sqlite_path
from tests.support.control_service import Content, problem_of

NEW = {"id": "new", "uri": "sim://larkfield/gantry"}


@pytest.fixture
def held(content: Content, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(state, "_PATIENCE_S", 0.2)
    client.get("/cameras")  # opens the ledger
    path = sqlite_path(content.settings.ledger)
    assert path is not None
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.rollback()
    other.close()


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize(
    "path",
    [
        "/cameras",
        "/cameras/a40",
        "/events",
        "/drift",
        "/queue",
        "/reviews",
        "/learning",
        "/rollouts",
        "/status",
    ],
)
def test_reads_answer_at_once(path: str, client: TestClient) -> None:
    began = time.monotonic()
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert time.monotonic() - began < 5


@pytest.mark.usefixtures("held")
def test_a_write_gives_up_and_says_why_and_nothing_is_changed(client: TestClient) -> None:
    reason = problem_of(client.post("/cameras", json=NEW), 503)
    assert "another process holds it" in reason
    assert "new" not in [camera["id"] for camera in client.get("/cameras").json()["items"]]
