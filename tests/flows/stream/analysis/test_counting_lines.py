import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.stream.analysis.counting_lines import Crossing, LineCounter, Position, anchor

# Seen from its first point, at the bottom, the left of this line is the left of the image.
_UPWARDS = ((0.5, 1.0), (0.5, 0.0))
_ENDLESS = ((0.5, 1e6), (0.5, -1e6))
_FRACTION = st.floats(0, 1)
# Off the very edge of the margin, where rounding decides on which side a point is.
_X = _FRACTION.filter(lambda x: abs(abs(x - 0.5) - 0.01) > 1e-6)


def _walk(counter: LineCounter, way: list[Position], track_id: int = 7, start: float = 0.0) -> list[Crossing]:
    seen = [counter.update(track_id, at, start + i / 25) for i, at in enumerate(way)]
    return [crossing for crossing in seen if crossing is not None]


def _counts(counter: LineCounter) -> Counter[str]:
    """Crossings by direction."""
    return +Counter(counter.totals().directions())


def _across(*xs: float, y: float = 0.5) -> list[Position]:
    return [(x, y) for x in xs]


def test_left_to_right_is_in_with_line_track_and_time() -> None:
    counter = LineCounter("gate", _UPWARDS)

    crossings = _walk(counter, _across(0.2, 0.4, 0.6, 0.8))

    assert crossings == [Crossing("gate", 7, "in", 2 / 25)]
    assert _counts(counter) == {"in": 1}


def test_right_to_left_is_out() -> None:
    counter = LineCounter("gate", _UPWARDS)
    _walk(counter, _across(0.8, 0.6, 0.4, 0.2))

    assert _counts(counter) == {"out": 1}


def test_reversing_the_line_swaps_the_directions() -> None:
    counter = LineCounter("gate", (_UPWARDS[1], _UPWARDS[0]))
    _walk(counter, _across(0.2, 0.8))

    assert _counts(counter) == {"out": 1}


def test_a_horizontal_line_counts_approaching_objects() -> None:
    # From left to right of the image: its left is up, its right is down.
    counter = LineCounter("stop", ((0.0, 0.6), (1.0, 0.6)))
    _walk(counter, [(0.3, 0.2), (0.3, 0.9)])

    assert _counts(counter) == {"in": 1}


def test_there_and_back_counts_once_each_way() -> None:
    counter = LineCounter("gate", _UPWARDS)
    crossings = _walk(counter, _across(0.2, 0.8, 0.2))

    assert [c.direction for c in crossings] == ["in", "out"]


def test_coming_near_and_turning_back_does_not_count() -> None:
    counter = LineCounter("gate", _UPWARDS)
    _walk(counter, _across(0.2, 0.48, 0.499, 0.505, 0.3))

    assert not _counts(counter)


@settings(deadline=None)
@given(st.lists(st.floats(-0.009, 0.009), max_size=60), st.sampled_from([0.2, 0.8]))
def test_jitter_on_the_line_counts_at_most_once(tremble: list[float], end: float) -> None:
    counter = LineCounter("gate", _UPWARDS)
    crossings = _walk(counter, _across(0.2, *(0.5 + off for off in tremble), end))

    assert len(crossings) == (end > 0.5)


def test_a_track_that_first_appears_on_the_line_has_not_crossed_it() -> None:
    counter = LineCounter("gate", _UPWARDS)
    _walk(counter, _across(0.5, 0.504, 0.6, 0.9))

    assert not _counts(counter)


@pytest.mark.parametrize("y", [0.29, 0.71, 0.0, 1.0])
def test_passing_beyond_an_end_does_not_count(y: float) -> None:
    counter = LineCounter("short", ((0.5, 0.7), (0.5, 0.3)))
    _walk(counter, _across(0.2, 0.8, 0.2, y=y))

    assert not _counts(counter)


def test_a_path_around_an_end_and_back_over_the_line_counts_once() -> None:
    counter = LineCounter("short", ((0.5, 0.7), (0.5, 0.3)))
    _walk(counter, [(0.2, 0.1), (0.8, 0.1), (0.8, 0.5), (0.2, 0.5)])

    assert _counts(counter) == {"out": 1}


