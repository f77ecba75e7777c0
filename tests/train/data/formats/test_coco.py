"""COCO's files as tools leave them are read right, and what is left out is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from streetloop.errors import DatasetError
from tests.support.samples.label_files import CAR, CAR_BBOX, annotation, write_coco_files, write_image
from train.data.formats import ImportedDataset, read_coco


def boxes(imported: ImportedDataset) -> list[tuple[float, ...]]:
    return [b.xyxy for e in imported.dataset.examples for b in e.boxes if not b.ignored]


def test_one_image_with_one_box(tmp_path: Path) -> None:
    found = read_coco(write_coco_files(tmp_path))
    assert boxes(found) == [CAR]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("bad", "note"),
    [
        (annotation(id=9, bbox=None, segmentation=[[1, 1, 5, 1, 5, 5]]), "without a bbox of four numbers"),
        (annotation(id=9, bbox=[]), "without a bbox of four numbers"),
        (annotation(id=9, bbox=["a", 1, 2, 3]), "without a bbox of four numbers"),
        (annotation(id=9, image_id=99), "of images that are not in the file"),
        (annotation(id=9, category_id=99), "of categories that are not in the file"),
        (annotation(id=9, bbox=[float("nan"), 1, 2, 3]), "no numbers"),
        (annotation(id=9, bbox=[1, 1, float("inf"), 3]), "no numbers"),
        (annotation(id=9, bbox=[1, 1, 0, 3]), "without area"),
        (annotation(id=9, bbox=[1000, 1000, 10, 10]), "without area"),
        (annotation(id=9), "doubled boxes are one"),
    ],
)
def test_an_annotation_that_cannot_be_used_is_left_out_by_name(
    tmp_path: Path, bad: dict[str, Any], note: str
) -> None:
    found = read_coco(write_coco_files(tmp_path, [annotation(), bad]))
    assert boxes(found) == [CAR]
    assert any(note in sentence and sentence.endswith("annotation 9") for sentence in found.notes)


def test_an_annotation_without_an_id_is_named_by_its_place(tmp_path: Path) -> None:
    found = read_coco(write_coco_files(tmp_path, [annotation(), annotation(id=None, bbox=None)]))
    assert found.notes[0].endswith("annotation number 1")


@pytest.mark.parametrize(
    ("bbox", "right", "note"),
    [
        ([100, 50, -80, -40], CAR, "turned round"),
        ([-500, -500, 9000, 9000], (0, 0, 200, 100), "cut at the edge"),
    ],
)
def test_a_box_is_mended_and_said(tmp_path: Path, bbox: list[int], right: tuple[float], note: str) -> None:
    found = read_coco(write_coco_files(tmp_path, [annotation(bbox=bbox)]))
    assert boxes(found) == [right]
    assert note in found.notes[0]


@pytest.mark.parametrize("changes", [{"image_id": "1"}, {"image_id": 1.0}, {"category_id": "1"}])
def test_ids_are_of_one_kind(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert boxes(read_coco(write_coco_files(tmp_path, [annotation(**changes)]))) == [CAR]


def test_a_crowd_is_ignored(tmp_path: Path) -> None:
    crowd = annotation(id=8, iscrowd=1, segmentation={"counts": [1, 2], "size": [3, 4]})
    (example,) = read_coco(write_coco_files(tmp_path, [annotation(), crowd])).dataset.examples
    assert (len(example.truth()), len(example.ignored())) == (1, 1)


@pytest.mark.parametrize("annotations", [None, []])
def test_a_file_without_annotations_is_read_and_said(tmp_path: Path, annotations: list[Any] | None) -> None:
    found = read_coco(write_coco_files(tmp_path, annotations))
    assert boxes(found) == []
    assert "there are no annotations" in found.notes[0]


def test_a_category_that_only_groups_others_is_no_class(tmp_path: Path) -> None:
    root = {"id": 0, "name": "vehicles-xyz", "supercategory": "none"}
    car = {"id": 1, "name": "car", "supercategory": "vehicles-xyz"}
    found = read_coco(write_coco_files(tmp_path, categories=[root, car]))
    assert found.dataset.classes == ("car",)
    assert "'vehicles-xyz'" in found.notes[0]
    used = read_coco(write_coco_files(tmp_path, [annotation(category_id=0)], [root, car]))
    assert used.dataset.classes == ("vehicles-xyz", "car")


def test_categories_of_one_name_are_one_class(tmp_path: Path) -> None:
    both = [annotation(), annotation(id=8, category_id=2, bbox=[150, 60, 20, 20])]
    found = read_coco(write_coco_files(tmp_path, both, [{"id": 1, "name": "car"}, {"id": 2, "name": "car"}]))
    assert found.dataset.classes == ("car",)
    assert [b.class_id for b in found.dataset.examples[0].boxes] == [0, 0]
    assert "classes of one name are one class" in found.notes[0]


def test_a_byte_order_mark_is_harmless(tmp_path: Path) -> None:
    path = write_coco_files(tmp_path)
    for encoding in ("utf-8-sig", "utf-16"):
        path.write_bytes(json.dumps(json.loads(path.read_text("utf-8"))).encode(encoding))
        assert boxes(read_coco(path)) == [CAR]
        path.write_text(path.read_bytes().decode(encoding), "utf-8")


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("images/a.png", "a.png"),
        ("images/a.png", "images/a.png"),
        ("images/a.png", "images\\a.png"),
        ("images/b/a.png", "b\\a.png"),
    ],
)
def test_images_are_found_beside_the_json(tmp_path: Path, image: str, name: str) -> None:
    assert boxes(read_coco(write_coco_files(tmp_path, image=image, file_name=name))) == [CAR]


@pytest.mark.parametrize("folder", ["val2017", "images/val2017", "images"])
def test_images_are_found_where_coco_has_them(tmp_path: Path, folder: str) -> None:
    write_image(tmp_path / folder / "a.png")
    path = write_coco_files(tmp_path / "annotations", image="elsewhere.png")
    assert boxes(read_coco(path.rename(path.with_name("instances_val2017.json")))) == [CAR]


def test_images_are_found_in_the_folder_that_is_named(tmp_path: Path) -> None:
    path = write_coco_files(tmp_path / "labels", image="elsewhere.png")
    with pytest.raises(DatasetError, match=r"no image 'a\.png'.*--images"):
        read_coco(path)
    write_image(tmp_path / "photographs/a.png")
    assert boxes(read_coco(path, tmp_path / "photographs")) == [CAR]


@pytest.mark.parametrize("size", [(400, 200), ("400", "200.0"), (401, 200)])
def test_boxes_of_an_image_that_was_scaled_are_scaled_and_said(tmp_path: Path, size: tuple[Any, Any]) -> None:
    x, y, w, h = (2 * v for v in CAR_BBOX)
    path = write_coco_files(tmp_path, [annotation(bbox=[x, y, w, h])], width=size[0], height=size[1])
    found = read_coco(path)
    assert boxes(found) == [pytest.approx(CAR, rel=0.003)]
    assert "boxes are scaled to it: 1, the first in a.png" in found.notes[0]


@pytest.mark.parametrize("size", [(100, 200), (400, 300)])
def test_an_image_that_was_turned_or_cropped_is_refused_by_name(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    with pytest.raises(DatasetError, match=r"image 'a\.png' is 200x100, and the file says \d+x\d+"):
        read_coco(write_coco_files(tmp_path, width=size[0], height=size[1]))


@pytest.mark.parametrize("said", [None, 0, "wide", float("nan"), -1])
def test_a_size_that_is_none_says_nothing(tmp_path: Path, said: object) -> None:
    found = read_coco(write_coco_files(tmp_path, width=said, height=said))
    assert (boxes(found), found.notes) == ([CAR], ())


@pytest.mark.parametrize(
    ("name", "words"),
    [(None, "category 1 has no name"), (" ", "category 1 has no name"), ("car\nbus", "no text of one line")],
)
def test_a_category_without_a_name_of_one_line_is_refused(tmp_path: Path, name: object, words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        read_coco(write_coco_files(tmp_path, categories=[{"id": 1, "name": name}]))


def test_two_rows_of_one_image_are_said(tmp_path: Path) -> None:
    path = write_coco_files(tmp_path)
    content = json.loads(path.read_text())
    content["images"].append({**content["images"][0], "id": 2})
    content["annotations"].append({**annotation(), "id": 8, "image_id": 2, "bbox": CAR_BBOX})
    path.write_text(json.dumps(content))
    found = read_coco(path)
    assert boxes(found) == [CAR]
    assert "images that are there twice count once" in found.notes[0]
    content["images"][1]["id"] = "1"
    path.write_text(json.dumps(content))
    with pytest.raises(DatasetError, match="have the same id"):
        read_coco(path)


@pytest.mark.parametrize(("flag", "right"), [("0", 1), (0.0, 1), ("1", 0), (1, 0), (True, 0), (False, 1)])
def test_a_flag_may_be_text(tmp_path: Path, flag: object, right: int) -> None:
    found = read_coco(write_coco_files(tmp_path, [annotation(iscrowd=flag)]))
    assert boxes(found) == [CAR] * right


def test_an_image_may_be_a_link_out_of_the_folder(tmp_path: Path) -> None:
    path = write_coco_files(tmp_path / "labels", image="../disk/b.png")
    (path.parent / "a.png").symlink_to(tmp_path / "disk/b.png")
    assert boxes(read_coco(path)) == [CAR]


def test_a_file_without_a_category_is_refused(tmp_path: Path) -> None:
    path = write_coco_files(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "categories": []}))
    with pytest.raises(DatasetError, match="its 'categories' name no class"):
        read_coco(path)
