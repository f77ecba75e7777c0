"""The page of one event, and what leads to it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serve.web.app.alert_panel import acknowledged, alerts, event_number
from serve.web.app.events.event_page import add_event_page
from serve.web.app.page import build_page
from streetloop.errors import FieldsInvalid
from streetloop.ledger.events import begin_event
from tests.support.app_page import Tags, words
from tests.support.control_service import Content, api_of, guard_of

NOW = datetime.now(UTC)


@pytest.fixture
def content(tmp_path: Path) -> Iterator[Content]:
    content = Content(tmp_path / "home")
    yield content
    content.ledger.close()


def client_of(content: Content, token: str | None = None) -> TestClient:
    client = api_of(content, token)
    add_event_page(client.app, content.service, guard_of(token))  # type: ignore[arg-type]
    return client


def page_of(content: Content, number: object, status: int = 200) -> str:
    answer = client_of(content).get(f"/app/events/{number}")
    assert answer.status_code == status
    return words(answer.text.partition("<body>")[2].partition("<script>")[0])


def test_a_drift_that_goes_on_says_why_and_can_be_judged(content: Content) -> None:
    content.add_events()
    (drift,) = content.service.events(None, "drift", only_open=True, offset=0, limit=1).items
    said = page_of(content, drift.id)
    for text in (
        "drift",
        "ongoing",
        "a40",
        "it goes on",
        "night (62 %), or fog (31 %)",
        "m-1",
        "Acknowledge",
    ):
        assert text in said, said
    assert "It has no picture" in said
    content.service.acknowledge(drift.id, "ann")
    content.service.mark_false(drift.id, "ann")
    content.service.comment_event(drift.id, "<b>a tree</b>", "ann")
    said = page_of(content, drift.id)
    assert "acknowledged" in said
    assert "It did happen" in said
    assert "&lt;b&gt;a tree&lt;/b&gt; (ann)" in said


def test_an_event_of_no_camera_that_is_over(content: Content) -> None:
    number = begin_event(content.ledger, "detector_restarted", NOW, ended_at=NOW + timedelta(seconds=1))
    said = page_of(content, number)
    for text in ("detector restarted", "over", "camera none"):
        assert text in said


@pytest.mark.parametrize("number", ["0", "7", "first", "-1", "9" * 30, "²"])
def test_no_such_event_is_said_on_the_page(content: Content, number: str) -> None:
    said = page_of(content, number, 404)
    assert "there is no event" in said
    assert "Acknowledge" not in said


def test_who_shows_no_token_is_led_to_the_login(content: Content) -> None:
    answer = client_of(content, "secret").get("/app/events/1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_the_list_leads_to_the_page(content: Content) -> None:
    number = begin_event(content.ledger, "drift", NOW, "a40")
    links = [attributes.get("href") for tag, attributes in Tags(alerts(content.service)).tags if tag == "a"]
    assert f"/app/events/{number}" in links


@pytest.mark.parametrize(("text", "number"), [("12", 12), (" #7 ", 7), ("2147483647", 2**31 - 1)])
def test_a_number_is_read_as_people_write_it(text: str, number: int) -> None:
    assert event_number(text) == number


@pytest.mark.parametrize("text", ["", "#", "0", "-1", "1.5", "first", "2147483648", "²"])
def test_what_is_no_number_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(FieldsInvalid) as caught:
        event_number(text)
    assert caught.value.faults.keys() == {"number"}


def test_an_event_that_is_not_there_is_refused_at_its_field(content: Content) -> None:
    with pytest.raises(FieldsInvalid) as caught:
        acknowledged(content.service, "9999", "ann")
    assert "9999" in caught.value.faults["number"]


def test_the_field_of_the_event_is_empty_at_first(content: Content) -> None:
    config = build_page(content.service).get_config_file()
    (field,) = (c["props"] for c in config["components"] if c["props"].get("label") == "Event")
    assert not field.get("value")
    assert "minimum" not in field
