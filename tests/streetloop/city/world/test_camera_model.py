import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streetloop.city.world.camera_model import CameraModel, Mast
from streetloop.city.world.places import PLACES
from tests.support.samples.city import CAMERAS

_STRAIGHT = CameraModel(Mast(0.0, 0.0, 8.0, 0.0, 0.0, 90.0, distortion=0.0), 640, 360)
_MASTS = st.builds(
    Mast,
    x=st.floats(-100, 100),
    y=st.floats(-100, 100),
    height=st.floats(3, 20),
    bearing=st.floats(-360, 360),
    tilt=st.floats(-10, 60),
    fov=st.floats(20, 75),
    roll=st.floats(-10, 10),
    distortion=st.floats(-0.1, 0.05),
)


def _there_and_back(camera_model: CameraModel) -> float:
    """The largest error, in pixels, of following pixels' rays out and looking where they are."""
    rays = camera_model.rays()
    depth = np.linspace(2, 200, rays.shape[0] * rays.shape[1]).reshape(rays.shape[:2])
    pixels, seen = camera_model.project(camera_model.eye + rays * depth[..., None])
    columns, rows = np.meshgrid(np.arange(camera_model.width) + 0.5, np.arange(camera_model.height) + 0.5)
    assert seen == pytest.approx(depth)
    return float(np.abs(pixels - np.stack([columns, rows], axis=-1)).max())


@settings(max_examples=30)
@given(_MASTS)
def test_what_lies_on_a_pixels_ray_is_seen_in_that_pixel(mast: Mast) -> None:
    assert _there_and_back(CameraModel(mast, 64, 36)) < 0.3


@pytest.mark.parametrize(("city", "camera"), CAMERAS)
def test_so_it_is_for_every_camera(city: str, camera: str) -> None:
    # An error grows with the picture: this is less than 0.3 pixels at 640x360.
    assert _there_and_back(CameraModel(PLACES[city].cameras[camera], 160, 90)) < 0.3 / 4


def test_ahead_is_the_middle_right_is_right_and_high_is_up() -> None:
    pixels, depth = _STRAIGHT.project(np.array([[0.0, 10.0, 8.0], [10.0, 10.0, 8.0], [0.0, 10.0, 9.0]]))

    assert depth.tolist() == pytest.approx([10.0, 10.0, 10.0])
    assert pixels[0] == pytest.approx((320, 180))
    assert pixels[1] == pytest.approx((640, 180))
    assert pixels[2] == pytest.approx((320, 180 - 32))


def test_the_bearing_is_clockwise_from_north() -> None:
    east = CameraModel(Mast(0, 0, 8, 90.0, 0.0, 60.0), 640, 360)

    pixels, depth = east.project(np.array([50.0, 0.0, 8.0]))
    assert pixels == pytest.approx((320, 180))
    assert depth == pytest.approx(50)


def test_a_camera_that_tilts_looks_down() -> None:
    down = CameraModel(Mast(0, 0, 10.0, 0.0, 45.0, 60.0), 640, 360)

    pixels, _ = down.project(np.array([0.0, 10.0, 0.0]))
    assert pixels == pytest.approx((320, 180))


def test_what_is_behind_has_a_negative_depth_and_a_place_all_the_same() -> None:
    pixels, depth = _STRAIGHT.project(np.array([[3.0, -20.0, 1.0], [0.0, 0.1, 8.0]]))

    assert depth[0] == pytest.approx(-20)
    assert depth[1] == pytest.approx(0.1)
    assert np.isfinite(pixels).all()


@given(_MASTS, st.floats(-500, 500), st.floats(-500, 500))
def test_any_point_has_a_place(mast: Mast, x: float, y: float) -> None:
    pixels, depth = CameraModel(mast, 64, 36).project(np.array([x, y, 0.0]))

    assert np.isfinite(pixels).all()
    assert np.isfinite(depth)


@given(_MASTS)
def test_the_axes_stand_square_on_each_other(mast: Mast) -> None:
    axes = CameraModel(mast, 64, 36).axes

    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.cross(axes[0], axes[1]) == pytest.approx(axes[2], abs=1e-9)


def test_rays_at_a_finer_scale_lie_within_those_of_a_coarser_one() -> None:
    camera_model = CameraModel(Mast(0, 0, 8, 20, 10, 60, distortion=0.0), 64, 36)
    fine = camera_model.rays(2)

    assert fine.shape == (72, 128, 3)
    average = (fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2]) / 4
    assert average == pytest.approx(camera_model.rays(), abs=1e-9)


def test_a_rays_parameter_is_the_depth() -> None:
    camera_model = CameraModel(Mast(0, 0, 8, 20, 10, 60), 64, 36)

    assert camera_model.rays() @ camera_model.axes[2] == pytest.approx(np.ones((36, 64)))


@pytest.mark.parametrize("degrees", [1.0, 9.0])
def test_a_knock_turns_the_view_by_about_as_much(degrees: float) -> None:
    mast = PLACES["kingsport"].cameras["crossing"]
    before, after = CameraModel(mast, 640, 360), CameraModel(mast.knocked(degrees), 640, 360)

    turned = math.degrees(math.acos(float(before.axes[2] @ after.axes[2])))
    assert 0.8 * degrees < turned < 1.5 * degrees
    assert before.eye.tolist() == after.eye.tolist()


def test_no_knock_leaves_the_camera_as_it_is() -> None:
    mast = PLACES["kingsport"].cameras["crossing"]

    assert mast.knocked(0.0) == mast
