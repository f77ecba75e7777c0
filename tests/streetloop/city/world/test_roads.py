import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streetloop.city.world.roads import Path, Pose, Signal, bend, curve, polyline, straight

_ELL = Path(((0.0, 0.0), (10.0, 0.0), (10.0, 20.0)))
_PLACE = st.tuples(st.floats(-200, 200), st.floats(-200, 200))
_SIGNAL = st.builds(
    lambda start, green, amber, rest: Signal(start + green + amber + rest, (start, start + green), amber),
    st.integers(0, 60),
    st.integers(1, 60),
    st.integers(0, 5),
    st.integers(1, 60),
)


# Ways


def test_a_way_is_measured_along_its_points() -> None:
    assert _ELL.length == 30.0
    assert _ELL.at(5.0)[:2] == (5.0, 0.0)
    assert _ELL.at(15.0)[:2] == (10.0, 5.0)


def test_a_positive_offset_is_to_the_left() -> None:
    assert straight((0, 0), (10, 0)).at(4.0, 1.5) == Pose(4.0, 1.5, 0.0)
    assert straight((0, 0), (0, 10)).at(4.0, 1.5)[:2] == pytest.approx((-1.5, 4.0))


def test_beyond_its_ends_a_way_goes_straight_on() -> None:
    assert _ELL.at(-3.0)[:2] == (-3.0, 0.0)
    assert _ELL.at(33.0)[:2] == (10.0, 23.0)
    assert straight((0, 0), (10, 0)).at(12.0)[:2] == (12.0, 0.0)


def test_the_heading_turns_smoothly_round_a_corner() -> None:
    headings = [_ELL.at(s / 10).heading for s in range(300)]

    assert headings[0] == 0.0
    assert headings[-1] == pytest.approx(math.pi / 2)
    assert max(b - a for a, b in pairwise(headings)) < 0.05
    assert headings == sorted(headings)


def test_the_heading_turns_the_short_way_where_angles_wrap() -> None:
    way = Path(((0.0, 0.0), (-10.0, 1.0), (-20.0, 0.0)))  # just under, then just over half a turn

    steps = [abs(way.at(s / 10 + 0.1).heading - way.at(s / 10).heading) for s in range(int(way.length * 10))]
    assert max(min(step, math.tau - step) for step in steps) < 0.05


@given(_PLACE, _PLACE, st.floats(0, 1), st.floats(-5, 5))
def test_an_offset_is_kept_square_to_a_straight_way(
    start: tuple[float, float], end: tuple[float, float], share: float, offset: float
) -> None:
    if math.dist(start, end) < 0.1:
        return
    way = straight(start, end)
    on, beside = way.at(share * way.length), way.at(share * way.length, offset)

    assert math.dist(on[:2], beside[:2]) == pytest.approx(abs(offset), abs=1e-6)


def test_a_way_turned_round_ends_where_it_began() -> None:
    back = _ELL.reversed()

    assert back.length == _ELL.length
    assert back.at(10.0)[:2] == _ELL.at(20.0)[:2]
    assert back.reversed() == _ELL


def test_a_shifted_way_runs_beside_the_first() -> None:
    arc = curve((0.0, 0.0), 100.0, 0.0, 90.0, step_m=2.0)
    left = arc.shifted(3.0)  # counter-clockwise, so its left is inside

    assert all(math.hypot(*point) == pytest.approx(97.0, abs=0.1) for point in left.points)


def test_a_curve_has_the_length_of_its_arc() -> None:
    arc = curve((5.0, 5.0), 80.0, 170.0, 10.0, step_m=2.0)

    assert arc.length == pytest.approx(math.radians(160) * 80.0, rel=1e-3)
    assert all(math.dist(point, (5, 5)) == pytest.approx(80.0) for point in arc.points)


def test_a_bend_leaves_and_arrives_straight() -> None:
    points = bend((0, 0), (10, 0), (10, 10), pieces=50)
    (x0, y0), (x1, y1) = points[:2]
    (x2, y2), (x3, y3) = points[-2:]

    assert points[0] == (0, 0)
    assert points[-1] == (10, 10)
    assert abs(math.atan2(y1 - y0, x1 - x0)) < 0.05
    assert abs(math.atan2(y3 - y2, x3 - x2) - math.pi / 2) < 0.05


def test_parts_join_without_points_on_top_of_each_other() -> None:
    way = polyline([(0, 0), (5, 0)], [(5, 0), (5, 5)], [(5, 5)])

    assert way.points == ((0, 0), (5, 0), (5, 5))


# Signals


def test_a_signal_is_green_then_amber_then_red() -> None:
    signal = Signal(60, (10, 30), amber_s=3)

    assert [signal.colour(t) for t in (9.9, 10, 29.9, 30, 32.9, 33, 59.9)] == [
        "red",
        "green",
        "green",
        "amber",
        "amber",
        "red",
        "red",
    ]


def test_a_signal_without_amber_turns_red_at_once() -> None:
    signal = Signal(60, (10, 30), amber_s=0)

    assert signal.colour(29.99) == "green"
    assert signal.colour(30.0) == "red"


@given(_SIGNAL, st.integers(0, 4000), st.integers(0, 50))
def test_a_signal_repeats_itself(signal: Signal, second: int, times: int) -> None:
    assert signal.colour(second) == signal.colour(second + times * signal.cycle_s)


@given(_SIGNAL, st.floats(0, 4000))
def test_the_next_green_is_green_and_none_is_before_it(signal: Signal, t: float) -> None:
    green = signal.next_green(t)

    assert t <= green <= t + signal.cycle_s
    assert signal.colour(green + 1e-6) == "green"
    if green > t:
        between = [t + (green - t) * k / 20 for k in range(20)]
        assert "green" not in {signal.colour(second) for second in between}
