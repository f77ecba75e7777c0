"""When a demo is over, and which learning run its story is about."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.demo import progress
from flows.demo.progress import DemoProgress, run_of_story
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.learning import Step, begin_learning, go_on, list_learning

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


def test_without_a_learning_run_there_is_no_story(ledger: Ledger) -> None:
    assert run_of_story(list_learning(ledger)) is None


def test_a_run_that_begins_after_the_first_is_over_is_another_story(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    is_over = DemoProgress(ledger, 40, said.append)
    first = begin_learning(ledger, "learn-1", {"kind": "drift"}, NOON)
    assert not is_over()
    assert said[-1].startswith("labeling: 0 of 40")
    go_on(ledger, first, Step.PROMOTED, NOON)
    begin_learning(ledger, "learn-2", {"kind": "drift"}, NOON)
    assert not is_over(), "the new champion is watched for a while"
    assert said[-1] == "the new champion at work"
    monkeypatch.setattr(progress, "_AFTERWARDS_S", 0.0)
    assert is_over()
    story = run_of_story(list_learning(ledger))
    assert story is not None
    assert story.name == "learn-1"
