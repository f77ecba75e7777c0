"""That a conclusion is rarely wrong however often it is looked at: counted, not believed."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import lfilter

from serve.rollout.statistics.confidence_sequences import (
    UNKNOWN,
    Moments,
    log_likelihood_ratio,
    mean_interval,
)

ALPHA = 0.05
RUNS, LOOKS = 1000, 600
NOISE = 3 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)  # of a share that is ALPHA

Draw = Callable[[np.random.Generator], NDArray[np.float64]]

values = st.lists(st.floats(-1e3, 1e3), max_size=30)


def _ever_misses(drawn: NDArray[np.float64], truth: float) -> tuple[float, float]:
    """Shares of the rows whose interval is, at any look, wholly above or below the truth."""
    totals, squares = drawn.cumsum(axis=1), (drawn**2).cumsum(axis=1)
    above = below = 0
    for total, square in zip(totals, squares, strict=True):
        intervals = [
            mean_interval(Moments(n + 1, float(total[n]), float(square[n])), ALPHA)
            for n in range(0, drawn.shape[1], 3)
        ]
        above += any(interval.low > truth for interval in intervals)
        below += any(interval.high < truth for interval in intervals)
    return above / len(drawn), below / len(drawn)


def _normal(rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.normal(0.0, 0.1, (RUNS, LOOKS))


def _skewed(rng: np.random.Generator) -> NDArray[np.float64]:
    return 0.1 * (rng.gamma(4.0, 1.0, (RUNS, LOOKS)) - 4.0)


def _three_values(rng: np.random.Generator) -> NDArray[np.float64]:
    """As gains are: mostly nothing, now and then a thing more or less."""
    drawn: NDArray[np.float64] = rng.choice([-0.1, 0.0, 0.1], (RUNS, LOOKS), p=[0.2, 0.6, 0.2])
    return drawn


def _blocks_of_alike_frames(rng: np.random.Generator) -> NDArray[np.float64]:
    """Means over 100 frames of which neighbours correlate by 0.9."""
    frames = lfilter([1.0], [1.0, -0.9], rng.normal(0, 1, (RUNS, 100 * LOOKS // 4)), axis=1)
    return np.asarray(frames.reshape(RUNS, LOOKS // 4, 100).mean(axis=2))


@pytest.mark.parametrize("draw", [_normal, _skewed, _three_values, _blocks_of_alike_frames])
def test_an_interval_that_is_looked_at_all_the_time_rarely_ever_misses(draw: Draw) -> None:
    above, below = _ever_misses(draw(np.random.default_rng(1)), 0.0)
    assert above <= ALPHA + NOISE
    assert below <= ALPHA + NOISE


def test_an_ordinary_interval_looked_at_all_the_time_misses_often() -> None:
    # What the above is for: the same data, the usual 95 % of a single look at each end.
    drawn = _normal(np.random.default_rng(1))
    counts = np.arange(1, LOOKS + 1)
    means = drawn.cumsum(axis=1) / counts
    spread = np.sqrt(np.maximum((drawn**2).cumsum(axis=1) / counts - means**2, 1e-12))
    misses = (means > 1.64 * spread / np.sqrt(counts))[:, 20::3].any(axis=1).mean()
    assert misses > 3 * ALPHA


def test_neighbouring_frames_are_no_independent_values() -> None:
    # Why values are blocks: of single frames the promise does not hold.
    rng = np.random.default_rng(1)
    frames = lfilter([1.0], [1.0, -0.9], rng.normal(0, 1, (300, LOOKS)), axis=1)
    assert sum(_ever_misses(np.asarray(frames), 0.0)) > 3 * ALPHA


def test_an_interval_finds_a_gain_of_the_size_that_matters() -> None:
    drawn = np.random.default_rng(2).normal(0.05, 0.12, (200, 400))
    above, below = _ever_misses(drawn, 0.0)
    assert above > 0.95
    assert below == 0


@given(values)
def test_an_interval_has_the_mean_in_it(drawn: list[float]) -> None:
    moments = Moments.of(*drawn)
    found = mean_interval(moments, 0.01, min_count=2)
    assert found.low <= found.mean <= found.high
    if len(drawn) >= 2:
        assert found.mean == moments.mean


@given(values, st.floats(0.001, 0.2))
def test_who_wants_to_be_surer_gets_a_wider_interval(drawn: list[float], alpha: float) -> None:
    moments = Moments.of(*drawn)
    sure, surer = (mean_interval(moments, a, min_count=2, min_std=0.1) for a in (alpha, alpha / 2))
    assert surer.low <= sure.low <= sure.high <= surer.high


def test_too_few_values_say_nothing_and_equal_ones_not_everything() -> None:
    assert mean_interval(Moments.of(*[1.0] * 19), 0.01) == UNKNOWN
    found = mean_interval(Moments.of(*[1.0] * 20), 0.01, min_std=0.02)
    assert 0.9 < found.low < 1.0 < found.high < 1.1


def test_an_interval_narrows_as_values_come() -> None:
    widths = [
        found.high - found.low
        for n in (20, 50, 200, 1000, 10_000)
        if (found := mean_interval(Moments.of(*[0.0, 1.0] * (n // 2)), 0.01))
    ]
    assert widths == sorted(widths, reverse=True)


@given(values, values, values)
def test_sums_may_be_made_in_any_order(a: list[float], b: list[float], c: list[float]) -> None:
    one, two, three = (Moments.of(*part) for part in (a, b, c))
    left, right, whole = (one + two) + three, one + (two + three), Moments.of(*a, *b, *c)
    for other in (right, whole):
        assert left.count == other.count
        assert left.total == pytest.approx(other.total, abs=1e-6)
        assert left.squares == pytest.approx(other.squares, abs=1e-6)
    assert one + Moments() == one


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=40))
def test_variance_is_that_of_the_sample(drawn: list[float]) -> None:
    assert Moments.of(*drawn).variance == pytest.approx(np.var(drawn, ddof=1), abs=1e-6)


# Failing


USUAL, HARMFUL = 0.001, 0.01


def _odds(rate: float, calls: int, runs: int = 1000) -> NDArray[np.float64]:
    """(runs, calls) the odds after every call."""
    failed = np.random.default_rng(3).random((runs, calls)) < rate
    a_failure = log_likelihood_ratio(1, 1, USUAL, HARMFUL)
    a_success = log_likelihood_ratio(0, 1, USUAL, HARMFUL)
    return np.where(failed, a_failure, a_success).cumsum(axis=1)


@pytest.mark.parametrize("rate", [0.0, 0.0005, USUAL])
def test_who_fails_no_more_than_usual_is_rarely_ever_accused(rate: float) -> None:
    accused = (_odds(rate, 4000) >= -math.log(ALPHA)).any(axis=1).mean()
    assert accused <= ALPHA + NOISE


@pytest.mark.parametrize("rate", [HARMFUL, 0.03])
def test_who_fails_harmfully_is_rarely_ever_acquitted_and_soon_found(rate: float) -> None:
    odds = _odds(rate, 4000)
    acquitted = (odds <= math.log(ALPHA)).argmax(axis=1)
    found = (odds >= -math.log(ALPHA)).argmax(axis=1)
    wrongly = (acquitted > 0) & ((found == 0) | (acquitted < found))
    assert wrongly.mean() <= ALPHA + NOISE
    assert (found > 0).mean() > 0.9


def test_a_faultless_model_is_acquitted_after_about_as_many_calls_as_planned() -> None:
    calls = next(n for n in range(5000) if log_likelihood_ratio(0, n, USUAL, HARMFUL) < -5.3)
    assert 500 < calls < 700
    assert log_likelihood_ratio(0, 0, USUAL, HARMFUL) == 0
