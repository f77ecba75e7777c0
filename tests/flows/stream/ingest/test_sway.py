"""A mast that sways is told from what moves on the street."""

import math

import cv2
import numpy as np
import pytest

from flows.stream.ingest.sway import SwayMeter
from streetloop.types import ArrayPicture, Image

WIDE, HIGH = 640, 360


def street(seed: int = 1, size: tuple[int, int] = (WIDE, HIGH)) -> Image:
    """Something with edges of many sizes."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 255, (size[1] // 8, size[0] // 8, 3), np.uint8)
    return np.asarray(cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def moved(image: Image, x: float, y: float) -> Image:
    way = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
    size = image.shape[1::-1]
    return np.asarray(cv2.warpAffine(image, way, size, borderMode=cv2.BORDER_REFLECT), np.uint8)


class Counted:
    """A picture that counts how often its brightness is asked for."""

    def __init__(self, pixels: Image) -> None:
        self._picture, self.asked = ArrayPicture(pixels), 0
        self.width, self.height = self._picture.width, self._picture.height

    def bgr(self) -> Image:
        return self._picture.bgr()

    def luma(self) -> Image:
        self.asked += 1
        return self._picture.luma()


def sway(k: int) -> tuple[float, float]:
    return 6 * math.sin(0.8 * k), 3 * math.sin(1.3 * k)


def test_a_swaying_mast_is_followed() -> None:
    meter, view = SwayMeter(), street()
    found = np.array([meter.offset(ArrayPicture(moved(view, *sway(k)))) for k in range(80)])
    true = np.array([sway(k) for k in range(80)])
    assert np.abs(found - true)[40:].max() < 1.0


def test_what_drives_through_the_picture_is_no_sway() -> None:
    meter, view, truck = SwayMeter(), street(), street(2, (240, 200))
    for k in range(60):
        image = view.copy()
        left = 8 * k % (WIDE - 240)
        image[100:300, left : left + 240] = truck
        x, y = meter.offset(ArrayPicture(image))
        assert math.hypot(x, y) < 1.0, k


def test_a_steady_camera_is_looked_at_in_one_of_ten_pictures() -> None:
    meter, picture = SwayMeter(), Counted(street())
    assert {meter.offset(picture) for _ in range(60)} == {(0.0, 0.0)}
    picture.asked = 0
    assert {meter.offset(picture) for _ in range(100)} == {(0.0, 0.0)}
    assert picture.asked == 10


def test_wind_that_rises_is_noticed_within_ten_pictures() -> None:
    meter, view = SwayMeter(), street()
    for _ in range(80):
        meter.offset(ArrayPicture(view))
    found = [meter.offset(ArrayPicture(moved(view, *sway(k)))) for k in range(1, 40)]
    assert any(found[:12])
    errors = np.abs(np.array(found) - [sway(k) for k in range(1, 40)])[12:]
    assert errors.max() < 1.0


def test_a_camera_that_was_turned_has_another_usual_view() -> None:
    meter = SwayMeter()
    for view in (street(1), street(7)):
        for k in range(80):
            found = meter.offset(ArrayPicture(moved(view, *sway(k))))
        assert found == pytest.approx(sway(79), abs=1.0)


@pytest.mark.parametrize("shape", [(360, 640), (1, 1), (8, 8), (2, 4000), (4000, 2), (90, 160)])
def test_a_picture_without_anything_to_compare_does_not_sway(shape: tuple[int, int]) -> None:
    meter = SwayMeter()
    pictures = (ArrayPicture(np.full((*shape, 3), gray % 256, np.uint8)) for gray in range(40))
    assert {meter.offset(picture) for picture in pictures} == {(0.0, 0.0)}


def test_noise_in_the_dark_is_no_sway() -> None:
    meter, rng = SwayMeter(), np.random.default_rng(3)
    dark = (rng.normal(6, 2, (HIGH, WIDE, 3)).clip(0, 255).astype(np.uint8) for _ in range(60))
    assert all(math.hypot(*meter.offset(ArrayPicture(image))) < 1.0 for image in dark)


def test_pictures_of_another_size_begin_anew() -> None:
    meter = SwayMeter()
    for size in ((WIDE, HIGH), (352, 288)):
        view = street(1, size)
        assert [meter.offset(ArrayPicture(view)) for _ in range(5)] == [(0.0, 0.0)] * 5
