"""``streetloop sinks`` and ``streetloop events mute`` as people and programs use them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import Result
from typer.testing import CliRunner

from flows.cli.main import app
from streetloop.errors import ConfigError, NotFound
from streetloop.ledger.alerts.outbox import SinkRecord, list_sinks, note_failing
from streetloop.ledger.events import begin_event, find_event
from streetloop.settings import Settings
from tests.support.control_service import Content

NOW = datetime.now(UTC)


@pytest.fixture
def content() -> Iterator[Content]:
    content = Content(Settings().home)
    yield content
    content.ledger.close()


def streetloop(*arguments: str, fails: bool = False) -> Result:
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"}, catch_exceptions=False)
    assert (done.exit_code != 0) is fails, done.output
    return done


@pytest.mark.usefixtures("content")
def test_without_sinks_it_says_where_they_would_be() -> None:
    assert "the camera file lists them" in streetloop("sinks").stdout
    assert json.loads(streetloop("sinks", "--json").stdout) == []
    with pytest.raises(NotFound, match="there is no sink 'ops'; the newest run had none"):
        streetloop("sinks", "test", "ops")


def test_a_table_and_json_say_how_sinks_fare(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    list_sinks(content.ledger, [SinkRecord("ops", "mqtt", "mqtt://host")])
    note_failing(content.ledger, "ops", "cannot be [x] reached", NOW - timedelta(hours=1))
    begin_event(content.ledger, "queue", NOW)
    shown = streetloop("sinks").stdout
    assert "cannot be [x] reached" in shown
    assert "away" in shown
    (found,) = json.loads(streetloop("sinks", "--json").stdout)
    assert (found["name"], found["type"], found["state"], found["waiting"]) == ("ops", "mqtt", "away", 1)
    monkeypatch.setattr("flows.service.parts.alerts._TEST_S", 0.1)
    tested = streetloop("sinks", "test", "ops", fails=True)
    assert "not delivered yet: cannot be [x] reached" in tested.stderr


def test_mutes_are_made_listed_and_lifted(content: Content) -> None:
    asked = ["--camera", "a40", "--kind", "queue", "--days", "mon,tue,wed,thu,fri,sat,sun", "--for", "2h"]
    assert "mute 1 holds" in streetloop("events", "mute", *asked).stderr
    (found,) = json.loads(streetloop("events", "mutes", "--json").stdout)
    assert (found["camera"], found["kind"], len(found["days"])) == ("a40", "queue", 7)
    left = datetime.fromisoformat(found["until"]) - datetime.now(UTC)
    assert timedelta(hours=1.9) < left < timedelta(hours=2.1)
    assert "a40" in streetloop("events", "mutes").stdout
    event = find_event(content.ledger, begin_event(content.ledger, "queue", NOW, "a40"))
    assert event is not None
    assert event.muted
    streetloop("events", "unmute", "1")
    assert "nothing is muted" in streetloop("events", "mutes").stdout


@pytest.mark.usefixtures("content")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "names nothing"),
        (("--between", "noon"), "between: is a span of hours"),
        (("--days", "friday"), "days.0: "),
        (("--for", "2026-03-01"), "--for: '2026-03-01' is no duration"),
        (("--for", "long"), "long"),
    ],
)
def test_a_mute_that_is_wrong_is_one_sentence(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        streetloop("events", "mute", *arguments)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
