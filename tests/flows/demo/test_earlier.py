"""A second demo throws away what the first left, but for its story, and says so."""

import os
from pathlib import Path

import pytest

from flows.demo.earlier import make_room
from streetloop.errors import ConfigError
from streetloop.host.home import lock_home


def test_the_first_demo_finds_nothing(tmp_path: Path) -> None:
    assert make_room(tmp_path, tmp_path / "loop") is None


def test_the_story_stays_and_the_rest_goes(tmp_path: Path) -> None:
    stories = tmp_path / "stories"
    for number in range(22):
        loop = tmp_path / "loop"
        loop.mkdir()
        (loop / "ledger.db").touch()
        (loop / "report.html").write_text(f"story {number}")
        os.utime(loop / "report.html", (number * 60.0, number * 60.0))
        told = make_room(tmp_path, loop)
        assert not loop.exists()
        assert told is not None
        assert f"its story stays in {stories.absolute()}" in told
    kept = sorted(stories.iterdir())
    assert [page.read_text() for page in kept] == [f"story {n}" for n in range(2, 22)]


def test_a_demo_without_a_story_is_thrown_away_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "loop").mkdir()
    told = make_room(tmp_path, tmp_path / "loop")
    assert told == "the labels, models and detections of the demo before are thrown away"


def test_a_demo_that_runs_is_not_thrown_away(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    with lock_home(loop), pytest.raises(ConfigError, match="is in use by process"):
        make_room(tmp_path, loop)
    assert loop.exists()
