"""The steps of the loop say what there is to look at while they are open."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from serve.web.app import panels
from serve.web.app.loop_steps import current_step, loop_steps
from streetloop.ledger.learning import Step, begin_learning, go_on
from tests.support.app_page import words
from tests.support.control_service import Content, running


@pytest.fixture
def content(tmp_path: Path) -> Iterator[Content]:
    content = Content(tmp_path / "home", labeler="oracle")
    yield content
    content.ledger.close()


def test_nothing_is_open_before_the_first_picture(content: Content) -> None:
    steps = loop_steps(content.service)
    assert {step.state for step in steps} == {"waits"}
    assert not any(step.look for step in steps)
    assert current_step(steps) is None
    assert "Look at" not in words(panels.loop(content.service))


def test_every_open_step_says_what_to_look_at_and_the_farthest_leads(content: Content) -> None:
    content.live.append(running())
    content.fill()
    steps = loop_steps(content.service)
    assert [step.state for step in steps] == ["now"] * 5
    assert all(step.look for step in steps)
    assert "the oracle answers" in steps[2].look
    assert "why it is parked" in steps[3].look
    assert current_step(steps) is steps[4]
    page = panels.loop(content.service)
    assert page.count('aria-current="step"') == 1
    said = words(page)
    assert "2. Drift a40: night Look at the bars that pass the mark" in said
    assert "Rollout: version 3: shadow. Look at the gain and its band" in said


def test_what_is_done_or_waits_is_not_looked_at(content: Content) -> None:
    content.live.append(running())
    run = begin_learning(content.ledger, "learn-1", {"kind": "drift"}, datetime.now(UTC))
    go_on(content.ledger, run, Step.REFUSED, datetime.now(UTC), reason="no better")
    steps = loop_steps(content.service)
    assert [step.state for step in steps] == ["now", "waits", "waits", "done", "waits"]
    assert [bool(step.look) for step in steps] == [True, False, False, False, False]
    assert current_step(steps) is steps[0]
