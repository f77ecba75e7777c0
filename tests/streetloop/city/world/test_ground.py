from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streetloop.city.world.ground import SURFACES, Ground, look_up, texture
from streetloop.city.world.roads import straight

_ROAD = straight((-50, 0), (50, 0))


def _ground() -> Ground:
    return Ground(20.0, 0.1, "grass")


def _at(ground: Ground, x: float, y: float) -> tuple[int, ...]:
    column, row = ground.coordinates(np.float32([x]), np.float32([y]))
    return tuple(ground.colour[round(float(row[0])), round(float(column[0]))].tolist())


def test_unpainted_ground_is_its_base() -> None:
    ground = _ground()

    assert ground.colour.shape == (400, 400, 3)
    assert (ground.colour == SURFACES["grass"]).all()


def test_a_strip_covers_its_width_and_no_more() -> None:
    ground = _ground()
    ground.strip(_ROAD, 6.0, "asphalt")

    assert _at(ground, 5.0, 0.0) == _at(ground, -7.0, 2.8) == SURFACES["asphalt"]
    assert _at(ground, 5.0, 3.3) == _at(ground, 5.0, -3.3) == SURFACES["grass"]


def test_a_strip_beside_a_way_is_on_its_left_for_a_positive_offset() -> None:
    ground = _ground()
    ground.strip(_ROAD, 2.0, "cycleway", 5.0)

    assert _at(ground, 0.0, 5.0) == SURFACES["cycleway"]
    assert _at(ground, 0.0, -5.0) == SURFACES["grass"]


def test_east_is_right_and_north_is_up() -> None:
    ground = _ground()
    ground.area([(9, 9), (11, 9), (11, 11), (9, 11)], "white")

    rows, columns = np.nonzero((ground.colour == SURFACES["white"]).all(axis=-1))
    assert rows.mean() == pytest.approx(100, abs=2)
    assert columns.mean() == pytest.approx(300, abs=2)


def test_a_map_may_lie_anywhere() -> None:
    ground = Ground(20.0, 0.1, "grass", (100.0, -30.0))
    ground.area([(99, -31), (101, -31), (101, -29), (99, -29)], "white")

    assert _at(ground, 100.0, -30.0) == SURFACES["white"]


def test_a_dashed_line_has_gaps() -> None:
    ground = _ground()
    ground.line(straight((-20, 0), (20, 0)), width=0.5, dash=(2.0, 3.0))

    white = [_at(ground, -19.9 + 0.1 * k, 0.0) == SURFACES["white"] for k in range(398)]
    assert np.mean(white) == pytest.approx(0.4, abs=0.05)
    assert sum(a != b for a, b in pairwise(white)) >= 14


def test_a_line_keeps_to_its_stretch() -> None:
    ground = _ground()
    ground.line(straight((-20, 0), (20, 0)), width=0.5, stretch=(10.0, 20.0))

    assert _at(ground, -5.0, 0.0) == SURFACES["white"]
    assert _at(ground, -12.0, 0.0) == _at(ground, 2.0, 0.0) == SURFACES["grass"]


def test_a_stop_line_lies_across_the_way() -> None:
    ground = _ground()
    ground.across(straight((-20, 0), (20, 0)), 20.0, 0.0, -3.0, 0.4)

    assert _at(ground, 0.0, -1.5) == SURFACES["white"]
    assert _at(ground, 0.0, 1.5) == _at(ground, 2.0, -1.5) == SURFACES["grass"]


def test_a_zebra_has_bars_along_the_way() -> None:
    ground = _ground()
    ground.zebra(straight((-20, 0), (20, 0)), 20.0, 4.0, -4.0, 3.0)

    across = [_at(ground, 1.5, -4.0 + 0.1 * k) == SURFACES["white"] for k in range(80)]
    assert sum(a != b for a, b in pairwise(across)) == 16
    assert _at(ground, -1.0, 0.0) == _at(ground, 4.0, 0.0) == SURFACES["grass"]


def test_an_arrow_is_painted_on_the_lane() -> None:
    ground = _ground()
    ground.arrow(straight((-20, 0), (20, 0)), 20.0, 0.0)
    rows, columns = np.nonzero((ground.colour == SURFACES["white"]).all(axis=-1))

    assert abs(rows.mean() - 200) < 1
    assert columns.max() - 200 == pytest.approx(32, abs=3)  # the tip


# Textures and maps


def test_a_texture_is_always_the_same_and_has_its_own_name() -> None:
    assert np.array_equal(texture("a", 128, (4, 8)), texture("a", 128, (4, 8)))
    assert not np.array_equal(texture("a", 128, (4, 8)), texture("b", 128, (4, 8)))


def test_a_texture_lies_round_the_middle_and_tiles() -> None:
    grey = texture("a", 256, (4, 8, 16)).astype(int)

    assert grey.mean() == pytest.approx(128, abs=16)
    assert grey.std() > 10
    step = np.abs(np.diff(grey, axis=1)).mean()
    assert np.abs(grey[:, 0] - grey[:, -1]).mean() < 3 * step


@given(st.floats(0, 8), st.floats(0, 6))
def test_a_map_is_looked_up_between_its_pixels(x: float, y: float) -> None:
    rows, columns = np.mgrid[0:7, 0:9].astype(np.float32)
    found = look_up(columns * 10 + rows, np.float32([x]), np.float32([y]))

    assert found[0] == pytest.approx(10 * x + y, abs=0.4)


def test_beyond_the_edge_the_edge_goes_on() -> None:
    values = np.float32([[1, 2], [3, 4]])
    found = look_up(values, np.float32([-50, 50]), np.float32([-50, 50]))

    assert found.tolist() == [1, 4]


@pytest.mark.parametrize("shape", [(0,), (1,), (3, 5), (40_000,), (2, 1500)])
def test_places_may_come_in_any_shape(shape: tuple[int, ...]) -> None:
    places = np.zeros(shape, np.float32)

    assert look_up(np.full((4, 4), 7, np.float32), places, places).shape == shape
