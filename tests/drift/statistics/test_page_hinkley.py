import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from drift.statistics import PageHinkley
from drift.statistics.page_hinkley import began, centre_of

REFERENCE = np.sort(np.random.default_rng(0).normal(size=1000))
_values = arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6, allow_subnormal=False))


def _between(*windows: list[float]) -> list[float]:
    found: list[float] = PageHinkley().between(REFERENCE, np.array(windows)).tolist()
    return found


def test_a_change_that_lasts_adds_up_and_one_that_comes_and_goes_does_not() -> None:
    lasting, coming = _between([0.0] * 10 + [2.0] * 10, [2.0, -2.0] * 10)
    assert lasting > 3 * coming


def test_up_and_down_count_alike() -> None:
    up, down = PageHinkley().between(np.linspace(-1, 1, 101), np.stack([np.full(15, 3.0), np.full(15, -3.0)]))
    assert up == pytest.approx(down)


def test_values_at_the_middle_are_no_change() -> None:
    assert _between([float(np.median(REFERENCE))] * 20) == [0.0]


def test_a_longer_change_is_a_larger_one() -> None:
    lengths = [_between([0.0] * (20 - n) + [2.0] * n)[0] for n in (2, 5, 10, 20)]
    assert lengths == sorted(lengths)


@given(_values)
def test_the_spread_of_anything_is_more_than_nothing(values: np.ndarray) -> None:
    middle, spread = centre_of(values)
    assert values.min() <= middle <= values.max()
    assert spread > 0


@pytest.mark.parametrize("at", [1, 7, 19])
def test_it_tells_with_which_value_the_change_began(at: int) -> None:
    values = np.concatenate([np.zeros(at), np.full(20 - at, 5.0)])
    assert began(REFERENCE, values) == at
    assert began(REFERENCE, -values) == at


def test_a_change_that_was_over_does_not_count() -> None:
    values = np.array([0.0, 5.0, 5.0, *[0.0] * 30, 5.0, 5.0])
    assert began(REFERENCE, values) == 33


def test_what_was_different_from_the_first_value_on_began_there() -> None:
    assert began(REFERENCE, np.full(10, 5.0)) == 0


def test_without_a_change_it_is_the_last_value() -> None:
    assert began(REFERENCE, np.zeros(10)) == 9


def test_differences_nobody_cares_about_are_no_beginning() -> None:
    constant = np.full(100, 0.5)
    values = np.array([0.501] * 10 + [0.9] * 5)
    assert began(constant, values, least=0.02) == 10


@given(_values, _values)
def test_a_beginning_is_always_within_the_values(reference: np.ndarray, values: np.ndarray) -> None:
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        assert 0 <= began(np.sort(reference), values) < len(values)
