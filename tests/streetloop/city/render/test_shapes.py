import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streetloop.city.render.shapes import CLASS_OF, CLASSES, SHAPES, STRIDES, shape_name
from streetloop.city.world.places import PLACES
from streetloop.city.world.traffic import LENGTHS

_SHAPES = sorted(SHAPES)


@pytest.mark.parametrize("name", _SHAPES)
def test_a_shape_stands_on_the_ground_within_its_size(name: str) -> None:
    shape = SHAPES[name]
    length, width, height = shape.size
    low, high = shape.points.min(axis=0), shape.points.max(axis=0)

    assert 0 <= low[2] < 0.6
    assert high[2] <= height + 0.2
    assert max(-low[0], high[0]) <= length / 2 + 0.3
    assert max(-low[1], high[1]) <= width / 2 + 0.2


@pytest.mark.parametrize("name", [name for name in _SHAPES if name not in STRIDES])
def test_a_shape_is_the_same_on_its_left_and_on_its_right(name: str) -> None:
    points = SHAPES[name].points.round(6) + 0.0
    mirrored = points * (1, -1, 1) + 0.0

    assert {tuple(point) for point in points} == {tuple(point) for point in mirrored}


@pytest.mark.parametrize("name", _SHAPES)
def test_its_faces_are_flat_and_have_a_side_that_shows(name: str) -> None:
    shape = SHAPES[name]
    corners = shape.points[shape.faces]
    away = (corners * shape.normals[:, None]).sum(axis=-1) - shape.levels[:, None]

    assert np.linalg.norm(shape.normals, axis=1) == pytest.approx(np.ones(len(shape.faces)))
    assert np.abs(away).max() < 0.25
    assert (
        len(
            {
                len(array)
                for array in (
                    shape.faces,
                    shape.normals,
                    shape.levels,
                    shape.materials,
                    shape.layers,
                    shape.parts,
                    shape.fine,
                )
            }
        )
        == 1
    )
    assert shape.parts.max() < len(shape.middles)


@pytest.mark.parametrize("name", _SHAPES)
def test_it_can_be_seen_from_every_side(name: str) -> None:
    shape = SHAPES[name]
    for angle in np.arange(0, 2 * np.pi, np.pi / 6):
        eye = np.array([30 * np.cos(angle), 30 * np.sin(angle), 7.0])
        assert (shape.normals @ eye > shape.levels).sum() >= 2


@pytest.mark.parametrize("kind", LENGTHS)
def test_a_vehicle_is_as_long_as_traffic_takes_it_to_be(kind: str) -> None:
    points = SHAPES[kind].points

    assert points[:, 0].max() - points[:, 0].min() == pytest.approx(LENGTHS[kind], abs=0.15)


@pytest.mark.parametrize("kind", LENGTHS)
def test_a_vehicle_shines_ahead_in_front_and_back_behind(kind: str) -> None:
    shape = SHAPES[kind]

    assert len(shape.head_lamps)
    assert (shape.head_lamps[:, 0] > LENGTHS[kind] * 0.4).all()
    assert (shape.tail_lamps[:, 0] < -LENGTHS[kind] * 0.4).all()


def test_every_kind_has_a_class_and_a_shape() -> None:
    kinds = {kind for place in PLACES.values() for stream in place.streams for kind in stream.kinds}
    kinds |= {parked.kind for place in PLACES.values() for parked in place.parked}

    assert kinds <= set(LENGTHS) < set(CLASS_OF)
    assert {c for c in CLASS_OF.values() if c} == set(CLASSES)
    assert all(shape_name(kind, 0.0) in SHAPES for kind in CLASS_OF)


@given(st.floats(0, 1e5))
def test_whoever_walks_goes_through_the_strides_in_turn(walked: float) -> None:
    now, next_one = (shape_name("person", walked + further) for further in (0.0, 0.375))

    assert now in STRIDES
    turn = STRIDES.index(next_one) - STRIDES.index(now)
    assert turn % len(STRIDES) in {0, 1, 2}  # at the very edge of a stride either may come


def test_a_stride_puts_one_leg_ahead_and_then_the_other() -> None:
    first, second = SHAPES["person1"].points, SHAPES["person3"].points
    left = [points[(points[:, 1] > 0) & (points[:, 2] == 0), 0].mean() for points in (first, second)]

    assert left[0] > 0 > left[1]
