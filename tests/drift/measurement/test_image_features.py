import cv2
import numpy as np
import pytest

from drift.measurement.features import NAMES, OF_IMAGES
from drift.measurement.image_features import CELLS_SHAPE, cells_of, measure_image
from tests.drift.support import encoded, street


def test_every_feature_is_measured_and_finite() -> None:
    measured = measure_image(street())
    assert list(measured) == [name for name in NAMES if name in OF_IMAGES]
    assert all(np.isfinite(value) for value in measured.values())


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_picture_is_no_fault(level: int) -> None:
    measured = measure_image(np.full((360, 640, 3), level, np.uint8))
    assert measured["brightness"] == pytest.approx(level / 255, abs=0.01)
    assert measured["contrast"] == pytest.approx(0)
    assert np.isfinite(measured["sharpness"])


@pytest.mark.parametrize("size", [(16, 16), (90, 160), (1080, 1920)])
def test_any_size_is_measured(size: tuple[int, int]) -> None:
    measured = measure_image(np.zeros((*size, 3), np.uint8))
    assert all(np.isfinite(value) for value in measured.values())


def test_darker_is_less_bright_and_blurred_is_less_sharp() -> None:
    image = street()
    plain = measure_image(image)
    assert measure_image(image // 2)["brightness"] < plain["brightness"] * 0.6
    blurred = np.asarray(cv2.GaussianBlur(image, (9, 9), 0), np.uint8)
    assert measure_image(blurred)["sharpness"] < plain["sharpness"] - 0.3


@pytest.mark.parametrize("spread", [2.0, 5.0, 10.0])
def test_noise_is_what_was_added(spread: float) -> None:
    rng = np.random.default_rng(0)
    grey = np.full((360, 640, 1), 128.0) + rng.normal(0, spread, (360, 640, 1))
    image = np.repeat(np.clip(np.round(grey), 0, 255).astype(np.uint8), 3, axis=2)
    assert measure_image(image)["noise"] == pytest.approx(spread, rel=0.15)


def test_grey_has_no_colour() -> None:
    grey = np.repeat(street()[:, :, :1], 3, axis=2)
    measured = measure_image(grey)
    assert measured["saturation"] == 0
    assert measured["colourfulness"] < 1.0
    assert measure_image(street())["colourfulness"] > 10


def test_blocks_of_a_poor_encoding_show() -> None:
    sound = measure_image(street())["blockiness"]
    poor = measure_image(encoded(street(), quality=10))["blockiness"]
    assert abs(sound) < 0.15
    assert poor > sound + 0.3


def test_cells_have_the_luma_and_the_texture_of_their_part() -> None:
    image = street()
    image[:, :320] = 51
    luma, texture = cells_of(image)
    assert luma.shape == texture.shape == CELLS_SHAPE[1:]
    assert luma[:, :15] == pytest.approx(0.2, abs=0.01)
    assert texture[:, :15].max() < 0.002 < texture[:, 16:].mean()
