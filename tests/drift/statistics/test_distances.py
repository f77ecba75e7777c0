"""One contract for every distance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ks_2samp, wasserstein_distance

from drift.statistics import Distance, KolmogorovSmirnov, Wasserstein

_values = st.floats(-1e6, 1e6, allow_subnormal=False)
_samples = arrays(np.float64, st.integers(1, 60), elements=_values)
each = pytest.mark.parametrize("distance", [KolmogorovSmirnov(), Wasserstein()], ids=lambda d: d.name)


@each
@given(reference=_samples, window=_samples)
def test_it_is_finite_and_never_negative(
    distance: Distance, reference: np.ndarray, window: np.ndarray
) -> None:
    (found,) = distance.between(np.sort(reference), window[None])
    assert np.isfinite(found)
    assert found >= 0


@each
@given(reference=_samples, window=_samples)
def test_the_order_of_a_window_does_not_matter(
    distance: Distance, reference: np.ndarray, window: np.ndarray
) -> None:
    reference.sort()
    found = distance.between(reference, np.stack([window, window[::-1]]))
    assert found[0] == pytest.approx(found[1], abs=1e-9)


@each
def test_many_windows_are_as_each_alone(distance: Distance) -> None:
    rng = np.random.default_rng(3)
    reference, windows = np.sort(rng.normal(size=200)), rng.normal(size=(7, 15))
    together = distance.between(reference, windows)
    alone = [distance.between(reference, window[None])[0] for window in windows]
    assert together == pytest.approx(alone)


@each
def test_a_sample_is_nearer_to_itself_than_to_another(distance: Distance) -> None:
    reference = np.sort(np.random.default_rng(5).normal(size=300))
    same, other = distance.between(reference, np.stack([reference, reference + 2.0]))
    assert same <= 1e-9
    assert other > 0.3


@each
def test_a_sample_is_nearer_to_a_piece_of_itself_than_to_another(distance: Distance) -> None:
    values = np.random.default_rng(5).normal(size=300)
    same, other = distance.between(np.sort(values), np.stack([values[:60], values[:60] + 2.0]))
    assert other > 2 * same


@each
@pytest.mark.parametrize("constant", [0.0, -3.5, 1e6])
def test_a_constant_is_no_fault(distance: Distance, constant: float) -> None:
    reference = np.full(50, constant)
    assert distance.between(reference, reference[None, :5])[0] == pytest.approx(0.0, abs=1e-9)
    assert distance.between(reference, reference[None, :5] + 1.0)[0] > 0


@given(reference=_samples, window=_samples)
def test_kolmogorov_smirnov_is_scipys(reference: np.ndarray, window: np.ndarray) -> None:
    (found,) = KolmogorovSmirnov().between(np.sort(reference), window[None])
    assert found == pytest.approx(ks_2samp(reference, window, method="asymp").statistic)


def test_kolmogorov_smirnov_is_scipys_with_many_equal_values() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        reference, window = rng.integers(0, 4, 40) * 1.0, rng.integers(0, 5, 13) * 1.0
        (found,) = KolmogorovSmirnov().between(np.sort(reference), window[None])
        assert found == pytest.approx(ks_2samp(reference, window, method="asymp").statistic)


def test_wasserstein_is_near_scipys() -> None:
    rng = np.random.default_rng(2)
    reference, window = rng.normal(size=2000), rng.normal(0.7, 1.5, size=500)
    (found,) = Wasserstein().between(np.sort(reference), window[None])
    assert found == pytest.approx(wasserstein_distance(reference, window), rel=0.05)


def test_wasserstein_goes_on_growing_when_nothing_overlaps() -> None:
    reference = np.linspace(0, 1, 100)
    near, far = Wasserstein().between(reference, np.stack([reference + 5, reference + 50]))
    assert far == pytest.approx(near + 45)
