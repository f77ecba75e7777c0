"""What the tabs show: every kind of content, none at all, and what strangers wrote."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from serve.web.app import panels
from serve.web.app.render import ago, render
from streetloop.control.label_views import QueueView, ReviewView
from streetloop.control.port import Control
from streetloop.control.views import (
    CameraView,
    CauseView,
    DecisionView,
    DriftView,
    EventView,
    FeatureView,
    HealthView,
    LearningView,
    ModelView,
    Page,
    RolloutView,
)
from streetloop.errors import LedgerError
from streetloop.ledger.review_moves import AnswerSource, reject_review, reopen_rejected
from tests.support.control_service import READING, Content, register_versions, running

PANELS: dict[str, panels.Draw] = {
    "header": panels.header,
    "counts": panels.counts,
    "drift": panels.drift,
    "review": panels.review,
    "models": panels.models,
    "rollout": panels.rollout,
    "health": panels.health,
}
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
NOW = datetime.now(UTC)


class _Tags(HTMLParser):
    """Tags and attributes of a page, and whether all that opens closes."""

    VOID = frozenset({"img", "br", "input", "meta", "link"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def words(page: str) -> str:
    """What is read."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


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
        ("counts", ["No counting lines yet", "No event yet"]),
        ("drift", ["No camera was monitored yet"]),
        ("review", ["No frame was chosen yet", "No labeler is set", "0 pending"]),
        ("models", ["No model is registered yet", "No learning run yet"]),
        ("rollout", ["No rollout yet"]),
        ("health", ["no stream runs", "a40", "stopped"]),
    ],
)
def test_a_panel_of_nothing_says_what_to_do(content: Content, name: str, says: list[str]) -> None:
    page = PANELS[name](content.service)
    _Tags(page)
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
                "1 problem",
            ],
        ),
        ("counts", ["a40 in 4 2", "drift", "night or fog", " ago", "ongoing", "frozen picture"]),
        ("drift", ["a40", "drift", "Most likely night (62 %), or fog (31 %)", " ago", "more minutes"]),
        ("review", ["1 pending", "1 in dataset", "unsure", "a40,"]),
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
                "version 3 against 1",
                "running",
                "shadow",
                "by learning flow",
                "+0.040",
                "-0.010 to +0.090",
                "not yet",
                "On the new version: a40",
                "Waiting for a certain gain",
                "version 3 is tried",
            ],
        ),
        ("health", ["crossing: no answer", "100", "60", "30", "0.20 s", "m-1", "lost"]),
    ],
)
def test_a_panel_shows_what_there_is(full: Content, name: str, says: list[str]) -> None:
    page = PANELS[name](full.service)
    _Tags(page)
    for text in says:
        assert text in words(page), words(page)


def test_versions_with_aliases_scores_and_reasons(tmp_path: Path) -> None:
    content = Content(tmp_path)
    register_versions(content)
    said = words(panels.models(content.service))
    for text in (
        "Version 3",
        "champion",
        "made from version 1",
        "Because of drift",
        "it wins",
        "night.map50 0.500",
    ):
        assert text in said


def test_a_frame_that_has_expired_asks_for_no_image(full: Content) -> None:
    page = panels.review(full.service)
    expired = full.service.reviews("expired", 0, 1).items[0].digest
    pending = full.service.reviews("pending", 0, 1).items[0].digest
    assert f"/reviews/{pending}/image.jpg" in page
    assert expired not in page


def test_why_a_frame_is_rejected_and_where_it_is_mended(full: Content) -> None:
    digest = full.service.reviews("rejected", 0, 1).items[0].digest
    reopen_rejected(full.ledger, [digest])
    reject_review(full.ledger, digest, AnswerSource(NOW, url="https://studio/7"), "the image was rotated")
    page = panels.review(full.service)
    assert "the image was rotated" in words(page)
    assert 'href="https://studio/7"' in page
    assert "suspect" not in words(page)


def test_a_rollout_that_is_over_waits_for_nothing(full: Content) -> None:
    over = full.service.rollout(1).model_copy(update={"evidence": dict(READING)})
    said = words(render("rollout", rollout=over))
    assert "rolled back" in said
    assert "in London only" in said
    assert "Waits for" not in said
    assert "it is slower" in said


def test_where_label_studio_is(content: Content) -> None:
    def with_queue(**values: Any) -> str:
        queue = QueueView(counts={}, **{"labeler": "label-studio", "url": None, **values})
        return render("review", queue=queue, reviews=[], hints={})

    assert 'href="http://labels:8080"' in with_queue(url="http://labels:8080")
    assert "oracle" in words(with_queue(labeler="oracle"))
    assert "href" not in with_queue()


