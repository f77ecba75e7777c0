"""Which clips were played is remembered."""

from pathlib import Path

import pytest

from flows.stream.sources.watched.played_clips import PlayedClips
from streetloop.errors import SourceUnavailable


def test_what_was_played_is_known_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.jsonl"
    PlayedClips(file).note("früh.mp4", (12, "v1"))
    again = PlayedClips(file)
    assert again.look("früh.mp4") == (12, "v1")
    assert again.look("b.mp4") is None


def test_the_newest_look_counts(tmp_path: Path) -> None:
    played = PlayedClips(tmp_path / "a.jsonl")
    played.note("a.mp4", (1, "v1"))
    played.note("a.mp4", (2, "v2"))
    assert PlayedClips(tmp_path / "a.jsonl").look("a.mp4") == (2, "v2")


def test_without_a_file_it_is_remembered_in_the_process() -> None:
    played = PlayedClips()
    played.note("a.mp4", (1, "v1"))
    assert played.look("a.mp4") == (1, "v1")


def test_a_line_that_was_cut_off_costs_its_clip_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    PlayedClips(file).note("a.mp4", (1, "v1"))
    with file.open("a") as more:
        more.write('{"name": "b.m')
    assert PlayedClips(file).look("a.mp4") == (1, "v1")


def test_a_memory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    played = PlayedClips(tmp_path / "file" / "a.jsonl")
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceUnavailable, match=r"a\.jsonl cannot be written"):
        played.note("a.mp4", (1, "v1"))


def test_a_memory_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="cannot be read"):
        PlayedClips(tmp_path)
