"""The panels show what strangers wrote, and run none of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from serve.web.app.render import render
from streetloop.control.label_views import QueueView, ReviewView
from streetloop.control.versions.training import TrainingView
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
from tests.support.app_page import PANELS, Tags, words
from tests.support.control_service import READING, running

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
NOW = datetime.now(UTC)


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
            training=TrainingView(epoch=2, epochs=5, done=0.31, left_s=260.0),
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
    for tag, attributes in Tags(page).tags:
        assert tag != "script"
        assert not [key for key in attributes if key.startswith("on")]
        assert attributes.get("src") in {None, f"/reviews/{EVIL}/image.jpg"}


def test_an_address_that_is_a_script_is_no_link() -> None:
    queue = QueueView(counts={}, labeler="label-studio", url="javascript:alert(1)")
    assert "href" not in render("review", queue=queue, reviews=[], hints={})
