import os
import stat
from pathlib import Path

import pytest

from streetloop.host.files import PRIVATE, copy_whole, is_part, keep_private, write_whole


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    write_whole(path, "städte")
    assert path.read_text(encoding="utf-8") == "städte"
    write_whole(path, b"\0\xff")
    assert path.read_bytes() == b"\0\xff"
    assert list(path.parent.iterdir()) == [path]


def test_a_private_file_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("old, and readable by all")
    write_whole(path, "new", PRIVATE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_of_ours_becomes_private_and_one_that_others_need_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = tmp_path / "home", tmp_path / "user"
    monkeypatch.setenv("HOME", str(theirs))
    for folder in (ours, theirs):
        folder.mkdir(mode=0o755)
        keep_private(folder / "ledger.db")
        assert stat.S_IMODE((folder / "ledger.db").stat().st_mode) == 0o600
    assert stat.S_IMODE(ours.stat().st_mode) == 0o700
    assert stat.S_IMODE(theirs.stat().st_mode) == 0o755


def test_the_root_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    changed: list[Path] = []
    monkeypatch.setattr(Path, "chmod", lambda path, _: changed.append(path))
    monkeypatch.setattr(os, "getuid", lambda: Path("/").stat().st_uid)
    keep_private(Path("/proc"))  # a file in the root would do; this one is there and is nobody's to make
    assert Path("/") not in changed


def test_without_a_mode_the_umask_decides(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_failed_write_leaves_the_old_file_and_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    write_whole(path, "old")

    def refuse(self: Path, target: Path) -> Path:
        assert is_part(self)
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_where_a_folder_should_be_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(OSError, match="a"):
        write_whole(tmp_path / "a" / "b", "y")


def test_a_copy_is_whole(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"12345")
    copy_whole(source, tmp_path / "folder" / "copy")
    assert (tmp_path / "folder" / "copy").read_bytes() == b"12345"


def test_a_copy_of_what_is_missing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    write_whole(path, "old")
    with pytest.raises(OSError, match="missing"):
        copy_whole(tmp_path / "missing", path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
