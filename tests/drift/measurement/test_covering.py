import cv2
import numpy as np
import pytest

from drift.measurement.covering import Covering, compare_cells
from drift.measurement.image_features import cells_of
from streetloop.types import Image
from tests.drift.support import street


def _compared(since: Image) -> Covering:
    return compare_cells(cells_of(street()), cells_of(since))


def test_the_same_view_is_not_covered() -> None:
    assert _compared(street()) == Covering(0.0, 0.0)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_what_is_covered_is_measured(share: float) -> None:
    image = street()
    image[:, : int(share * image.shape[1])] = 20
    found = _compared(image)
    assert found.is_covered
    assert found.covered == pytest.approx(share, abs=0.15)


@pytest.mark.parametrize(("gain", "offset"), [(0.4, 0), (0.4, 130), (1.0, 30)])
def test_another_light_covers_nothing(gain: float, offset: float) -> None:
    image = np.clip(street() * gain + offset, 0, 255).astype(np.uint8)
    assert not _compared(image).is_covered


def test_a_blurred_view_is_not_covered() -> None:
    assert not _compared(np.asarray(cv2.GaussianBlur(street(), (0, 0), 3), np.uint8)).is_covered


def test_a_view_that_moved_is_compared_where_it_is_now() -> None:
    move = np.array([[1.0, 0, 16], [0, 1, 0], [0, 0, 1]])  # a tenth of the edge map's width
    shifted = np.roll(street(), 64, axis=1)
    moved = compare_cells(cells_of(street()), cells_of(shifted), move)
    assert moved.recoloured < 0.3 * _compared(shifted).recoloured


def test_without_cells_nothing_is_covered() -> None:
    assert compare_cells(None, cells_of(street())) == Covering()


def test_where_no_light_fits_most_cells_nothing_is_called_covered() -> None:
    """A night by lamps: each place has its own light, and some are black."""
    light = cv2.resize(
        np.random.default_rng(3).uniform(0, 1, (9, 16)) ** 2, (640, 360), interpolation=cv2.INTER_NEAREST
    )
    found = _compared(np.asarray(street() * light[..., None], np.uint8))
    assert found.recoloured > 0.6
    assert found.covered == 0.0
