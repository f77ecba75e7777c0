import zipfile
from pathlib import Path

import pytest

from streetloop.errors import InputTooLarge, StoreError
from streetloop.storage.store import FolderStore
from tests.train.data.test_dataset import pure
from train.data.formats import archive, read_coco, read_yolo
from train.data.formats.archive import write_archive


def test_a_zip_can_be_unpacked_anywhere_and_read(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    dataset = pure(store)
    with write_archive(dataset, store, "yolo", tmp_path / "scratch") as file:
        zipfile.ZipFile(file).extractall(tmp_path / "yolo")
    assert {e.image for e in read_yolo(tmp_path / "yolo").dataset.examples} == {
        e.image for e in dataset.examples
    }
    with write_archive(dataset, store, "coco", tmp_path / "scratch") as file:
        zipfile.ZipFile(file).extractall(tmp_path / "coco")
    for path in (tmp_path / "coco/annotations").iterdir():
        found = read_coco(path, images=tmp_path / "coco/images").dataset
        assert found.classes == dataset.classes


def test_nothing_stays_and_what_a_killed_process_left_goes(tmp_path: Path) -> None:
    store, scratch = FolderStore(tmp_path / "store"), tmp_path / "scratch"
    (scratch / "left").mkdir(parents=True)
    write_archive(pure(store), store, "coco", scratch).close()
    assert list(scratch.iterdir()) == []


def test_what_cannot_be_sent_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path / "store")
    dataset = pure(store)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write_archive(dataset, store, "coco", tmp_path / "file" / "scratch")
    monkeypatch.setattr(archive, "MAX_IMAGES", 1)
    with pytest.raises(InputTooLarge, match="`streetloop dataset export --yolo` writes it"):
        write_archive(dataset, store, "yolo", tmp_path / "scratch")
