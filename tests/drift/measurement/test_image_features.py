import cv2
import numpy as np
import pytest

from drift.measurement.image_features import IMAGE_FEATURES, edges_of, measure_image, shift_between
from streetloop.types import Image


def _street(seed: int = 0) -> Image:
    """Something with edges, colours and a little noise."""
    rng = np.random.default_rng(seed)
    image = np.full((360, 640, 3), 110, np.uint8)
    for _ in range(40):
        x, y = int(rng.integers(0, 600)), int(rng.integers(0, 330))
        colour = tuple(int(c) for c in rng.integers(30, 220, 3))
        cv2.rectangle(image, (x, y), (x + 40, y + 30), colour, -1)
    noise = rng.normal(0, 2, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def test_every_feature_is_measured_and_finite() -> None:
    measured = measure_image(_street())
    assert list(measured) == [feature.name for feature in IMAGE_FEATURES]
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
    street = _street()
    plain = measure_image(street)
    assert measure_image(street // 2)["brightness"] < plain["brightness"] * 0.6
    blurred = np.asarray(cv2.GaussianBlur(street, (9, 9), 0), np.uint8)
    assert measure_image(blurred)["sharpness"] < plain["sharpness"] - 0.3


@pytest.mark.parametrize("spread", [2.0, 5.0, 10.0])
def test_noise_is_what_was_added(spread: float) -> None:
    rng = np.random.default_rng(0)
    grey = np.full((360, 640, 1), 128.0) + rng.normal(0, spread, (360, 640, 1))
    image = np.repeat(np.clip(np.round(grey), 0, 255).astype(np.uint8), 3, axis=2)
    assert measure_image(image)["noise"] == pytest.approx(spread, rel=0.15)


def test_grey_has_no_colour() -> None:
    grey = np.repeat(_street()[:, :, :1], 3, axis=2)
    measured = measure_image(grey)
    assert measured["saturation"] == 0
    assert measured["colourfulness"] < 1.0
    assert measure_image(_street())["colourfulness"] > 10


@pytest.mark.parametrize("pixels", [16, 32, 64])
def test_a_view_that_turned_is_measured(pixels: int) -> None:
    street = _street()
    turned = np.roll(street, pixels, axis=1)
    shift, likeness = shift_between(edges_of(street), edges_of(turned))
    assert shift == pytest.approx(pixels / 640, abs=0.01)
    assert likeness > 0.6


def test_the_same_view_has_not_turned_and_another_is_not_alike() -> None:
    street = _street()
    shift, likeness = shift_between(edges_of(street), edges_of(street))
    assert shift < 0.002
    assert likeness > 0.95
    assert shift_between(edges_of(street), edges_of(_street(9)))[1] < 0.4
