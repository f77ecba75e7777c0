from dataclasses import replace

import numpy as np
import pytest

from streetloop.city.render.lighting import light_of, lit
from streetloop.city.world.conditions import Look
from streetloop.city.world.place import Solid
from tests.support.samples.city import Stage


@pytest.fixture(scope="module")
def plain() -> Stage:
    return Stage(size=(160, 90))


@pytest.fixture(scope="module")
def walled() -> Stage:
    return Stage(Solid(0.0, 30.0, 12.0, 1.0, 4.0, "concrete"), size=(160, 90))


def test_below_the_horizon_is_ground_and_above_it_sky(plain: Stage) -> None:
    backdrop = plain.backdrop

    assert backdrop.road[-1].all()
    assert not backdrop.road[0].any()
    assert (backdrop.is_sky[0] == 1).all()
    assert (backdrop.is_sky[-1] == 0).all()
    assert not np.isfinite(backdrop.solid_depth).any()


def test_the_skyline_holds_all_of_the_sky_and_no_more(plain: Stage) -> None:
    backdrop = plain.backdrop
    above = backdrop.is_sky.any(axis=1)

    assert above[backdrop.skyline].sum() == above.sum() > 0
    assert above[backdrop.skyline][[0, -1]].all()


def test_without_sky_there_is_no_skyline(plain: Stage) -> None:
    covered = replace(plain.backdrop, is_sky=np.zeros_like(plain.backdrop.is_sky))

    assert not len(covered.is_sky[covered.skyline])
    assert lit(covered, light_of(Look())).any()


def test_the_ground_is_as_far_as_the_camera_says(plain: Stage) -> None:
    place = np.array([0.0, 25.0, 0.0])
    pixels, depth = plain.camera_model.project(place)
    x, y = (int(v) for v in pixels)

    assert plain.backdrop.depth[y, x] == pytest.approx(float(depth), rel=0.05)
    nearest_first = plain.backdrop.depth[::-1, 80]
    assert (np.diff(nearest_first[plain.backdrop.road[::-1, 80]]) > 0).all()


def test_a_box_stands_where_its_corners_are_seen(walled: Stage) -> None:
    solid = np.isfinite(walled.backdrop.solid_depth)
    rows, columns = np.nonzero(solid)
    corners = [(x, 29.5, z) for x in (-6.0, 6.0) for z in (0.0, 4.0)]
    pixels, _ = walled.camera_model.project(np.array(corners))

    assert columns.min() == pytest.approx(pixels[:, 0].min(), abs=1.5)
    assert columns.max() == pytest.approx(pixels[:, 0].max(), abs=1.5)
    assert rows.max() == pytest.approx(pixels[:, 1].max(), abs=1.5)
    assert not walled.backdrop.road[solid].any()


def test_a_box_is_as_far_as_it_stands(walled: Stage) -> None:
    pixels, depth = walled.camera_model.project(np.array([0.0, 29.5, 2.0]))
    x, y = (int(v) for v in pixels)

    assert walled.backdrop.solid_depth[y, x] == pytest.approx(float(depth), rel=0.02)
    assert walled.backdrop.depth[y, x] == walled.backdrop.solid_depth[y, x]


def test_shares_lie_between_nothing_and_all(walled: Stage) -> None:
    backdrop = walled.backdrop
    for name in ("sun", "low_sun", "is_sky", "height", "clouds", "sky"):
        values = getattr(backdrop, name)
        assert values.shape == (90, 160)
        assert values.min() >= 0
        assert values.max() <= 1 + 1e-5
    for name in ("albedo", "lamp_image"):
        assert getattr(backdrop, name).shape == (90, 160, 3)
        assert getattr(backdrop, name).min() >= 0


def test_a_box_throws_a_shadow_away_from_the_sun(plain: Stage) -> None:
    # The sun stands in the south-south-east: a post's shadow lies to the north-north-west.
    post = Stage(Solid(0.0, 30.0, 1.0, 1.0, 12.0, "concrete"), size=(160, 90))

    def left_of_the_sun(x: float, y: float) -> float:
        pixels, _ = post.camera_model.project(np.array([x, y, 0.0]))
        at = int(pixels[1]), int(pixels[0])
        return float(post.backdrop.sun[at] / plain.backdrop.sun[at])

    assert left_of_the_sun(-3.0, 35.2) < 0.4
    assert left_of_the_sun(3.0, 35.2) > 0.9
    assert left_of_the_sun(0.0, 25.0) > 0.9


def test_the_colours_of_the_road_are_shown_and_nothing_else(walled: Stage) -> None:
    shown = walled.backdrop.shown

    assert shown.dtype == np.uint8
    assert (shown[~walled.backdrop.road] == 0).all()
    assert shown[walled.backdrop.road].mean() > 40


def test_it_is_the_same_every_time(walled: Stage) -> None:
    again = Stage(Solid(0.0, 30.0, 12.0, 1.0, 4.0, "concrete"), size=(160, 90)).backdrop

    assert np.array_equal(again.albedo, walled.backdrop.albedo)
    assert np.array_equal(again.depth, walled.backdrop.depth)
