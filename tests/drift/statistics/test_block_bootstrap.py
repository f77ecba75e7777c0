import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift.statistics import Distance, KolmogorovSmirnov, Wasserstein
from drift.statistics.block_bootstrap import Null, block_for, block_length, draw_blocks, null_of
from tests.drift.support import autoregressive


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("rho", "low", "high"), [(0.0, 1, 2), (0.5, 2, 6), (0.9, 10, 40)])
def test_the_block_grows_with_the_dependence(rho: float, low: int, high: int) -> None:
    assert low <= block_length(autoregressive(5000, rho, _rng())) <= high


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0], [3.0] * 100])
def test_values_that_show_no_dependence_are_blocks_of_one(values: list[float]) -> None:
    assert block_length(np.array(values)) == 1


@given(st.integers(1, 50), st.integers(1, 30), st.integers(1, 40))
def test_drawn_samples_are_runs_of_neighbours(count: int, length: int, block: int) -> None:
    values = np.arange(count, dtype=np.float64)
    drawn = draw_blocks(values, 8, length, min(block, count), _rng())

    assert drawn.shape == (8, length)
    steps = np.diff(drawn, axis=1)
    inside = [k for k in range(length - 1) if (k + 1) % min(block, count)]
    assert np.isin(steps[:, inside] % count, [1.0 % count]).all()


def test_a_p_value_is_never_zero_and_never_above_one() -> None:
    null = Null(np.arange(99.0), 1)
    assert null.p_value(1e9) == pytest.approx(0.01)
    assert null.p_value(-1.0) == pytest.approx(1.0)


@pytest.mark.parametrize("distance", [KolmogorovSmirnov(), Wasserstein()], ids=lambda d: d.name)
@pytest.mark.parametrize("rho", [0.0, 0.9])
def test_windows_without_change_are_called_rare_as_often_as_said(distance: Distance, rho: float) -> None:
    """At 10 %, windows of 15 are called rare about one time in ten, however they depend."""
    rng = _rng(7)
    reference = autoregressive(10_000, rho, rng)
    null = null_of(distance, reference, 15, 15, rng)
    ordered = np.sort(reference)
    windows = autoregressive(15 * 4000, rho, rng).reshape(-1, 15)[::4]
    called = np.mean([null.p_value(d) <= 0.1 for d in distance.between(ordered, windows)])
    assert 0.05 < called < 0.17


def test_the_textbook_would_call_most_dependent_windows_rare() -> None:
    """Why all this: the naive test at 5 % fires on most windows at rho 0.9."""
    from scipy.stats import ks_2samp

    rng = _rng(3)
    reference = autoregressive(5000, 0.9, rng)
    windows = autoregressive(60 * 400, 0.9, rng).reshape(-1, 60)[::2]
    called = np.mean([ks_2samp(reference, window).pvalue < 0.05 for window in windows])
    assert called > 0.5


def test_a_short_reference_is_one_of_many_that_could_have_been() -> None:
    """Its own sampling error belongs to the null, or every other window would be drift."""
    rng = _rng(11)
    called = 0
    for _ in range(60):
        before, since = autoregressive(40, 0.5, rng), autoregressive(40, 0.5, rng)
        null = null_of(KolmogorovSmirnov(), before, 40, block_length(before), rng, draws=199)
        distance = KolmogorovSmirnov().between(np.sort(before), since[None])[0]
        called += null.p_value(distance) <= 0.05
    assert called <= 12


def test_windows_are_drawn_in_one_run_where_there_is_room() -> None:
    memory = autoregressive(600, 0.9, np.random.default_rng(3))
    assert block_for(memory, 30) == 30
    assert 1 < block_for(memory[:300], 30) == min(block_length(memory[:300]), 30)
    assert block_for(memory[:300], 3) == 3
