import pytest

from flows.stream.analysis.status import Lags


def test_the_lag_is_zero_before_the_first_frame() -> None:
    assert Lags().quantiles_s() == (0.0, 0.0)


def test_the_lag_is_the_95th_percentile() -> None:
    lags = Lags()
    for index in range(101):
        lags.add(index / 100)

    assert lags.quantiles_s()[1] == pytest.approx(0.95)


def test_old_lags_are_forgotten() -> None:
    lags = Lags()
    for _ in range(1000):
        lags.add(60.0)
    for _ in range(10_000):
        lags.add(0.1)

    assert lags.quantiles_s()[1] == pytest.approx(0.1)
