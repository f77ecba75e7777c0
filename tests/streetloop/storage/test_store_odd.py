"""Odd keys and places: each a StoreError."""

from pathlib import Path

import pytest

from streetloop.errors import StoreError
from streetloop.storage.store import FolderStore


@pytest.mark.parametrize("key", ["file/below", "x" * 300, "x" * 230, "\ud800"])
def test_a_place_that_cannot_be_written_is_a_store_error(tmp_path: Path, key: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError):
        FolderStore(tmp_path).put(key, b"x")


def test_a_store_below_a_file_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError):
        FolderStore(tmp_path / "file" / "store").put("a", b"x")


def test_an_object_whose_name_ends_like_a_part_is_listed(tmp_path: Path) -> None:
    FolderStore(tmp_path).put("video.part", b"x")
    assert list(FolderStore(tmp_path).keys()) == ["video.part"]


@pytest.mark.parametrize("prefix", ["", "log/"])
def test_a_prefix_that_lists_also_has_an_address(tmp_path: Path, prefix: str) -> None:
    assert FolderStore(tmp_path).uri(prefix)
