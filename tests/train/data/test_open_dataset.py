"""Datasets by name: what is no dataset is refused in a sentence."""

from pathlib import Path

import pytest

from streetloop.errors import DatasetError
from streetloop.storage.store import FolderStore
from train.data.open_dataset import open_dataset


@pytest.mark.parametrize("address", ["http://u:s3cret@h/data.yaml", "http:/u:s3cret@h/c.json", "u:s3cret@h"])
def test_an_address_is_refused_and_not_repeated(address: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"^a dataset: that is an address, not a file") as raised:
        open_dataset(address, FolderStore(tmp_path))
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("suffix", [".json", ".yaml", ""])
def test_a_name_that_is_too_long_is_said_to_be(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read: File name too long"):
        open_dataset(f"{tmp_path}/{'n' * 300}{suffix}", FolderStore(tmp_path))
