import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streetloop.errors import DatasetError
from streetloop.storage.store import FolderStore
from tests.support.samples.coco import coco_content
from tests.train.data.test_dataset import pure
from train.data.dataset import TRAIN, VALIDATION, Dataset
from train.data.formats import read_coco, read_yolo, write_coco, write_yolo


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def _boxes(dataset: Dataset) -> dict[str, list[tuple[int, list[float]]]]:
    return {e.image: [(b.class_id, [round(v, 3) for v in b.xyxy]) for b in e.boxes] for e in dataset.examples}


def test_yolo_and_back_is_the_same(store: FolderStore, tmp_path: Path) -> None:
    dataset = pure(store)
    again = read_yolo(write_yolo(dataset, store, tmp_path / "yolo")).dataset
    assert again.classes == dataset.classes
    assert _boxes(again) == _boxes(dataset)
    assert {e.image: e.split for e in again.examples} == {e.image: e.split for e in dataset.examples}


@pytest.mark.parametrize("write", [write_yolo, write_coco])
def test_two_datasets_are_not_mixed_in_one_folder(store: FolderStore, tmp_path: Path, write: Any) -> None:
    dataset = pure(store)
    first = Dataset(dataset.classes, dataset.examples[1:])
    write(first, store, tmp_path / "out")
    write(first, store, tmp_path / "out")
    write(dataset, store, tmp_path / "out")
    with pytest.raises(DatasetError, match="has images of another dataset"):
        write(first, store, tmp_path / "out")


def test_a_coco_file_is_read(store: FolderStore, tmp_path: Path) -> None:
    dataset = pure(store)
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(coco_content(dataset)))
    again = read_coco(path, images=Path(store.uri(""))).dataset
    assert again.classes == dataset.classes
    assert _boxes(again) == _boxes(dataset)


def test_images_of_both_splits_are_for_validation(store: FolderStore, tmp_path: Path) -> None:
    path = write_yolo(pure(store), store, tmp_path / "yolo")
    path.write_text("path: .\ntrain: train/images\nval: train/images\nnames: [car, bus]\n")
    assert {e.split for e in read_yolo(path).dataset.examples} == {VALIDATION}


def test_an_image_without_labels_is_empty(store: FolderStore, tmp_path: Path) -> None:
    path = write_yolo(pure(store), store, tmp_path / "yolo")
    (label, *_) = sorted((tmp_path / "yolo/train/labels").iterdir())
    label.unlink()
    found = {e.image: e for e in read_yolo(path.parent).dataset.examples}
    assert found[label.stem].boxes == ()
    assert found[label.stem].split == TRAIN


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("car 1 2 3 4", "class x y"),
        ("7 0.5 0.5 0.1 0.1", "class 7"),
        ("0 0.5 0.5", "class x y"),
        ("0 30 20 10 10", "outside"),
        ("0 0.5 -0.5 0.1 0.1", "outside"),
        ("0 nan 0.5 1 1", "outside"),
    ],
)
def test_a_bad_label_is_named_with_its_line(
    store: FolderStore, tmp_path: Path, line: str, complaint: str
) -> None:
    path = write_yolo(pure(store), store, tmp_path / "yolo")
    (label, *_) = sorted((tmp_path / "yolo/train/labels").iterdir())
    label.write_text(f"\n{line}\n")
    with pytest.raises(DatasetError, match=f"line 2.*{complaint}"):
        read_yolo(path)


@pytest.mark.parametrize(
    "text", ["", "- a", "names: {0: car}", "names: [car]\ntrain: nowhere", "names: {1: car}\ntrain: ."]
)
def test_a_bad_data_yaml_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(text)
    with pytest.raises(DatasetError, match=r"data\.yaml"):
        read_yolo(path)


def test_a_corrupt_image_is_named(store: FolderStore, tmp_path: Path) -> None:
    path = write_yolo(pure(store), store, tmp_path / "yolo")
    (image, *_) = sorted((tmp_path / "yolo/train/images").iterdir())
    image.write_bytes(b"not an image")
    with pytest.raises(DatasetError, match=image.name):
        read_yolo(path)


@pytest.mark.parametrize("content", ["", "[]", '{"images": []}', '{"images": [{"id": 1}]}'])
def test_a_bad_coco_json_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "coco.json"
    path.write_text(content)
    with pytest.raises(DatasetError, match=r"coco\.json"):
        read_coco(path)


def test_coco_images_may_not_lead_out_of_their_folder(tmp_path: Path) -> None:
    content = {
        "images": [{"id": 1, "file_name": "../../etc/passwd"}],
        "annotations": [],
        "categories": [{"id": 1, "name": "car"}],
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(content))
    with pytest.raises(DatasetError, match="leads out"):
        read_coco(path)


def test_boxes_over_the_edge_are_cut(store: FolderStore, tmp_path: Path) -> None:
    path = write_yolo(pure(store), store, tmp_path / "yolo")
    (label, *_) = sorted((tmp_path / "yolo/train/labels").iterdir())
    label.write_text("0 0.0 0.0 0.5 0.5\n")
    found = {e.image: e for e in read_yolo(path).dataset.examples}
    assert np.allclose(found[label.stem].boxes[0].xyxy, (0, 0, 15, 10))
