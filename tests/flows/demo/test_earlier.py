"""A second demo says what it throws away of the first before it does; the story stays."""

import os
import re
from pathlib import Path

import pytest
from rich.console import Console

from flows.demo import terminal
from flows.demo.earlier import make_room
from streetloop.errors import ConfigError
from streetloop.host.home import lock_home
from tests.support.control_service import Content, register_versions


def test_the_first_demo_finds_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    make_room(tmp_path, tmp_path / "loop", told.append)
    assert told == []


def test_what_goes_is_told_in_numbers_before_it_goes(tmp_path: Path) -> None:
    content = Content(tmp_path / "loop")
    content.add_reviews()  # one is labeled, one in a dataset
    register_versions(content)
    content.ledger.close()
    told: list[str] = []

    def wait() -> None:
        assert (tmp_path / "loop" / "ledger.db").is_file()
        (sentence,) = told
        assert re.search(
            "left: 2 labels, 3 model versions, [1-9] MB in all; it has no story to keep", sentence
        )
        told.append("waited")

    make_room(tmp_path, tmp_path / "loop", told.append, wait)
    assert told[1:] == ["waited"]
    assert not (tmp_path / "loop").exists()


def test_whoever_ends_it_meanwhile_keeps_everything(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.mkdir()
    (loop / "report.html").write_text("story")

    def wait() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_room(tmp_path, tmp_path / "loop", lambda _: None, wait)
    assert (loop / "report.html").read_text() == "story"
    assert not (tmp_path / "stories").exists()


def test_what_cannot_be_counted_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "ledger.db").write_text("no database " * 100)
    told: list[str] = []
    make_room(tmp_path, tmp_path / "loop", told.append)
    assert "labels and models that cannot be counted (" in told[0]
    assert not (tmp_path / "loop").exists()


def test_the_story_stays_and_the_rest_goes(tmp_path: Path) -> None:
    stories = tmp_path / "stories"
    for number in range(22):
        loop = tmp_path / "loop"
        loop.mkdir()
        (loop / "report.html").write_text(f"story {number}")
        os.utime(loop / "report.html", (number * 60.0, number * 60.0))
        told: list[str] = []
        make_room(tmp_path, tmp_path / "loop", told.append)
        assert not loop.exists()
        assert told[0] == "this throws away what the demo before left: 0 MB in all; its story stays"
        assert told[1].startswith(f"its story is in {stories.absolute()}")
    kept = sorted(stories.iterdir())
    assert [page.read_text() for page in kept] == [f"story {n}" for n in range(2, 22)]


def test_a_demo_that_runs_is_not_thrown_away(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    with lock_home(loop), pytest.raises(ConfigError, match="is in use by process"):
        make_room(tmp_path, tmp_path / "loop", lambda _: None)
    assert loop.exists()


def test_on_a_terminal_there_are_seconds_to_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("flows.demo.terminal.time.sleep", slept.append)
    shown: list[str] = []
    terminal._time_to_keep(Console(force_terminal=True), shown.append)()
    assert slept == [1] * 10
    assert shown[0] == "Ctrl-C keeps it: it is removed in 10 seconds"
    terminal._time_to_keep(Console(force_terminal=False), shown.append)()
    assert len(slept) == 10, "nobody reads what no terminal shows"
