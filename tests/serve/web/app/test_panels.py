"""What the tabs show: every kind of content, and none at all."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from serve.web.app import panels
from serve.web.app.alert_panel import alerts
from serve.web.app.render import ago, render
from streetloop.alerting.mute import Mute
from streetloop.control.label_views import QueueView
from streetloop.control.port import Control
from streetloop.errors import LedgerError
from streetloop.ledger.events import begin_event
from tests.support.app_page import PANELS, Tags, words
from tests.support.control_service import READING, Content, register_versions, running

NOW = datetime.now(UTC)


@pytest.fixture
def content(tmp_path: Path) -> Iterator[Content]:
    content = Content(tmp_path / "home")
    yield content
    content.ledger.close()


# Nothing yet


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("header", ["0 of 2 cameras live", "1 problem"]),
        ("loop", ["0 of 2 cameras", "night or fog will show here", "drift or enough labels start it"]),
        ("counts", ["No counting lines yet"]),
        ("alerts", ["No event"]),
        ("drift", ["No camera can be compared with its own past yet", "a40", "0 of 75 minutes", "crossing"]),
        ("review", ["No labeler is set", "0 pending"]),
        ("models", ["No model is registered yet", "No learning run yet"]),
        ("rollout", ["No rollout yet"]),
        ("health", ["no stream runs", "a40", "stopped"]),
    ],
)
def test_a_panel_of_nothing_says_what_to_do(content: Content, name: str, says: list[str]) -> None:
    page = PANELS[name](content.service)
    Tags(page)
    for text in says:
        assert text in words(page)


def test_without_cameras_that_is_said(tmp_path: Path) -> None:
    content = Content(tmp_path)
    content.service = type(content.service)(content.settings, [])
    assert "No camera yet" in words(panels.health(content.service))
    assert "0 of 0 cameras live" in words(panels.header(content.service))
    assert "No camera yet" in words(render("wall"))


# Everything there can be


@pytest.fixture
def full(content: Content) -> Content:
    content.live.append(running(error=None))
    content.live.append(running("crossing", state="lost", error="no answer", crossings={}))
    return content.fill()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "header",
            [
                "1 of 2 cameras live",
                "model m-1",
                "1 camera drifts",
                "learning: parked",
                "rollout: shadow",
                "2 problems",
            ],
        ),
        (
            "loop",
            [
                "1. Streams 1 of 2 cameras",
                "2. Drift a40: night",
                "2 frames labeled, 2 wait for an answer",
                "run 2: parked",
                "version 3: shadow",
            ],
        ),
        ("counts", ["a40 in 4 2"]),
        ("alerts", ["a40", "drift", "night or fog", " ago", "ongoing", "frozen picture"]),
        ("drift", ["a40", "drift", "Most likely night (62 %), or fog (31 %)", " ago", "of 75 minutes"]),
        ("review", ["1 pending", "1 in dataset"]),
        (
            "models",
            [
                "No model is registered yet",
                "drift of a40: night",
                "parked",
                "refused",
                "training failed 5 times: the disk is full",
            ],
        ),
        (
            "rollout",
            [
                "version 3 against version 1",
                "running",
                "shadow now 5 %",
                "Proof that it detects better",
                "by learning flow",
                "+0.040",
                "-0.010 to +0.090",
                "not yet",
                "On the new version: 1 a40",
                "On the champion: 1 crossing",
                "No gain was measured at two moments yet",
                "Waiting for a certain gain",
                "version 3 is tried",
            ],
        ),
        ("health", ["crossing: no answer", "100", "60", "30", "0.20 s", "m-1", "lost"]),
    ],
)
def test_a_panel_shows_what_there_is(full: Content, name: str, says: list[str]) -> None:
    page = PANELS[name](full.service)
    Tags(page)
    for text in says:
        assert text in words(page), words(page)


def test_versions_with_aliases_scores_and_reasons(tmp_path: Path) -> None:
    content = Content(tmp_path)
    register_versions(content)
    said = words(panels.models(content.service))
    for text in (
        "Version 3",
        "champion",
        "from version 1, because of drift",
        "accepted",
        "mAP50 0.610 (+0.090)",
    ):
        assert text in said


def test_a_rollout_that_is_over_waits_for_nothing(full: Content) -> None:
    over = full.service.rollout(1).model_copy(update={"evidence": dict(READING)})
    said = words(render("rollout", **panels.rollout_values(over), earlier=[]))
    assert "rolled back" in said
    assert "in London only" in said
    assert "aiting for" not in said
    assert "rolled back here" in said
    assert "it is slower" in said


def test_where_label_studio_is(content: Content) -> None:
    def with_queue(**values: Any) -> str:
        queue = QueueView(counts={}, **{"labeler": "label-studio", "url": None, **values})
        return render("review", queue=queue, hints={})

    assert 'href="http://labels:8080"' in with_queue(url="http://labels:8080")
    assert "oracle" in words(with_queue(labeler="oracle"))
    assert "href" not in with_queue()


# What cannot be shown


def test_trouble_is_one_sentence_in_the_place_of_a_panel() -> None:
    def draw(_: Control) -> str:
        raise LedgerError("cannot read <script>")

    nobody: Any = None
    page = panels.drawn(draw, nobody)
    assert "This panel is not available" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_what_is_left_out_on_purpose_stands_apart_from_what_is_lost(content: Content) -> None:
    frames = {"decoded": 7200, "detected": 60, "gated": 7114, "dropped": 20, "failed": 0, "pending": 6}
    reasons = {"rate": 7000, "still": 114, "stale": 20}
    content.live.append(running(frames={**frames, "reasons": reasons}))
    page = panels.health(content.service)
    Tags(page)
    assert "left out on purpose lost pending" in words(page)
    assert "over the asked rate nothing moved dropped failed" in words(page)
    assert "live 7200 60 7000 114 20 0.3 % 0 6" in words(page)
    assert page.count("sl-lost") == 1, "in the color of a warning, and only what was lost"


def test_a_young_camera_is_named_with_what_it_still_needs(tmp_path: Path) -> None:
    content = Content(tmp_path / "home", drift_period_s=2.0)
    content.add_minutes()
    page = panels.drift(content.service)
    Tags(page)
    assert "a40 not enough yet 20 of 75 periods of 2 seconds" in words(page)
    assert '<progress max="75" value="20"' in page
    content.ledger.close()


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(hours=47), "1 d ago"),
        (timedelta(days=400), "400 d ago"),
    ],
)
def test_how_long_ago(passed: timedelta, text: str) -> None:
    assert ago(NOW - passed, NOW) == text
    assert ago(None) == "-"


def test_times_are_of_the_zone_of_the_settings(tmp_path: Path) -> None:
    content = Content(tmp_path / "home", timezone="Asia/Kathmandu")
    content.add_events()
    (event, *_) = content.service.events(None, None, only_open=True, offset=0, limit=1).items
    local = event.started_at.astimezone(content.settings.zone)
    assert f'title="{local:%Y-%m-%d %H:%M:%S} +0545"' in alerts(content.service)
    content.ledger.close()


def test_alerts_are_chosen_by_camera_kind_and_state(content: Content) -> None:
    content.add_events()
    assert "frozen picture" not in words(alerts(content.service, kind="drift"))
    assert "a40" not in words(alerts(content.service, "crossing"))
    ongoing = words(alerts(content.service, state="ongoing"))
    assert "drift" in ongoing
    assert "frozen picture" not in ongoing
    (event, *_) = content.service.events(None, "drift", only_open=True, offset=0, limit=1).items
    content.service.acknowledge(event.id, "ann")
    assert "drift" not in words(alerts(content.service, state="not acknowledged"))
    assert "acknowledged" in words(alerts(content.service))


def test_events_and_incidents_lead_to_the_page_of_their_camera(full: Content) -> None:
    for page in (alerts(full.service), panels.report(full.service)):
        links = [attributes.get("href") for tag, attributes in Tags(page).tags if tag == "a"]
        assert "/app/cameras/a40" in links


def test_a_muted_event_is_marked(content: Content) -> None:
    content.service.mute(Mute(kind="queue"), "ann")
    begin_event(content.ledger, "queue", datetime.now(UTC), "a40")
    assert "muted" in words(alerts(content.service))
