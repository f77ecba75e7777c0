from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import yaml

from streetloop.city.render.shapes import CLASSES
from streetloop.city.world.places import PLACES
from streetloop.types import Image
from train.data.simulated_dataset import (
    HELD_OUT_CAMERAS,
    HELD_OUT_SEEDS,
    TRAIN_CAMERAS,
    VALIDATION_SEEDS,
    Split,
    write_split,
)

_CAMERA = (("stonebridge", "middle"),)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A small split and its digest."""
    folder = tmp_path_factory.mktemp("splits")
    return folder, write_split(Split("few", _CAMERA, 7, 3), folder)


def _first(split: Split, count: int = 1) -> list[tuple[str, Image]]:
    return [(name, image) for name, image, _ in islice(split.examples(), count)]


def test_the_last_camera_of_each_city_is_held_out_and_all_others_are_for_training() -> None:
    every = {(city, camera) for city, place in PLACES.items() for camera in place.cameras}

    assert set(TRAIN_CAMERAS) | set(HELD_OUT_CAMERAS) == every
    assert not set(TRAIN_CAMERAS) & set(HELD_OUT_CAMERAS)
    assert [city for city, _ in HELD_OUT_CAMERAS] == list(PLACES)
    assert all(list(PLACES[city].cameras)[-1] == camera for city, camera in HELD_OUT_CAMERAS)


def test_days_for_training_validation_and_test_are_apart() -> None:
    assert 0 < VALIDATION_SEEDS < HELD_OUT_SEEDS


def test_a_split_is_a_dataset_for_yolo(written: tuple[Path, str]) -> None:
    home = written[0] / "few"
    names = [f"stonebridge-middle-{k:04d}" for k in range(3)]

    assert sorted(path.stem for path in (home / "images").iterdir()) == names
    assert sorted(path.stem for path in (home / "labels").iterdir()) == names
    assert yaml.safe_load((home / "data.yaml").read_text())["names"] == dict(enumerate(CLASSES))
    for path in (home / "labels").iterdir():
        rows = np.loadtxt(path, ndmin=2)
        assert rows.size == 0 or ((rows[:, 1:] >= 0) & (rows[:, 1:] <= 1)).all()


def test_the_same_split_has_the_same_digest(written: tuple[Path, str], tmp_path: Path) -> None:
    assert write_split(Split("few", _CAMERA, 7, 3), tmp_path) == written[1]


def test_other_days_have_another_digest(written: tuple[Path, str], tmp_path: Path) -> None:
    assert write_split(Split("few", _CAMERA, 8, 3), tmp_path) != written[1]


def test_what_is_there_is_not_drawn_again(written: tuple[Path, str]) -> None:
    folder, digest = written
    told: list[int] = []

    assert write_split(Split("few", _CAMERA, 7, 3), folder, told.append) == digest
    assert told == []


def test_what_was_left_half_done_is_done_again(tmp_path: Path) -> None:
    split = Split("few", _CAMERA, 7, 2)
    digest = write_split(split, tmp_path)
    (tmp_path / "few" / "digest").unlink()
    (tmp_path / "few" / "labels" / "stonebridge-middle-0001.txt").unlink()
    told: list[int] = []

    assert write_split(split, tmp_path, told.append) == digest
    assert told == [1, 2]


def test_a_smaller_split_is_the_beginning_of_a_larger_one() -> None:
    small, large = (_first(Split("x", _CAMERA, 7, count), 2) for count in (2, 4))

    for (name, image), (other_name, other_image) in zip(small, large, strict=True):
        assert name == other_name
        assert np.array_equal(image, other_image)


def test_a_split_has_so_many_pictures_of_each_camera() -> None:
    cameras = (*_CAMERA, ("millbrook", "market"))
    split = Split("x", cameras, 7, 2)
    names = [name for name, _, _ in split.examples()]

    assert len(split) == len(names) == 4
    assert names == [
        "stonebridge-middle-0000",
        "stonebridge-middle-0001",
        "millbrook-market-0000",
        "millbrook-market-0001",
    ]


def test_pictures_of_one_day_are_apart_in_time() -> None:
    truths = [truth for _, _, truth in islice(Split("x", _CAMERA, 7, 3).examples(), 3)]
    seconds = [truth.second for truth in truths]

    assert np.diff(seconds) == pytest.approx([9.0, 9.0])


def test_the_condition_holds_in_every_picture() -> None:
    (_, day), (_, night) = (_first(Split("x", _CAMERA, 7, 1, condition))[0] for condition in ("day", "night"))

    assert night.mean() < 0.7 * day.mean()