# What strangers wrote


class Evil:
    """A `Control` in which every text is HTML."""

    zone = UTC

    def cameras(self) -> list[CameraView]:
        return [
            running(
                EVIL,
                city=EVIL,
                error=EVIL,
                model=EVIL,
                faults=[EVIL],
                state=EVIL,
                crossings={EVIL: {"in": 1, "out": 2}},
                uri=EVIL,
            )
        ]

    def events(self, *_: Any, **__: Any) -> Page[EventView]:
        event = EventView(
            id=1,
            kind=EVIL,
            camera_id=EVIL,
            started_at=NOW,
            ended_at=None,
            model=EVIL,
            detail={"causes": [{"name": EVIL, "probability": 0.9}]},
        )
        return Page(items=[event], offset=0, more=False)

    def drift(self) -> list[DriftView]:
        one = FeatureView(enough=True, effect_size=2, threshold=1)
        return [
            DriftView(
                camera_id=EVIL,
                state=EVIL,
                drifts=True,
                causes=[CauseView(name=EVIL, probability=0.9)],
                since=NOW,
                missing_minutes=0,
                features={EVIL: one},
            )
        ]

    def queue(self) -> QueueView:
        return QueueView(counts={EVIL: 1}, suspect=1, labeler=EVIL, url=EVIL)

    def reviews(self, *_: Any) -> Page[ReviewView]:
        one = ReviewView(
            digest=EVIL,
            camera_id=EVIL,
            captured_at=NOW,
            state=EVIL,
            reason=EVIL,
            score=1,
            rank=1,
            model=EVIL,
            width=1,
            height=1,
            labeler=EVIL,
            note=EVIL,
            url=EVIL,
            doubt=EVIL,
        )
        return Page(items=[one], offset=0, more=False)

    def models(self) -> list[ModelView]:
        return [
            ModelView(
                number=1,
                made_at=NOW,
                aliases=[EVIL],
                parent=1,
                dataset=EVIL,
                classes=[EVIL],
                scores={EVIL: 1.0},
                verdict=[EVIL],
                trigger={"because": EVIL},
                model=EVIL,
            )
        ]

    def learning(self, *_: Any) -> Page[LearningView]:
        run = LearningView(
            id=1,
            name=EVIL,
            step=EVIL,
            trigger={"because": EVIL},
            detail={},
            attempts=0,
            reason=EVIL,
            started_at=NOW,
            step_at=NOW,
            ended_at=None,
        )
        return Page(items=[run], offset=0, more=False)

    def rollout(self, _: int = 1) -> RolloutView:
        evidence = {
            **READING,
            "gains": {EVIL: {"mean": 0, "low": 0, "high": 0, "blocks": 1}},
            "waits_for": [EVIL],
            "cameras": {EVIL: "challenger"},
        }
        decision = DecisionView(at=NOW, action=EVIL, author=EVIL, reason=EVIL, evidence={})
        return RolloutView(
            id=1,
            state=EVIL,
            phase=EVIL,
            model=EVIL,
            champion=EVIL,
            city=EVIL,
            author=EVIL,
            started_at=NOW,
            updated_at=NOW,
            ended_at=None,
            wanted=EVIL,
            evidence=evidence,
            decisions=[decision],
        )

    def rollouts(self, *_: Any) -> Page[RolloutView]:
        return Page(items=[self.rollout()], offset=0, more=False)

    def health(self) -> HealthView:
        return HealthView(ok=False, cameras=1, live=1, model=EVIL, problems=[EVIL])


@pytest.mark.parametrize("name", PANELS)
def test_what_strangers_wrote_is_shown_and_not_run(name: str) -> None:
    evil: Any = Evil()
    page = PANELS[name](evil)
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    assert "49" not in words(page).replace("{{7*7}}", "")
    for tag, attributes in _Tags(page).tags:
        assert tag != "script"
        assert not [key for key in attributes if key.startswith("on")]
        assert attributes.get("src") in {None, f"/reviews/{EVIL}/image.jpg"}


def test_an_address_that_is_a_script_is_no_link() -> None:
    queue = QueueView(counts={}, labeler="label-studio", url="javascript:alert(1)")
    assert "href" not in render("review", queue=queue, reviews=[], hints={})


# What cannot be shown


def test_trouble_is_one_sentence_in_the_place_of_a_panel() -> None:
    def draw(_: Control) -> str:
        raise LedgerError(f"cannot read {EVIL}")

    nobody: Any = None
    page = panels.drawn(draw, nobody)
    assert "This panel is not available" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


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
    assert f'title="{local:%Y-%m-%d %H:%M:%S} +0545"' in panels.counts(content.service)
    content.ledger.close()
