import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from drift.statistics.distance import median_and_spread
from drift.statistics.page_hinkley import change_start

REFERENCE = np.sort(np.random.default_rng(0).normal(size=1000))
_values = arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6, allow_subnormal=False))


@given(_values)
def test_the_spread_of_anything_is_more_than_nothing(values: np.ndarray) -> None:
    middle, spread = median_and_spread(values)
    assert values.min() <= middle <= values.max()
    assert spread > 0


@pytest.mark.parametrize("at", [1, 7, 19])
def test_it_tells_with_which_value_the_change_began_up_or_down(at: int) -> None:
    values = np.concatenate([np.zeros(at), np.full(20 - at, 5.0)])
    assert change_start(REFERENCE, values) == at
    assert change_start(REFERENCE, -values) == at


def test_a_change_that_was_over_does_not_count() -> None:
    values = np.array([0.0, 5.0, 5.0, *[0.0] * 30, 5.0, 5.0])
    assert change_start(REFERENCE, values) == 33


def test_a_change_that_comes_and_goes_has_not_begun() -> None:
    assert change_start(REFERENCE, np.array([2.0, -2.0] * 10)) == 19


def test_what_was_different_from_the_first_value_on_began_there() -> None:
    assert change_start(REFERENCE, np.full(10, 5.0)) == 0


def test_without_a_change_it_is_the_last_value() -> None:
    assert change_start(REFERENCE, np.zeros(10)) == 9
    assert change_start(REFERENCE, np.full(20, float(np.median(REFERENCE)))) == 19


def test_differences_below_the_least_are_no_beginning() -> None:
    constant = np.full(100, 0.5)
    values = np.array([0.501] * 10 + [0.9] * 5)
    assert change_start(constant, values, min_spread=0.02) == 10


def test_a_higher_delta_dates_a_slow_change_later() -> None:
    slow = np.linspace(0.0, 5.0, 50)
    starts = [change_start(REFERENCE, slow, delta=delta) for delta in (0.25, 0.5, 1.0, 2.0)]
    assert starts == sorted(set(starts))


@given(_values, _values)
def test_a_beginning_is_always_within_the_values(reference: np.ndarray, values: np.ndarray) -> None:
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        assert 0 <= change_start(np.sort(reference), values) < len(values)