def test_a_slanting_path_counts_where_it_cuts_the_line() -> None:
    within = LineCounter("short", ((0.5, 0.7), (0.5, 0.3)))
    beyond = LineCounter("short", ((0.5, 0.7), (0.5, 0.3)))
    _walk(within, [(0.3, 0.1), (0.7, 0.6)])
    _walk(beyond, [(0.3, 0.0), (0.7, 0.4)])

    assert _counts(within) == {"in": 1}
    assert not _counts(beyond)


def test_tracks_are_counted_independently() -> None:
    counter = LineCounter("gate", _UPWARDS)
    _walk(counter, _across(0.2), track_id=1)
    _walk(counter, _across(0.8), track_id=2)

    assert not _counts(counter)


def test_the_margin_is_configurable() -> None:
    counter = LineCounter("gate", _UPWARDS, margin=0.2)
    _walk(counter, _across(0.2, 0.65))
    assert not _counts(counter)

    _walk(counter, _across(0.75))
    assert _counts(counter) == {"in": 1}


@settings(deadline=None)
@given(st.lists(st.tuples(_X, _FRACTION), max_size=60))
def test_on_an_infinite_line_directions_alternate(way: list[Position]) -> None:
    counter = LineCounter("endless", _ENDLESS)
    for i, at in enumerate(way):
        counter.update(7, at, i / 25)
        assert _counts(counter)["in"] - _counts(counter)["out"] in {-1, 0, 1}

    clear = [x for x, _ in way if abs(x - 0.5) >= 0.01]
    if clear:
        assert _counts(counter)["in"] - _counts(counter)["out"] == (clear[-1] > 0.5) - (clear[0] > 0.5)


@settings(deadline=None)
@given(
    st.tuples(_FRACTION, _FRACTION),
    st.floats(0, 2 * math.pi),
    st.lists(st.tuples(_FRACTION, _FRACTION), max_size=30),
)
def test_mirroring_the_scene_swaps_in_and_out(start: Position, angle: float, way: list[Position]) -> None:
    end = (start[0] + 0.5 * math.cos(angle), start[1] + 0.5 * math.sin(angle))
    counter = LineCounter("line", (start, end))
    mirrored = LineCounter("line", ((-start[0], start[1]), (-end[0], end[1])))
    _walk(counter, way)
    _walk(mirrored, [(-x, y) for x, y in way])

    assert _counts(counter)["in"] == _counts(mirrored)["out"]
    assert _counts(counter)["out"] == _counts(mirrored)["in"]


def test_a_forgotten_track_starts_over() -> None:
    counter = LineCounter("gate", _UPWARDS)
    _walk(counter, _across(0.2), track_id=1, start=0.0)
    _walk(counter, _across(0.2), track_id=2, start=50.0)
    counter.forget(130.0)
    _walk(counter, _across(0.8), track_id=1, start=130.0)
    assert not _counts(counter)

    _walk(counter, _across(0.8), track_id=2, start=70.0)
    assert _counts(counter) == {"in": 1}


def test_a_track_waiting_on_the_line_is_not_forgotten() -> None:
    counter = LineCounter("gate", _UPWARDS)
    _walk(counter, _across(0.2), start=0.0)
    for second in range(1, 120):
        _walk(counter, _across(0.5), start=float(second))
        counter.forget(float(second))
    _walk(counter, _across(0.8), start=120.0)

    assert _counts(counter) == {"in": 1}


def test_the_anchor_is_the_middle_of_the_lower_edge() -> None:
    assert anchor((100, 50, 300, 270), width=400, height=300) == (0.5, 0.9)


def test_a_gap_before_the_margin_is_remembered() -> None:
    counter = LineCounter("gate", _UPWARDS)
    counter.update(7, (0.3, 0.5), 0.0)
    counter.update(7, (0.5, 0.5), 30.0)
    crossing = counter.update(7, (0.7, 0.5), 30.1)
    assert crossing is not None
    assert crossing.inferred
    again = counter.update(7, (0.3, 0.5), 30.2)
    assert again is not None
    assert not again.inferred
