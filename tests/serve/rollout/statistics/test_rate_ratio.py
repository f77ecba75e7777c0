"""Rates of two models on the same cameras."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.rollout.statistics.confidence_sequences import UNKNOWN
from serve.rollout.statistics.rate_ratio import Stratum, rate_ratio

ALPHA = 0.005
times = st.floats(0.0, 1e5)
strata = st.lists(st.builds(Stratum, st.integers(0, 500), times, st.integers(0, 500), times), max_size=8)


@given(strata)
def test_any_cameras_give_an_interval_round_the_ratio(cameras: list[Stratum]) -> None:
    found = rate_ratio(cameras, ALPHA)
    assert found.low <= found.mean <= found.high
    assert found == UNKNOWN or math.isfinite(found.mean)


@given(strata)
def test_the_models_may_change_places(cameras: list[Stratum]) -> None:
    turned = [Stratum(s.challenger, s.challenger_s, s.champion, s.champion_s) for s in cameras]
    one, other = rate_ratio(cameras, ALPHA), rate_ratio(turned, ALPHA)
    if one == UNKNOWN:
        assert other == UNKNOWN
    else:
        assert one.mean * other.mean == pytest.approx(1.0)
        assert one.low * other.high == pytest.approx(1.0)


def test_streets_that_differ_are_not_held_against_each_other() -> None:
    # The challenger serves the street on which tracks break ten times as often under both models.
    calm, busy = Stratum(50, 50_000.0, 0, 0.0), Stratum(100, 10_000.0, 100, 10_000.0)
    assert rate_ratio([calm, busy], ALPHA).mean == pytest.approx(1.0)
    pooled = Stratum(150, 60_000.0, 100, 10_000.0)
    assert rate_ratio([pooled], ALPHA).mean > 3


def test_a_champion_that_never_breaks_one_makes_no_ratio_infinite() -> None:
    found = rate_ratio([Stratum(0, 5000.0, 60, 5000.0)], ALPHA)
    assert 50 < found.mean < 200
    # A rate of which nothing is known but that it is small: far more often, but nobody knows how.
    assert found.low < 2 < found.high < math.inf


def test_few_happenings_say_nothing() -> None:
    assert rate_ratio([Stratum(5, 1000.0, 14, 1000.0)], ALPHA) == UNKNOWN
    assert rate_ratio([Stratum(5, 1000.0, 15, 1000.0)], ALPHA) != UNKNOWN
    assert rate_ratio([], ALPHA) == UNKNOWN


def _largest_low(times_as_often: float, seed: int) -> float:
    """Half an hour of shadow, then looks every 20 s for two hours; what breaks does so in pairs."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(2.0, 0.005, 4)
    before = [2 * int(rng.poisson(1800 * 3 * rate / 2)) for rate in rates]
    after = np.zeros(4, int)
    largest = 0.0
    for look in range(1, 361):
        after += 2 * rng.poisson(20 * 3 * rates * times_as_often / 2)
        cameras = [Stratum(b, 1800 * 3.0, int(a), look * 60.0) for b, a in zip(before, after, strict=True)]
        largest = max(largest, rate_ratio(cameras, ALPHA).low)
    return largest


@pytest.mark.slow
def test_at_all_looks_together_a_ratio_is_hardly_ever_overstated() -> None:
    lows = [_largest_low(1.0, seed) for seed in range(200)]
    assert sum(low > 1.0 for low in lows) <= 4
    assert max(lows) <= 2.0


def test_tracks_that_break_six_times_as_often_are_found() -> None:
    assert sum(_largest_low(6.0, seed) > 2.0 for seed in range(20)) >= 18
