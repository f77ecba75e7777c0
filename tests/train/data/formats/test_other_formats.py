"""Label Studio, BDD100K, KITTI and MOT: the box is the same, whatever wrote it."""

from pathlib import Path
from typing import Any

import pytest

from streetloop.errors import DatasetError
from tests.support.samples.label_files import (
    CAR,
    rectangle,
    write_bdd100k_files,
    write_kitti_files,
    write_label_studio_files,
    write_mot_files,
)
from train.data.dataset import TRAIN, VALIDATION
from train.data.formats import ImportedDataset
from train.data.formats.bdd100k import read_bdd100k
from train.data.formats.kitti import read_kitti
from train.data.formats.label_studio import read_label_studio
from train.data.formats.mot import read_mot


def boxes(imported: ImportedDataset) -> list[tuple[float, ...]]:
    found = (box for example in imported.dataset.examples for box in example.boxes if not box.ignored)
    return [tuple(round(v, 3) for v in box.xyxy) for box in found]


def ignored(imported: ImportedDataset) -> int:
    return sum(box.ignored for example in imported.dataset.examples for box in example.boxes)


POINTS = [[10, 10], [50, 10], [50, 50], [10, 50]]


@pytest.mark.parametrize(
    ("result", "note"),
    [
        (rectangle(), ""),
        (rectangle(rotation=360), ""),
        (rectangle(rotation=1e-9), ""),
        (rectangle(x=50, y=50, width=-40, height=-40), "turned round"),
        (rectangle(x=50, y=50, rotation=180), "as the box around them"),
        ({"type": "polygonlabels", "value": {"points": POINTS, "polygonlabels": ["car"]}}, "the box around"),
    ],
)
def test_label_studio_s_shapes_are_the_box_around_them(
    tmp_path: Path, result: dict[str, Any], note: str
) -> None:
    found = read_label_studio(write_label_studio_files(tmp_path, result))
    assert boxes(found) == [CAR]
    assert found.dataset.classes == ("car",)
    assert note in " ".join(found.notes)
    assert bool(found.notes) is bool(note)


def test_a_rectangle_is_turned_in_pixels_about_its_corner(tmp_path: Path) -> None:
    """80 x 40 pixels in an image of 200 x 100, turned by 90 degrees: 40 wide, 80 high."""
    found = read_label_studio(write_label_studio_files(tmp_path, rectangle(x=50, y=10, rotation=90)))
    assert boxes(found) == [(60, 10, 100, 90)]


@pytest.mark.parametrize(
    "result",
    [
        {"type": "choices", "value": {"choices": ["night"]}},
        rectangle(rectanglelabels=["car", "bus"]),
        rectangle(x="a"),
        {**rectangle(), "image_rotation": 90},
    ],
)
def test_other_results_are_left_out_and_said(tmp_path: Path, result: dict[str, Any]) -> None:
    found = read_label_studio(write_label_studio_files(tmp_path, rectangle(), result))
    assert boxes(found) == [CAR]
    assert "left out: 1, the first in task 5" in found.notes[0]


def test_the_newest_answer_counts_and_a_cancelled_one_does_not(tmp_path: Path) -> None:
    answers = [
        {"result": [rectangle()], "updated_at": "2026-11-02"},
        {"result": [], "updated_at": "2026-11-01"},
        {"result": [], "updated_at": "2026-11-03", "was_cancelled": True},
    ]
    assert boxes(read_label_studio(write_label_studio_files(tmp_path, annotations=answers))) == [CAR]
    none = write_label_studio_files(tmp_path, annotations=[])
    with pytest.raises(DatasetError, match="names no images"):
        read_label_studio(none)


@pytest.mark.parametrize(
    "address", ["/data/local-files/?d=set/a.png", "http://host:8080/data/upload/3/a.png?x=1", "s3://b/a.png"]
)
def test_an_image_is_found_by_its_name(tmp_path: Path, address: str) -> None:
    path = write_label_studio_files(tmp_path, rectangle(), data={"image": address})
    assert boxes(read_label_studio(path)) == [CAR]


def test_bdd100k_has_conditions_as_slices(tmp_path: Path) -> None:
    path = write_bdd100k_files(tmp_path, timeofday="night", weather="rainy", scene="highway")
    found = read_bdd100k(path)
    (example,) = found.dataset.examples
    assert (boxes(found), ignored(found)) == ([CAR], 1)
    assert (example.split, example.slices) == (TRAIN, ("night", "rainy"))
    assert any("labels without a box, such as lanes" in note for note in found.notes)
    plain = read_bdd100k(path, tmp_path / "images/100k/train", VALIDATION)
    assert plain.dataset.examples[0].split == VALIDATION


def test_bdd100k_s_undefined_is_no_slice(tmp_path: Path) -> None:
    found = read_bdd100k(write_bdd100k_files(tmp_path, timeofday="undefined", weather="clear"))
    assert found.dataset.examples[0].slices == ("clear",)


def test_kitti_s_regions_that_do_not_matter_are_ignored(tmp_path: Path) -> None:
    found = read_kitti(write_kitti_files(tmp_path))
    assert (boxes(found), ignored(found), found.dataset.classes) == ([CAR], 1, ("Car",))
    assert found.dataset.examples[0].split == TRAIN
    (tmp_path / "training/label_2/000000.txt").write_text("Car 0 0 0 1 2\n")
    with pytest.raises(DatasetError, match=r"000000\.txt, line 1"):
        read_kitti(tmp_path / "training")


@pytest.mark.parametrize(
    ("rows", "right", "unclear"),
    [
        ("1,1,21,11,80,40,1,3,1.0\n", 1, 0),
        ("1,1,21,11,80,40\n", 1, 0),
        ("1,1,21,11,80,40,1,-1,-1,-1\n", 1, 0),
        ("1,1,21,11,80,40,1,8.3,2.1,0\n", 1, 0),
        ("1,1,21,11,80,40,0,3,1.0\n", 0, 1),
        ("1,1,21,11,80,40,1,8,1.0\n", 0, 1),
        ("1,1,21,11,80,40,1,9,1.0\n", 0, 0),
    ],
)
def test_mot_counts_from_1_and_has_boxes_that_need_not_be_found(
    tmp_path: Path, rows: str, right: int, unclear: int
) -> None:
    sequence = write_mot_files(tmp_path, rows)
    for path in (sequence, tmp_path):
        found = read_mot(path)
        assert (boxes(found), ignored(found)) == ([CAR] * right, unclear)
        assert [e.camera_id for e in found.dataset.examples] == ["MOT17-02"] * 2


def test_labels_without_a_picture_are_said(tmp_path: Path) -> None:
    training = write_kitti_files(tmp_path)
    (training / "label_2/000007.txt").write_text("")
    assert "label files without an image are left out: 1" in read_kitti(training).notes[0]
    found = read_mot(write_mot_files(tmp_path, "1,1,21,11,80,40\n9,1,21,11,80,40\n"))
    assert "boxes of frames without an image are left out: 1" in found.notes[0]
    assert "frame 9" in found.notes[0]


@pytest.mark.parametrize("read", [read_bdd100k, read_label_studio])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, read: Any) -> None:
    path = tmp_path / "x.json"
    for content in ("{}", "[1]", "nothing"):
        path.write_text(content)
        with pytest.raises(DatasetError, match=r"x\.json"):
            read(path)


@pytest.mark.parametrize("read", [read_kitti, read_mot])
def test_a_folder_of_another_kind_is_refused(tmp_path: Path, read: Any) -> None:
    with pytest.raises(DatasetError, match="there is no"):
        read(tmp_path)
