import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from faster_coco_eval import COCO
from hypothesis import given
from hypothesis import strategies as st

from streetloop.city.export import export_clip, write_data_yaml, yolo_row
from streetloop.city.render.shapes import CLASSES
from streetloop.city.truth import Seen, Truth
from streetloop.city.view import View
from streetloop.errors import StoreError
from streetloop.video import VideoReader
from tests.support.samples.city import view

_FRAMES = 6
_OPTIONS = ("traffic=busy", "start=40", "event=stalled-vehicle@0:3600")


def _street() -> View:
    return view("millbrook/crossing", *_OPTIONS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of six frames."""
    path = tmp_path_factory.mktemp("export") / "new" / "clip"
    export_clip(_street(), _FRAMES, path)
    return path


@pytest.fixture(scope="module")
def truths() -> list[Truth]:
    return [_street().truth(frame) for frame in range(_FRAMES)]


def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_everything_is_there_and_nothing_else(folder: Path) -> None:
    frames = [f"{frame:06d}" for frame in range(_FRAMES)]

    assert _names(folder) == sorted(
        ["clip.mp4", "coco.json", "data.yaml", "truth.jsonl"]
        + [f"images/{frame}.jpg" for frame in frames]
        + [f"labels/{frame}.txt" for frame in frames]
    )


def test_the_clip_has_all_frames_at_their_times(folder: Path) -> None:
    with VideoReader(str(folder / "clip.mp4"), "clip") as reader:
        shown = list(reader.pictures())

    assert [time for time, _ in shown] == pytest.approx([k / 10 for k in range(_FRAMES)], abs=1e-3)
    for frame, (_, picture) in enumerate(shown):
        drawn = _street().render(frame).astype(int)
        assert np.abs(picture.bgr() - drawn).mean() < 8


def test_the_images_show_the_frames(folder: Path) -> None:
    for frame in range(_FRAMES):
        image = cv2.imread(str(folder / "images" / f"{frame:06d}.jpg"))
        assert np.abs(image.astype(int) - _street().render(frame)).mean() < 4


def test_labels_are_fractions_of_the_image_and_equal_to_what_is_clear(
    folder: Path, truths: list[Truth]
) -> None:
    for frame, truth in enumerate(truths):
        rows = np.loadtxt(folder / "labels" / f"{frame:06d}.txt", ndmin=2)
        assert ((rows[:, 1:] >= 0) & (rows[:, 1:] <= 1)).all()
        centre, size = rows[:, 1:3] * (160, 90), rows[:, 3:] * (160, 90)
        boxes = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
        assert boxes == pytest.approx(np.array([t.xyxy for t in truth.clear()]), abs=1e-3)
        assert [CLASSES[int(k)] for k in rows[:, 0]] == [t.class_name for t in truth.clear()]


def test_yolos_data_file_names_the_classes_and_folders(folder: Path) -> None:
    data = yaml.safe_load((folder / "data.yaml").read_text())

    assert data["names"] == dict(enumerate(CLASSES))
    assert (folder / data["train"]).is_dir()
    assert (folder / data["val"]).is_dir()


def test_coco_can_be_loaded_and_ignores_what_is_not_clear(folder: Path, truths: list[Truth]) -> None:
    coco = COCO(str(folder / "coco.json"))

    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == list(CLASSES)
    assert len(coco.getImgIds()) == _FRAMES
    for frame, truth in enumerate(truths):
        image = coco.loadImgs([frame + 1])[0]
        assert (image["file_name"], image["frame"]) == (f"images/{frame:06d}.jpg", frame)
        assert (image["width"], image["height"]) == (160, 90)
        found = coco.loadAnns(coco.getAnnIds(imgIds=[frame + 1]))
        expected = {t.track_id: (t.class_name, t.xyxy, int(not t.clear), t.visible) for t in truth.seen}
        assert {a["track_id"]: _said(a) for a in found} == expected
    assert {a["ignore"] for a in coco.dataset["annotations"]} == {0, 1}


def _said(a: dict) -> tuple:
    left, top, width, height = a["bbox"]
    assert a["area"] == width * height
    assert a["iscrowd"] == 0
    box = (left, top, left + width, top + height)
    return CLASSES[a["category_id"] - 1], box, a["ignore"], a["visible"]


def test_the_truth_is_one_frame_a_line_with_its_events(folder: Path, truths: list[Truth]) -> None:
    lines = [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]

    assert lines == [json.loads(json.dumps(truth.as_json())) for truth in truths]
    assert lines[0]["events"][0]["name"] == "stalled-vehicle"


def test_progress_is_told_after_each_frame(tmp_path: Path) -> None:
    told: list[int] = []
    export_clip(_street(), 3, tmp_path, told.append)

    assert told == [1, 2, 3]


def test_the_same_view_gives_the_same_files(folder: Path, tmp_path: Path) -> None:
    export_clip(_street(), _FRAMES, tmp_path)

    assert _names(tmp_path) == _names(folder)
    for name in _names(folder):
        if name != "clip.mp4":  # may say when it was made
            assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_a_folder_that_is_a_file_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreError, match="cannot be written") as caught:
            export_clip(_street(), 1, path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["clip.mp4", "truth.jsonl", "coco.json", "data.yaml"])
def test_a_file_that_cannot_be_written_is_a_store_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    with pytest.raises(StoreError, match="cannot be written"):
        export_clip(_street(), 1, tmp_path)


@given(
    st.sampled_from(CLASSES),
    st.tuples(st.integers(0, 639), st.integers(0, 359), st.integers(1, 640), st.integers(1, 360)),
)
def test_a_row_gives_its_box_back(name: str, corners: tuple[int, int, int, int]) -> None:
    left, top, width, height = corners
    box = (left, top, min(left + width, 640), min(top + height, 360))
    thing = Seen(1, name, "x", tuple(float(v) for v in box), 1.0, True)  # type: ignore[arg-type]
    number, *values = (float(part) for part in yolo_row(thing, 640, 360).split())
    x, y, w, h = np.multiply(values, (640, 360, 640, 360))

    assert CLASSES[int(number)] == name
    assert (x - w / 2, y - h / 2, x + w / 2, y + h / 2) == pytest.approx(box, abs=2e-3)


def test_the_data_file_says_which_folder_is_for_what(tmp_path: Path) -> None:
    write_data_yaml(tmp_path, train="a/images", val="b/images")

    data = yaml.safe_load((tmp_path / "data.yaml").read_text())
    assert (data["train"], data["val"]) == ("a/images", "b/images")
