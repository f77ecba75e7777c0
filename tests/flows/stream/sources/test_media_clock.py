import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.stream.sources.media_clock import MediaClock

_STAMPS = st.none() | st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf])
_EVENTS = st.lists(
    st.tuples(_STAMPS, st.floats(0, 100), st.booleans()), min_size=1, max_size=40
)  # stamp, seconds since the arrival before, new connection
_RATES = st.sampled_from([0.0, 1.0, 25.0, 1000.0, 90_000.0])


@settings(deadline=None)
@given(_EVENTS, _RATES)
def test_media_time_starts_at_zero_and_rises_for_any_stamps(
    events: list[tuple[float | None, float, bool]], fps: float
) -> None:
    clock = MediaClock()
    arrived_s, times = 0.0, []
    for media_s, passed, again in events:
        arrived_s += passed
        if again:
            clock.reconnected()
        times.append(clock.stamp(media_s, arrived_s, fps))

    assert times[0] == 0
    assert all(before < after for before, after in itertools.pairwise(times))
    assert all(math.isfinite(time) for time in times)


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.lists(st.floats(0.001, 9.9), min_size=1, max_size=40))
def test_a_steady_source_keeps_its_own_intervals(start_s: float, steps: list[float]) -> None:
    clock = MediaClock()
    stamps = [start_s + passed for passed in itertools.accumulate([0.0, *steps])]

    # They all arrive at once, as from a buffer: arrival has no say while stamps are good.
    times = [clock.stamp(stamp, arrived_s=0.0) for stamp in stamps]

    assert times == pytest.approx([stamp - start_s for stamp in stamps], abs=1e-6)


def test_a_missing_stamp_advances_by_one_period() -> None:
    clock = MediaClock()
    times = [clock.stamp(stamp, 0.0, fps=10) for stamp in (5.0, None, None, 5.3)]

    assert times == pytest.approx([0, 0.1, 0.2, 0.3])


def test_a_source_without_stamps_runs_at_25_a_second() -> None:
    clock = MediaClock()

    assert [clock.stamp(None, 0.0) for _ in range(3)] == pytest.approx([0, 0.04, 0.08])


@pytest.mark.parametrize("stray", [1.0, 0.9, 0.6])
def test_a_stray_stamp_does_not_shift_those_that_follow(stray: float) -> None:
    clock = MediaClock()
    times = [clock.stamp(stamp, 0.0, fps=25) for stamp in (0.0, 1.0, stray, 1.04, 1.08)]

    assert times[3:] == pytest.approx([1.04, 1.08])
    assert 1.0 < times[2] < 1.01


def test_a_stamp_that_stands_still_and_goes_on_later_costs_no_gap() -> None:
    clock = MediaClock()
    times = [clock.stamp(stamp, 0.0, fps=10) for stamp in (0.0, 0.1, 0.1, 0.1, 0.1, 0.2, 0.3)]

    assert times == pytest.approx([0, 0.1, 0.101, 0.201, 0.301, 0.401, 0.501], abs=1e-6)
    assert clock.gaps == 0


@pytest.mark.parametrize("jump", [-3600.0, -0.6, 10.5, 1e9])
def test_after_a_jump_of_the_stamps_the_monotonic_clock_gives_the_step(jump: float) -> None:
    clock = MediaClock()
    clock.stamp(100.0, arrived_s=50.0)
    clock.stamp(100.04, arrived_s=50.04)

    assert clock.stamp(100.04 + jump, arrived_s=52.04) == pytest.approx(2.04)
    assert clock.stamp(100.08 + jump, arrived_s=52.04) == pytest.approx(2.08)


def test_a_slow_camera_is_not_a_jump() -> None:
    clock = MediaClock()
    clock.stamp(0.0, arrived_s=0.0)

    assert clock.stamp(9.0, arrived_s=0.1) == pytest.approx(9.0)


def test_a_new_connection_goes_on_by_the_monotonic_clock() -> None:
    clock = MediaClock()
    clock.stamp(7.0, arrived_s=100.0)
    clock.stamp(7.5, arrived_s=100.5)
    clock.reconnected()

    assert clock.stamp(0.0, arrived_s=160.5) == pytest.approx(60.5)
    assert clock.stamp(0.04, arrived_s=160.5) == pytest.approx(60.54)


def test_a_new_connection_without_delay_still_advances() -> None:
    clock = MediaClock()
    clock.stamp(7.0, arrived_s=100.0)
    clock.reconnected()

    assert clock.stamp(7.0, arrived_s=100.0, fps=20) == pytest.approx(0.05)


def test_stamps_that_start_late_are_used_from_there() -> None:
    clock = MediaClock()
    times = [
        clock.stamp(stamp, arrived_s, fps=25)
        for stamp, arrived_s in [(None, 0.0), (500.0, 0.04), (500.04, 0.04)]
    ]

    assert times == pytest.approx([0, 0.04, 0.08])


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -math.inf])
def test_a_stamp_that_is_not_finite_is_skipped(nonsense: float) -> None:
    clock = MediaClock()
    clock.stamp(0.0, arrived_s=0.0)
    clock.stamp(nonsense, arrived_s=0.04)

    assert clock.stamp(0.08, arrived_s=0.08) == pytest.approx(0.08)
    assert clock.stamp(0.12, arrived_s=0.08) == pytest.approx(0.12)
