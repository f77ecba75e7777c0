import pytest

from flows.stream.analysis.status import Lags


def test_there_is_no_lag_before_the_first_frame() -> None:
    assert Lags().p95_s() == 0.0


def test_one_frame_in_twenty_may_be_later() -> None:
    lags = Lags()
    for index in range(101):
        lags.add(index / 100)

    assert lags.p95_s() == pytest.approx(0.95)


def test_what_was_long_ago_is_forgotten() -> None:
    lags = Lags()
    for _ in range(1000):
        lags.add(60.0)
    for _ in range(10_000):
        lags.add(0.1)

    assert lags.p95_s() == pytest.approx(0.1)
