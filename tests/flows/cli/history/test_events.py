"""``streetloop events`` as people and programs use it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from flows.cli.history import events as command
from flows.cli.main import app
from streetloop.errors import ConfigError, NotFound
from streetloop.ledger.events import begin_event, end_event
from streetloop.settings import Settings
from tests.support.control_service import Content

NOW = datetime.now(UTC)


@pytest.fixture
def content() -> Iterator[Content]:
    """A camera that was lost an hour ago, one that is lost, and a drift of last week."""
    content = Content(Settings().home)
    begin_event(content.ledger, "drift", NOW - timedelta(days=7), "a40", ended_at=NOW - timedelta(days=6))
    for minutes, ended in ((60, NOW - timedelta(minutes=50)), (5, None)):
        at = NOW - timedelta(minutes=minutes)
        begin_event(
            content.ledger, "camera_lost", at, "a40", "m-1", 0.0, cause="no answer [x]", ended_at=ended
        )
    yield content
    content.ledger.close()


def events(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["events", *arguments], env={"COLUMNS": "200"}, catch_exceptions=False)


def lines(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in events(*arguments, "--json").stdout.splitlines()]


@pytest.mark.usefixtures("content")
def test_json_is_one_event_a_line_the_oldest_first() -> None:
    first, second = lines()
    assert (first["kind"], first["camera_id"], first["cause"]) == ("camera_lost", "a40", "no answer [x]")
    assert (first["model"], first["coverage"], first["evidence"]) == ("m-1", 0.0, [])
    assert first["ended_at"] is not None
    assert (second["ended_at"], second["acknowledged_at"]) == (None, None)


@pytest.mark.usefixtures("content")
def test_events_are_filtered() -> None:
    assert len(lines("--since", "30d")) == 3
    assert [one["kind"] for one in lines("--since", "30d", "--kind", "drift")] == ["drift"]
    assert len(lines("--open")) == 1
    assert len(lines("--since", "10m")) == 1  # it goes on
    assert len(lines("--since", "90m")) == 2
    assert lines("--camera", "b12") == []


@pytest.mark.usefixtures("content")
def test_people_read_a_table() -> None:
    said = events().stdout
    assert "goes on" in said
    assert said.count("no answer [x]") == 2
    assert events("--camera", "b12").stdout == "nothing happened in this time\n"


def test_following_shows_what_begins_and_what_ends(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    def happen(_: float) -> None:
        """In the first second one begins, in the next it ends; in the third somebody leaves."""
        steps.pop(0)()

    def leave() -> None:
        raise KeyboardInterrupt

    steps = [
        lambda: begin_event(content.ledger, "too_fast", NOW, "a40"),
        lambda: end_event(content.ledger, 4, NOW + timedelta(seconds=1)),
        leave,
    ]
    monkeypatch.setattr(command.time, "sleep", happen)
    found = lines("--follow", "--kind", "too_fast")
    assert [(one["kind"], one["ended_at"] is None) for one in found] == [
        ("too_fast", True),
        ("too_fast", False),
    ]


def test_an_event_is_acknowledged_by_the_first_who_does(content: Content) -> None:
    assert events("acknowledge", "2").exit_code == 0
    events("acknowledge", "2")
    (one,) = (one for one in lines() if one["id"] == 2)
    assert one["acknowledged_by"]
    assert one["acknowledged_at"] is not None
    with pytest.raises(NotFound, match="there is no event 99"):
        events("acknowledge", "99")


def test_many_events_come_in_pages(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_PAGE", 2)
    for number in range(5):
        begin_event(content.ledger, "too_fast", NOW - timedelta(seconds=number), "a40")
    assert len(lines()) == 7


def test_people_say_what_was_right_and_what_was_not(content: Content) -> None:
    for _ in range(4):
        begin_event(content.ledger, "wrong_way", NOW, "a40", rule_version="wrong_way/1")
    numbers = [str(one["id"]) for one in lines("--kind", "wrong_way")]
    (row,) = json.loads(events("precision", "--json").stdout)
    assert (row["events"], row["precision"]) == (4, None)
    events("acknowledge", numbers[0])
    events("mark-false", numbers[1])
    events("mark-false", numbers[2])
    events("mark-false", numbers[2], "--undo")
    (row,) = json.loads(events("precision", "--json").stdout)
    assert (row["kind"], row["camera_id"], row["rule_version"]) == ("wrong_way", "a40", "wrong_way/1")
    assert (row["confirmed"], row["false"]) == (2, 1)
    assert row["precision"] == pytest.approx(2 / 3)
    assert "67%" in events("precision").stdout
    with pytest.raises(NotFound, match="no event 99"):
        events("mark-false", "99")


@pytest.mark.usefixtures("content")
def test_an_event_has_a_comment() -> None:
    events("comment", "2", "a lorry broke down")
    assert lines("--since", "30d")[1]["comment"] == "a lorry broke down"
    events("comment", "2", "")
    assert lines("--since", "30d")[1]["comment"] is None
    with pytest.raises(ConfigError, match="at most 1000 characters"):
        events("comment", "2", "x" * 1001)
