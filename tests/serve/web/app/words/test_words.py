"""Words have explanations that touch and keyboard reach; buttons say what they will do."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import gradio as gr
import pytest

from serve.web.app import panels
from serve.web.app.action_buttons import learning_buttons, review_buttons, rollout_buttons
from serve.web.app.render import FOLDER
from streetloop.ledger.rollouts import Entry, RolloutState, list_rollouts, move, note_progress
from tests.support.app_page import PANELS, Tags, words
from tests.support.control_service import READING, Content, register_versions, running


@pytest.fixture
def content(tmp_path: Path) -> Iterator[Content]:
    content = Content(tmp_path / "home")
    yield content
    content.ledger.close()


def explained(page: str) -> dict[str, str]:
    """The words of a page that have an explanation, each reached with the keyboard."""
    found = re.findall(r'<(dfn|span) class="[^"]*" tabindex="0" data-hint="([^"]+)">([^<]+)</\1>', page)
    assert len(found) == page.count("data-hint"), "each of them can have the focus"
    return {word: hint for _, hint, word in found}


def test_states_and_terms_explain_themselves(content: Content) -> None:
    content.live.extend([running(), running("crossing", state="lost", error="no answer")])
    content.fill()
    register_versions(content)
    said = {word for draw in PANELS.values() for word in explained(draw(content.service))}
    for word in (
        "shadow",
        "champion",
        "parked",
        "refused",
        "rolled back",
        "dropped",
        "gain",
        "lost",
        "accepted",
    ):
        assert word in said
    queue = content.service.queue().model_copy(update={"suspect": 3})
    assert "another model" in explained(panels.render("review", queue=queue, hints={}))["3 suspect"]


def test_no_template_explains_a_word_where_only_a_mouse_reaches_it() -> None:
    for path in sorted((FOLDER / "templates").glob("*.html")):
        found = re.findall(r"<(?:th|h\d|dt|span|strong|abbr)\b[^>]*\btitle=", path.read_text())
        assert found == [], path.name


@pytest.mark.parametrize("make", [rollout_buttons, learning_buttons, review_buttons])
def test_a_row_of_buttons_has_an_update_for_each_of_its_parts(content: Content, make: object) -> None:
    content.fill()
    with gr.Blocks():
        row = make(content.service, "ann")  # type: ignore[operator]
    assert len(row.look()) == len(row.buttons)


def test_the_buttons_of_a_rollout_say_what_they_will_do(content: Content) -> None:
    content.add_rollouts()
    with gr.Blocks():
        row = rollout_buttons(content.service, "ann")

    def said() -> str:
        (page,) = (one for one in row.look() if isinstance(one, str))
        Tags(page)
        return words(page)

    assert "Pause every camera stays on its side" in said()
    assert "Roll back 1 camera back from version 3 to version 1; the rollout is over" in said()
    assert "Promote now version 3 becomes the champion and serves all 2 cameras" in said()
    assert "Resume" not in said(), "it cannot be pressed"
    rollout, now = list_rollouts(content.ledger, 1)[0], datetime.now(UTC)
    note_progress(content.ledger, rollout.id, {}, {**READING, "cameras": {"a40": "champion"}}, now)
    move(content.ledger, rollout, RolloutState.PAUSED, rollout.phase, 9, Entry(now, "pause", "ann", "x", {}))
    assert "Resume it goes on from shadow, and may advance" in said()
    assert "Roll back no camera changes; the rollout is over" in said()
    assert "Pause" not in said()
    over = Entry(now, "roll back", "ann", "x", {})
    move(content.ledger, rollout, RolloutState.ROLLED_BACK, rollout.phase, 9, over)
    assert said() == ""


def test_the_buttons_of_a_learning_run_and_of_the_queue_say_what_they_will_do(content: Content) -> None:
    content.add_learning()
    content.add_reviews()
    with gr.Blocks():
        rows = [learning_buttons(content.service, "ann"), review_buttons(content.service, "ann")]
    said = " ".join(words(one) for row in rows for one in row.look() if isinstance(one, str))
    assert "Resume the parked run run 2 tries training again" in said
    assert "Drop the open run run 2 is over" in said
    assert "Reopen rejected frames 1 frames that were skipped" in said
