import numpy as np
import pytest
from numpy.typing import NDArray

from drift.comparison import DetectionPolicy, FeatureResult, compare
from drift.statistics import Wasserstein
from tests.drift.support import autoregressive

MIN_SPREADS = {"brightness": 0.02}
WEEK = 7 * 1440
ONCE = DetectionPolicy()
LIVE = DetectionPolicy(rarity=1 / (288.0 * 60))
"""For windows of 15 minutes that are looked at every minute: one false alarm in 60 days."""


def _one(
    before: NDArray[np.float64], since: NDArray[np.float64], policy: DetectionPolicy = ONCE
) -> FeatureResult:
    return compare({"brightness": before}, {"brightness": since}, MIN_SPREADS, policy)["brightness"]


def _day(rng: np.random.Generator, count: int, mean: float = 0.5) -> NDArray[np.float64]:
    return mean + 0.03 * autoregressive(count, 0.9, rng)


def test_a_dark_quarter_of_an_hour_is_an_alarm() -> None:
    rng = np.random.default_rng(0)
    result = _one(_day(rng, WEEK), _day(rng, 15, mean=0.2), LIVE)
    assert result.alarm
    assert result.p_value < 0.01
    assert result.effect_size > result.threshold
    assert result.change == pytest.approx(-0.3, abs=0.1)


def test_a_quarter_like_all_others_is_none() -> None:
    rng = np.random.default_rng(1)
    before = _day(rng, WEEK)
    assert not any(_one(before, _day(rng, 15), LIVE).alarm for _ in range(20))


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.98])
def test_a_camera_without_drift_goes_a_month_with_at_most_one_false_alarm(rho: float) -> None:
    """Six cameras, 30 days of minutes each, looked at every minute: alarms that begin."""
    rng = np.random.default_rng(4)
    begun = 0
    for _ in range(6):
        before, live = autoregressive(WEEK, rho, rng), autoregressive(30 * 1440, rho, rng)
        threshold = _one(before, live[:15], LIVE).threshold
        windows = np.lib.stride_tricks.sliding_window_view(live, 15)
        spread = np.diff(np.quantile(before, [0.25, 0.75]))[0] / 1.349
        above = Wasserstein().between(np.sort(before), windows) / spread >= threshold
        begun += int((above[1:] & ~above[:-1]).sum())
    assert begun / 6 <= 1.0


def test_a_change_that_nobody_cares_about_is_none() -> None:
    before, since = np.full(WEEK, 0.5), np.full(15, 0.505)
    assert not _one(before, since, LIVE).alarm


def test_a_constant_feature_that_jumps_is_an_alarm() -> None:
    result = _one(np.full(WEEK, 0.5), np.full(15, 0.8), LIVE)
    assert result.alarm
    assert np.isfinite(result.effect_size)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_window_that_is_too_short_says_how_much_is_missing(count: int) -> None:
    result = _one(np.random.default_rng(0).normal(size=500), np.zeros(count))
    assert not result.enough
    assert result.missing == 5 - count
    assert not result.alarm


def test_a_reference_that_is_too_short_says_how_much_is_missing() -> None:
    assert _one(np.zeros(3), np.zeros(15)).missing == 9


def test_values_that_are_not_numbers_do_not_count() -> None:
    before = np.random.default_rng(0).normal(size=500)
    gaps = np.full(20, np.nan)
    assert _one(before, gaps).missing == 5
    gaps[:8] = before[:8]
    assert _one(before, gaps).enough


def test_a_feature_that_one_side_lacks_is_left_out() -> None:
    values = np.random.default_rng(0).normal(size=100)
    assert compare({"a": values, "b": values}, {"b": values[:10]}, {}).keys() == {"b"}


def test_the_same_question_has_the_same_answer() -> None:
    rng = np.random.default_rng(2)
    before, since = _day(rng, 2000), _day(rng, 15)
    assert _one(before, since) == _one(before, since)


def test_more_features_need_more_evidence() -> None:
    rng = np.random.default_rng(3)
    before = {name: _day(rng, WEEK) for name in "abcdefgh"}
    since = {name: _day(rng, 15) for name in before}
    alone = compare({"a": before["a"]}, {"a": since["a"]}, {}, LIVE)["a"]
    among = compare(before, since, {}, LIVE)["a"]
    assert among.threshold > alone.threshold
