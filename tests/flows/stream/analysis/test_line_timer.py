"""Lines along the road: what drives along them is counted once and timed, and nothing else is."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.stream.analysis.counting_lines import Crossing
from flows.stream.analysis.line_timer import LineTimer

SIZE = (200, 100)
UPWARDS = ((0.5, 0.8), (0.5, 0.2))  # from y = 80 to y = 20
LENGTH_M = 30.0


def timer() -> LineTimer:
    return LineTimer("stretch", UPWARDS, LENGTH_M)


def box(y: float, x: float = 100.0, wide: float = 12.0, high: float = 10.0) -> np.ndarray:
    return np.array([x - wide / 2, y - high, x + wide / 2, y], np.float32)


def drive(
    line: LineTimer, way: Iterable[tuple[float, float]], x: float = 100.0, track_id: int = 7
) -> list[Crossing]:
    """What is found of a track that is at y at a moment, for each of such pairs."""
    found = [line.update(track_id, box(y, x), SIZE, pts) for y, pts in way]
    return [one for one in found if one is not None]


def steady(start: float, end: float, seconds: float, fps: float = 10.0) -> list[tuple[float, float]]:
    times = np.arange(round(seconds * fps) + 1) / fps
    return [(start + (end - start) * t / seconds, float(t)) for t in times]


def test_a_passage_has_its_direction_its_speed_and_its_time() -> None:
    (found,) = drive(timer(), steady(95, 5, 4.5))  # 20 pixels a second: 60 pixels in 3 s
    assert (found.line, found.track_id, found.direction, found.inferred) == ("stretch", 7, "in", False)
    assert found.speed_kmh == pytest.approx(36.0, abs=0.01)
    assert found.pts == pytest.approx(3.75)


def test_the_other_way_is_out() -> None:
    (found,) = drive(timer(), steady(5, 95, 4.5))
    assert (found.direction, found.speed_kmh) == ("out", pytest.approx(36.0, abs=0.01))


@given(speed=st.floats(5.0, 150.0), fps=st.floats(4.0, 30.0), start=st.floats(81.0, 95.0))
def test_the_rate_of_frames_does_not_change_a_steady_speed(speed: float, fps: float, start: float) -> None:
    way = [(start - speed * k / fps, k / fps) for k in range(int(fps * (start + 20) / speed) + 2)]
    (found,) = drive(timer(), way)
    assert found.speed_kmh == pytest.approx(3.6 * LENGTH_M * speed / 60, rel=1e-3)


def test_who_brakes_half_way_has_the_mean_speed() -> None:
    quick = steady(90, 50, 1.0)
    slow = [(y, 1.0 + t) for y, t in steady(50, 10, 4.0)[1:]]
    (found,) = drive(timer(), [*quick, *slow])
    assert found.speed_kmh == pytest.approx(3.6 * LENGTH_M / (30 / 40 + 30 / 10), rel=1e-3)


@pytest.mark.parametrize(
    ("way", "why"),
    [
        (steady(70, 5, 3), "begins on the line"),
        (steady(95, 30, 3), "ends on the line"),
        ([*steady(95, 50, 2), *((y, 2 + t) for y, t in steady(50, 95, 2))], "turns round"),
        (steady(95, 85, 2), "does not reach it"),
    ],
)
def test_who_passes_one_end_is_not_counted(way: list[tuple[float, float]], why: str) -> None:
    assert drive(timer(), way) == [], why


def test_a_track_that_comes_back_is_counted_both_ways() -> None:
    back = [(y, 10 + t) for y, t in steady(5, 95, 4.5)]
    assert [one.direction for one in drive(timer(), [*steady(95, 5, 4.5), *back])] == ["in", "out"]


def test_a_box_that_trembles_at_an_end_is_counted_once() -> None:
    trembling = [(20 + (-1) ** k, 3.75 + k / 10) for k in range(20)]
    assert len(drive(timer(), [*steady(95, 21, 3.7), *trembling])) == 1


@pytest.mark.parametrize(("x", "counted"), [(100.0, 1), (104.5, 1), (106.0, 0), (60.0, 0)])
def test_the_next_lane_is_left_out(x: float, counted: int) -> None:
    assert len(drive(timer(), steady(95, 5, 4.5), x)) == counted  # the shorter side is 10 pixels


def test_an_end_that_was_passed_unseen_is_inferred_and_not_timed() -> None:
    way = [(95.0, 0.0), (85.0, 0.1), (50.0, 2.0), (30.0, 2.1), (10.0, 2.2)]
    (found,) = drive(timer(), way)
    assert (found.inferred, found.speed_kmh) == (True, None)


def test_totals_know_classes_directions_and_speeds() -> None:
    line = timer()
    for track_id, (seconds, name) in enumerate([(4.5, "car"), (4.5, "car"), (9.0, "bus")]):
        for y, pts in steady(95, 5, seconds):
            line.update(track_id, box(y), SIZE, pts, lambda name=name: name)
    assert line.totals().as_json() == {
        "in": 3,
        "out": 0,
        "by_class": {"bus": {"in": 1, "out": 0}, "car": {"in": 2, "out": 0}},
        "inferred": 0,
        "speed": {"timed": 3, "mean_kmh": 30.0, "p85_kmh": 36},
    }


def test_a_class_that_is_not_counted_here_is_not() -> None:
    line = timer()
    found = [line.update(1, box(y), SIZE, pts, lambda: None) for y, pts in steady(95, 5, 4.5)]
    assert not any(found)
    assert line.totals().by_class == {}


def test_a_track_of_long_ago_is_forgotten() -> None:
    line = timer()
    drive(line, steady(95, 50, 2))
    line.forget(130.0)
    assert drive(line, [(40.0, 130.0), (10.0, 130.2)]) == []
