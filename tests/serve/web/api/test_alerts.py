"""Sinks, mutes and the stream of changes, over HTTP."""

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from serve.web.api.create import create_api
from serve.web.api.streaming.event_stream import follow
from streetloop.control.alert_views import ChangeView
from streetloop.ledger.alerts.event_changes import list_changes
from streetloop.ledger.alerts.outbox import SinkRecord, list_sinks, next_changes, note_delivered, note_failing
from streetloop.ledger.events import acknowledge_event, begin_event, end_event
from tests.support.control_service import Content, guard_of, problem_of, see_a_car
from tests.support.servers.ports import free_port
from tests.support.stream_flow.fakes import eventually

NOW = datetime.now(UTC)


@pytest.fixture
def sinks(content: Content) -> None:
    """One that is well, one that is away with an event that waits."""
    list_sinks(content.ledger, [SinkRecord("ops", "webhook", "https://host", kinds=("queue",))])
    list_sinks(
        content.ledger,
        [
            SinkRecord("bus", "kafka", "kafka://host"),
            SinkRecord("ops", "webhook", "https://host", ("queue",)),
        ],
    )
    begin_event(content.ledger, "drift", NOW, "a40")
    note_failing(content.ledger, "bus", "cannot be reached", NOW - timedelta(hours=1))


@pytest.mark.usefixtures("sinks")
def test_sinks_say_how_they_fare_and_one_that_is_away_is_a_problem(client: TestClient) -> None:
    bus, ops = client.get("/sinks").json()
    assert (bus["name"], bus["state"], bus["waiting"], bus["error"]) == (
        "bus",
        "away",
        1,
        "cannot be reached",
    )
    assert bus["oldest_age_s"] >= 0
    assert (ops["state"], ops["waiting"], ops["kinds"]) == ("well", 0, ["queue"])
    status = client.get("/status").json()
    assert any("sink bus is away since" in one and "1 changes wait" in one for one in status["problems"])
    assert [one["name"] for one in status["sinks"]] == ["bus", "ops"]


@pytest.mark.usefixtures("sinks")
def test_a_sink_is_tested_by_what_arrives(
    client: TestClient, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.service.parts.alerts._TEST_S", 0.3)
    assert client.post("/sinks/bus/test").json() == {
        "sink": "bus",
        "delivered": False,
        "error": "cannot be reached",
    }

    def deliver() -> None:
        eventually(lambda: bool(next_changes(content.ledger, "ops", 1)))
        note_delivered(content.ledger, "ops", [next_changes(content.ledger, "ops", 1)[0].number], NOW)

    monkeypatch.setattr("flows.service.parts.alerts._TEST_S", 10)
    thread = threading.Thread(target=deliver)
    thread.start()
    assert client.post("/sinks/ops/test").json()["delivered"]
    thread.join()
    assert "there are bus, ops" in problem_of(client.post("/sinks/pigeon/test"), 404)


def test_mutes_come_and_go(client: TestClient, content: Content) -> None:
    made = client.post("/mutes", json={"kind": "drift", "days": ["sat"], "between": "22:00-06:00"})
    assert made.status_code == 201
    assert client.get("/mutes").json() == [made.json()]
    assert (made.json()["author"], made.json()["zone"]) == ("api", "UTC")
    problem_of(client.post("/mutes", json={}), 422)
    problem_of(client.post("/mutes", json={"between": "noon"}), 422)
    assert client.delete(f"/mutes/{made.json()['id']}").status_code == 204
    problem_of(client.delete(f"/mutes/{made.json()['id']}"), 404)
    assert client.get("/mutes").json() == []


def collected(content: Content, after: int | None, count: int, camera: str | None = None) -> list[ChangeView]:
    async def collect() -> list[ChangeView]:
        found: list[ChangeView] = []
        async for one in follow(content.service, after, camera):
            found.append(one)
            if len(found) == count:
                break
        return found

    return asyncio.run(asyncio.wait_for(collect(), 20))


def test_a_reader_goes_on_where_it_was(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serve.web.api.streaming.event_stream._AT_ONCE", 2)
    known = list_changes(content.ledger, 0, 99)
    assert [one.number for one in collected(content, 0, len(known))] == [one.number for one in known]
    (last,) = collected(content, known[-2].number, 1)
    assert last.number == known[-1].number
    found = collected(content, 0, 1, camera="crossing")
    assert found[0].message["event"]["camera_id"] == "crossing"


def test_the_stream_of_a_server_has_ids_and_kinds_of_change(content: Content) -> None:
    api = create_api(see_a_car, ("car",), 0.25, guard_of(None), content.service, None)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(api, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started)
    number = begin_event(content.ledger, "queue", NOW, "a40")
    mark = list_changes(content.ledger, 0, 999)[-1].number - 1
    acknowledge_event(content.ledger, number, "ann", NOW)
    end_event(content.ledger, number, NOW)
    got: list[dict[str, str]] = []
    with (
        httpx.Client(timeout=20, trust_env=False) as client,
        client.stream(
            "GET", f"http://127.0.0.1:{port}/events/stream", headers={"Last-Event-ID": str(mark)}
        ) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "data" in fields:
                got, fields = [*got, fields], {}
            if len(got) == 3:
                break
    server.should_exit = server.force_exit = True
    thread.join(20)
    assert [one["event"] for one in got] == ["begin", "acknowledged", "end"]
    assert int(got[0]["id"]) == mark + 1
    messages: list[dict[str, Any]] = [json.loads(one["data"]) for one in got]
    assert [one["event"]["id"] for one in messages] == [number] * 3
    assert messages[2]["event"]["ended_at"] is not None
