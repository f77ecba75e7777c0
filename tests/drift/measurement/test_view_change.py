import cv2
import numpy as np
import pytest

from drift.measurement.image_features import Edges, edges_of
from drift.measurement.view_change import UNCHANGED, ViewChange, compare_views
from streetloop.types import Image
from tests.drift.support import street


def _warped(image: Image, matrix: np.ndarray) -> Image:
    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.warpPerspective(image, matrix, size, borderMode=cv2.BORDER_REFLECT), np.uint8)


def _turned(roll_deg: float = 0.0, zoom: float = 1.0, dx: float = 0.0, tilt: float = 0.0) -> ViewChange:
    """What is measured of a camera that moved so: degrees, a factor, widths, a share of scale."""
    image = street()
    height, width = image.shape[:2]
    turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), roll_deg, zoom), [0, 0, 1]])
    shift = np.array([[1, 0, dx * width], [0, 1, 0], [0, 0, 1]])
    lean = np.array([[1, 0, 0], [0, 1, 0], [tilt / width, 0, 1]])
    return compare_views(edges_of(image), edges_of(_warped(image, lean @ shift @ turn)))


@pytest.mark.parametrize("dx", [0.015, 0.04, 0.1])
def test_a_shift_is_measured(dx: float) -> None:
    change = _turned(dx=dx)
    assert change.displacement == pytest.approx(dx, abs=0.003)
    assert change.has_moved
    assert change.aligned > 0.8


@pytest.mark.parametrize("roll_deg", [-6.0, -2.0, 2.0, 3.0, 6.0])
def test_a_roll_is_measured(roll_deg: float) -> None:
    change = _turned(roll_deg=roll_deg)
    assert change.roll_deg == pytest.approx(-roll_deg, abs=0.7)  # OpenCV turns the other way
    assert change.zoom == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("roll_deg", [-4.0, 3.0])
def test_a_roll_is_a_movement(roll_deg: float) -> None:
    assert _turned(roll_deg=roll_deg).has_moved


@pytest.mark.parametrize("zoom", [0.9, 1.08, 1.15])
def test_a_zoom_is_measured(zoom: float) -> None:
    change = _turned(zoom=zoom)
    assert change.zoom == pytest.approx(zoom, abs=0.02)
    assert change.has_moved


def test_perspective_is_measured() -> None:
    assert _turned(tilt=0.1).perspective > 0.05 > _turned(dx=0.04).perspective


@pytest.mark.parametrize("axis", [1, 0, -1])
def test_a_mirrored_view_has_moved(axis: int) -> None:
    image = street()
    change = compare_views(edges_of(image), edges_of(np.ascontiguousarray(cv2.flip(image, axis))))
    assert change.mirrored
    assert change.has_moved


def test_the_same_view_has_not_moved() -> None:
    change = compare_views(edges_of(street()), edges_of(street()))
    assert not change.has_moved
    assert change.likeness > 0.95


def test_another_scene_is_not_alike_however_it_is_turned() -> None:
    change = compare_views(edges_of(street()), edges_of(street(9)))
    assert change.aligned < 0.5
    assert not change.has_moved or change.aligned < 0.4


@pytest.mark.parametrize("since", [None, np.zeros((90, 160), np.float32)])
def test_a_view_without_edges_tells_nothing(since: Edges | None) -> None:
    assert compare_views(edges_of(street()), since) == UNCHANGED
