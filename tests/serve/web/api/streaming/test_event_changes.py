"""One event, and what changed since, over HTTP."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from streetloop.alerting.mute import Mute
from streetloop.ledger.alerts.event_changes import note_test
from streetloop.ledger.events import begin_event, end_event
from tests.support.control_service import Content, api_of, problem_of
from tests.support.control_service import empty as empty

NOW = datetime.now(UTC)


@pytest.fixture
def client(empty: Content) -> TestClient:
    return api_of(empty)


def changes(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/events/changes", params=query).json()
    return found


def test_one_event_is_what_the_list_has(client: TestClient, empty: Content) -> None:
    number = begin_event(empty.ledger, "camera_lost", NOW, "a40", cause="no route")
    event = client.get(f"/events/{number}").json()
    assert (event["id"], event["cause"]) == (number, "no route")
    assert client.get("/events").json()["items"] == [event]
    assert problem_of(client.get("/events/99"), 404) == "there is no event 99"
    problem_of(client.get("/events/0"), 422)
    problem_of(client.get("/events/first"), 404)
    assert client.get("/events/precision").status_code == 200, "a name is no number"


def test_changes_are_read_on_from_the_newest(client: TestClient, empty: Content) -> None:
    assert changes(client) == []
    number = begin_event(empty.ledger, "camera_lost", NOW, "a40")
    begin_event(empty.ledger, "drift", NOW, "crossing")
    (newest,) = changes(client)
    assert newest["message"]["event"]["kind"] == "drift"
    assert changes(client, after=newest["number"]) == []
    end_event(empty.ledger, number, NOW)
    (ended,) = changes(client, after=newest["number"])
    assert (ended["change"], ended["message"]["event"]["id"]) == ("end", number)
    assert [one["change"] for one in changes(client, after=0)] == ["begin", "begin", "end"]
    assert len(changes(client, after=0, limit=2)) == 2
    problem_of(client.get("/events/changes?after=-1"), 422)


def test_a_test_of_a_sink_does_not_hide_the_newest_change(client: TestClient, empty: Content) -> None:
    begin_event(empty.ledger, "drift", NOW, "a40")
    (newest,) = changes(client)
    note_test(empty.ledger, "all", NOW)
    assert changes(client) == [newest]


def test_a_change_says_whether_its_event_is_muted(client: TestClient, empty: Content) -> None:
    empty.service.mute(Mute(kind="queue"), "ann")
    begin_event(empty.ledger, "queue", NOW, "a40")
    assert changes(client)[0]["message"]["event"]["muted"] is True
