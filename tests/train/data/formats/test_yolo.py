"""YOLO's files as tools and people leave them are read right, or refused by name."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from streetloop.errors import DatasetError
from tests.support.samples.label_files import CAR, CAR_ROW, write_image, write_yolo_files
from train.data.dataset import TRAIN, VALIDATION
from train.data.formats import ImportedDataset, read_yolo


def boxes(imported: ImportedDataset) -> list[tuple[float, ...]]:
    return [tuple(round(v, 3) for v in b.xyxy) for e in imported.dataset.examples for b in e.boxes]


def test_one_image_with_one_box(tmp_path: Path) -> None:
    found = read_yolo(write_yolo_files(tmp_path))
    assert boxes(found) == [CAR]
    assert found.dataset.classes == ("car",)
    assert [e.split for e in found.dataset.examples] == [VALIDATION]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("row", "note"),
    [
        ("0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5", "polygons are read as the box around them"),
        ("0 0.5 0.3 0.3 0.5 0.1 0.3 0.3 0.1", "polygons are read as the box around them"),
        ("0 0.1 0.1 0.5 0.1 0.3 0.5", "polygons are read as the box around them"),
        ("0 0.3 0.3 0.4 0.4 0.91", "confidences of labels are left out"),
        (CAR_ROW + CAR_ROW, "doubled boxes are one"),
        (CAR_ROW + "0 0.3001 0.3 0.4 0.4", "doubled boxes are one"),
        (CAR_ROW + "0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5", "doubled boxes are one"),
        (CAR_ROW + "0 0.5 0.5 0 0", "boxes without area are left out"),
        (CAR_ROW + "0 0.5 0.5 0.2 0", "boxes without area are left out"),
    ],
)
def test_rows_that_are_no_plain_box_are_read_as_one_and_said(tmp_path: Path, row: str, note: str) -> None:
    found = read_yolo(write_yolo_files(tmp_path, row))
    assert boxes(found) == [CAR]
    assert any(note in sentence and "a.txt, line" in sentence for sentence in found.notes)


@pytest.mark.parametrize(
    "row", ["0 0.3 0.3 0.4 0.4 17", "0 0.1 0.1 0.5 0.1 0.5 0.5 0.1", "0 0.1 0.1 0.5 0.1 0.5 inf 0.1 0.5"]
)
def test_rows_of_no_known_kind_are_refused_with_their_line(tmp_path: Path, row: str) -> None:
    with pytest.raises(DatasetError, match=r"a\.txt, line 1: "):
        read_yolo(write_yolo_files(tmp_path, row))


def test_a_pose_is_not_taken_for_a_polygon(tmp_path: Path) -> None:
    content = "val: images\nnames: [car]\nkpt_shape: [2, 2]\n"
    found = read_yolo(write_yolo_files(tmp_path, "0 0.3 0.3 0.4 0.4 0.9 0.9 0.1 0.9", content))
    assert boxes(found) == [CAR]
    assert "keypoints are left out" in found.notes[0]
    with pytest.raises(DatasetError, match="kpt_shape"):
        read_yolo(write_yolo_files(tmp_path, CAR_ROW, content))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_labels_of_any_encoding_are_read_or_named(tmp_path: Path, encoding: str) -> None:
    folder = write_yolo_files(tmp_path, CAR_ROW.replace("\n", "\r\n").encode(encoding))
    if encoding in {"utf-16-le", "utf-16-be"}:  # without the mark that says so
        with pytest.raises(DatasetError, match=r"a\.txt: is not UTF-8"):
            read_yolo(folder)
    else:
        assert boxes(read_yolo(folder)) == [CAR]


def test_a_data_yaml_of_another_encoding_is_named(tmp_path: Path) -> None:
    folder = write_yolo_files(tmp_path)
    (folder / "data.yaml").write_bytes("val: images\nnames: [Fußgänger]\n".encode("latin-1"))
    with pytest.raises(DatasetError, match=r"data\.yaml: is not UTF-8"):
        read_yolo(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("val.txt", b"\xef\xbb\xbfimages/a.png\n"),
        ("val.txt", "images/a.png\n".encode("utf-16")),
        ("val.txt", b"./images/a.png\r\n\r\n"),
        ("val.txt", b"images\\a.png\r\n"),
        ("splits/val.txt", b"../images/a.png\n"),
        ("splits/val.txt", b"./../images/a.png\n"),
        ("splits/val.txt", b"images/a.png\n"),
    ],
)
def test_lists_are_relative_to_their_folder_and_then_to_the_root(
    tmp_path: Path, name: str, content: bytes
) -> None:
    folder = write_yolo_files(tmp_path, content=f"path: .\nval: {name}\nnames: [car]\n")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    assert boxes(read_yolo(folder)) == [CAR]


def test_lists_may_name_files_with_spaces_and_absolute_paths(tmp_path: Path) -> None:
    folder = write_yolo_files(tmp_path, content="val: val.txt\nnames: [car]\n", image="images/my car.png")
    for line in ("images/my car.png", f"{folder}/images/my car.png"):
        (folder / "val.txt").write_text(f"{line}\n")
        assert boxes(read_yolo(folder)) == [CAR]
    (folder / "val.txt").write_text("images/my car.png\nimages/gone.png\n")
    with pytest.raises(DatasetError, match=r"val\.txt, line 2: there is no image images/gone\.png"):
        read_yolo(folder)
    (folder / "val.txt").write_text(f"images/{'n' * 300}.png\n")
    with pytest.raises(DatasetError, match="cannot be read: File name too long"):
        read_yolo(folder)


@pytest.mark.parametrize("prefix", ["../", "..\\", ""])
@pytest.mark.parametrize("key", ["val", "validation", "valid"])
def test_roboflow_s_folders_are_found(tmp_path: Path, prefix: str, key: str) -> None:
    content = f"train: {prefix}train/images\n{key}: {prefix}valid/images\nnc: 1\nnames: [car]\n"
    write_yolo_files(tmp_path, content=content, image="valid/images/a.png")
    write_image(tmp_path / "train/images/b.png", 1)
    splits = {e.origin["file"]: e.split for e in read_yolo(tmp_path).dataset.examples}
    assert splits == {"a.png": VALIDATION, "b.png": TRAIN}


@pytest.mark.parametrize("name", ["._b.png", ".thumb.png", ".thumbs/b.png", "__MACOSX/b.png"])
def test_hidden_files_and_folders_are_no_images(tmp_path: Path, name: str) -> None:
    folder = write_yolo_files(tmp_path)
    write_image(folder / "images" / name, 1)
    (folder / "images/folder.png").mkdir()
    assert len(read_yolo(folder).dataset) == 1


def test_a_hidden_folder_above_the_dataset_hides_nothing(tmp_path: Path) -> None:
    assert len(read_yolo(write_yolo_files(tmp_path / ".cache/set")).dataset) == 1


def test_images_and_labels_in_one_folder_are_read(tmp_path: Path) -> None:
    write_yolo_files(tmp_path, content="val: .\nnames: [car]\n", image="a.png")
    assert boxes(read_yolo(tmp_path)) == [CAR]


def test_images_without_labels_are_counted(tmp_path: Path) -> None:
    found = read_yolo(write_yolo_files(tmp_path, None))
    assert boxes(found) == []
    assert "images without a label file count as empty: 1" in found.notes[0]


def test_an_image_of_two_splits_is_said(tmp_path: Path) -> None:
    folder = write_yolo_files(tmp_path, content="train: [images, other/images]\nval: images\nnames: [car]\n")
    (folder / "other/images").mkdir(parents=True)
    shutil.copy(folder / "images/a.png", folder / "other/images/b.png")
    found = read_yolo(folder)
    assert [e.split for e in found.dataset.examples] == [VALIDATION]
    (note,) = [n for n in found.notes if "share" in n]
    assert note.startswith("images that train and val share are only for val: 2")


@pytest.mark.parametrize(
    ("row", "said"), [(CAR_ROW, "count once"), ("0 0.8 0.8 0.1 0.1\n", "keep the labels of the first")]
)
def test_an_image_that_is_twice_in_a_split_is_said(tmp_path: Path, row: str, said: str) -> None:
    folder = write_yolo_files(tmp_path)
    shutil.copy(folder / "images/a.png", folder / "images/b.png")
    (folder / "labels/b.txt").write_text(row)
    found = read_yolo(folder)
    assert boxes(found) == [CAR]
    assert f"images that are there twice {said}: 1, the first in b.png, which is a.png" in found.notes


def test_classes_of_one_name_are_one(tmp_path: Path) -> None:
    folder = write_yolo_files(tmp_path, "1 0.3 0.3 0.4 0.4\n", "val: images\nnames: [car, Car, bus]\n")
    found = read_yolo(folder)
    assert found.dataset.classes == ("car", "bus")
    assert [b.class_id for b in found.dataset.examples[0].boxes] == [0]
    assert "classes of one name are one class" in found.notes[0]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("[no, yes]", "the name of class 0 is read as a truth value by YAML; quote it"),
        ("{0: car, 1: 2026-11-29}", "the name of class 1 is read as a date by YAML; quote it"),
        ("[car, ~]", "the name of class 1 is no text"),
    ],
)
def test_a_class_name_that_yaml_takes_for_something_else_is_to_be_quoted(
    tmp_path: Path, names: str, words: str
) -> None:
    with pytest.raises(DatasetError, match=words):
        read_yolo(write_yolo_files(tmp_path, CAR_ROW, f"val: images\nnames: {names}\n"))


def test_a_path_from_the_home_of_the_user_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = write_yolo_files(tmp_path / "sets")
    (folder / "data.yaml").write_text("path: ~/sets\nval: images\nnames: [car]\n")
    assert boxes(read_yolo(folder)) == [CAR]


def test_a_data_yaml_that_is_nested_far_too_deep_is_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is not YAML"):
        read_yolo(write_yolo_files(tmp_path, CAR_ROW, "names: " + "[" * 5000))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK", "P", "1", "I;16"])
def test_pictures_of_every_mode_are_read(tmp_path: Path, mode: str) -> None:
    folder = write_yolo_files(tmp_path)
    (folder / "images" / "a.jpg").unlink(missing_ok=True)
    (folder / "images" / "a.png").unlink(missing_ok=True)
    suffix = "jpg" if mode in {"L", "CMYK"} else "png"
    Image.new(mode, (200, 100)).save(folder / "images" / f"a.{suffix}")
    found = read_yolo(folder)
    assert boxes(found) == [CAR]
    assert (found.dataset.examples[0].width, found.dataset.examples[0].height) == (200, 100)


@pytest.mark.parametrize(
    "row", [CAR_ROW.replace(" ", "\t"), "0.0" + CAR_ROW[1:], "+0" + CAR_ROW[1:], CAR_ROW + "\n \n"]
)
def test_rows_with_other_spaces_and_numbers_are_read(tmp_path: Path, row: str) -> None:
    assert boxes(read_yolo(write_yolo_files(tmp_path, row))) == [CAR]
