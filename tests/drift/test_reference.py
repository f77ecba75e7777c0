from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from drift.change import WatchPolicy
from drift.history import History, Past
from drift.measurement.features import NAMES, OF_IMAGES
from drift.reference import (
    HOUR_OF_DAY,
    HOUR_OF_WEEK,
    OWN_PAST,
    TRAINING,
    WINDOW,
    Reference,
    build,
    choose,
    overdispersion_of,
    small_sample_factor,
)
from tests.drift.support import START, USUAL, breathing, make_period

DAY, WEEK = 1440, 7 * 1440
RARITY = WatchPolicy().rarity
OF_MODELS = [name for name in NAMES if name not in OF_IMAGES]


def _now(number: float) -> float:
    return (START + timedelta(minutes=number)).timestamp()


def _past(numbers: Sequence[int] | range) -> Past:
    """Minutes by number, with a brightness that says which hour of the day they are of."""
    values = np.zeros((len(numbers), len(NAMES)), np.float32)
    values[:, 0] = [number % DAY // 60 for number in numbers]
    times = np.array([_now(number) for number in numbers])
    return Past(times, values, np.zeros((len(numbers), 0), np.int32))


def _reference(
    history: History, version: str = "m-1", training: Past | None = None, after: int = 100_000
) -> Reference:
    with np.errstate(all="raise"):
        return build(history, version, _now(after), training, RARITY, 0)


def _remembered(count: int, version: str = "m-1", first: int = 0) -> History:
    history = History()
    for one in breathing(count, first, model_version=version):
        history.append(one)
    return history


@pytest.fixture(scope="module")
def of_a_day() -> Reference:
    return _reference(_remembered(600))


@pytest.mark.parametrize(
    ("days", "source"),
    [(0.05, OWN_PAST), (4.9, OWN_PAST), (6, HOUR_OF_DAY), (20, HOUR_OF_DAY), (22, HOUR_OF_WEEK)],
)
def test_the_past_is_taken_as_near_as_there_is_enough_of_it(days: float, source: str) -> None:
    past = _past(range(round(days * DAY) - WINDOW))
    found, chosen = choose(past, _now(days * DAY))
    assert found == source
    assert chosen.all() == (source == OWN_PAST)


def test_the_same_hour_of_the_day_is_around_the_window() -> None:
    now = 6 * DAY + 12 * 60  # a window from a quarter to twelve to noon
    _, chosen = choose(_past(range(now - WINDOW)), _now(now))
    hours = _past(range(now - WINDOW)).values[chosen, 0]
    assert set(hours.tolist()) == {11.0, 12.0}
    assert 6 * 60 <= chosen.sum() <= 7 * 80


def test_an_hour_about_midnight_is_of_both_days() -> None:
    now = 6 * DAY + 10
    source, chosen = choose(_past(range(now)), _now(now))
    assert source == HOUR_OF_DAY
    assert set(_past(range(now)).values[chosen, 0].tolist()) == {0.0, 23.0}


def test_the_same_hour_of_the_week_is_of_one_weekday() -> None:
    now = 22 * DAY + 12 * 60
    past = _past(range(now))
    source, chosen = choose(past, _now(now))
    assert source == HOUR_OF_WEEK
    days = set(((past.times[chosen] - _now(0)) // 86400).tolist())
    assert days == {1.0, 8.0, 15.0, 22.0}


def test_a_day_of_which_half_is_missing_does_not_count() -> None:
    noon = 12 * 60
    numbers = [d * DAY + noon + m for d in range(6) for m in range(-60, 60)]
    thin = [n for n in numbers if n // DAY >= 2 or n % DAY >= noon + 10]
    now = _now(6 * DAY + noon)
    assert choose(_past(numbers), now)[0] == HOUR_OF_DAY
    assert choose(_past(thin), now)[0] == OWN_PAST


def test_of_a_camera_that_was_never_seen_an_hour_is_missing() -> None:
    reference = _reference(History())
    assert reference.missing == 60
    assert not any(reference.columns.values())
    assert np.isinf(reference.overdispersion)


@pytest.mark.parametrize("count", [1, 15, 59])
def test_a_short_past_says_how_much_is_missing(count: int) -> None:
    assert _reference(_remembered(count)).missing == 60 - count


def test_an_hour_is_enough() -> None:
    reference = _reference(_remembered(60))
    assert reference.missing == 0
    assert reference.source == OWN_PAST
    assert all(reference.columns.values())


def test_the_window_itself_is_no_reference() -> None:
    assert _reference(_remembered(70), after=70).periods == 70 - WINDOW


def test_without_a_past_pictures_are_held_against_the_training_set() -> None:
    values = np.full((200, len(NAMES)), np.nan, np.float32)
    values[:, 0] = np.linspace(0.3, 0.6, 200)
    training = Past(np.arange(200.0), values, np.zeros((200, 0), np.int32))
    reference = _reference(_remembered(10), training=training)
    assert reference.source == TRAINING
    assert [name for name, column in reference.columns.items() if column] == ["brightness"]


def test_its_own_past_tells_more_than_the_training_set() -> None:
    training = Past(np.arange(200.0), np.zeros((200, 11), np.float32), np.zeros((200, 0), np.int32))
    assert _reference(_remembered(60), training=training).source == OWN_PAST


def test_a_training_set_of_nothing_says_how_much_is_missing() -> None:
    nothing = Past(np.zeros(0), np.zeros((0, len(NAMES)), np.float32), np.zeros((0, 0), np.int32))
    assert _reference(_remembered(10), training=nothing).missing == 60


def test_a_new_model_starts_anew_where_models_answer_and_pictures_keep_their_past() -> None:
    history = _remembered(100)
    for one in breathing(30, 100, model_version="m-2"):
        history.append(one)
    old, new = _reference(history), _reference(history, "m-2")
    assert all(old.columns.values())
    for name in NAMES:
        assert (new.columns[name] is not None) == (name in OF_IMAGES)
    assert new.mix.sum() < old.mix.sum()
    assert np.isnan(new.quantiles[NAMES.index("confidence")]).all()


def test_a_model_that_never_answered_has_no_reference_of_its_own() -> None:
    reference = _reference(_remembered(100), "m-9")
    assert not any(reference.columns[name] for name in OF_MODELS)
    assert reference.mix.sum() == 0


def test_a_constant_feature_has_the_least_spread_that_anybody_cares_about() -> None:
    history = History()
    for number in range(100):
        history.append(make_period(number))
    column = _reference(history).columns["brightness"]
    assert column is not None
    assert column.spread == pytest.approx(0.02)
    assert column.threshold(RARITY) == pytest.approx(0.0)
    assert 0 <= column.p_value(5.0) <= column.p_value(0.0) <= 1


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_values_that_were_not_measured_do_not_count(share: float) -> None:
    history = History()
    for one in breathing(100):
        known = len(history) < share * 100
        values = {**one.values, "speed": one.values["speed"] if known else float("nan")}
        history.append(make_period(len(history), values=values))
    reference = _reference(history)
    assert reference.columns["speed"] is None
    assert reference.columns["brightness"] is not None
    assert reference.missing == 0


def test_a_rarer_alarm_asks_for_a_larger_effect(of_a_day: Reference) -> None:
    column = of_a_day.columns["brightness"]
    assert column is not None
    thresholds = [column.threshold(rarity) for rarity in (0.1, 1e-3, 1e-6)]
    assert thresholds == sorted(thresholds)
    p_values = [column.p_value(effect) for effect in (0.0, *thresholds, 100.0)]
    assert p_values == sorted(p_values, reverse=True)
    assert all(0 <= p <= 1 for p in p_values)
    assert column.p_value(column.threshold(1e-6)) == pytest.approx(1e-6, rel=0.01)


def test_the_middle_of_a_reference_is_the_usual_value(of_a_day: Reference) -> None:
    for name, column in of_a_day.columns.items():
        assert column is not None
        assert np.median(column.ordered) == pytest.approx(USUAL[name], rel=0.02)


def test_the_same_past_makes_the_same_reference() -> None:
    history = _remembered(80)
    first, second = _reference(history).columns["noise"], _reference(history).columns["noise"]
    assert first is not None
    assert second is not None
    assert first.null.tolist() == second.null.tolist()


@pytest.mark.parametrize("rarity", [0.1, 1e-3, 1e-6, 1e-9])
def test_the_shorter_a_reference_the_more_caution(rarity: float) -> None:
    with np.errstate(all="raise"):
        found = [small_sample_factor(independent, rarity) for independent in (0.5, 1, 4, 20, 100, 10_000)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("days", "period_s"), [(60, 60), (1e-9, 60), (0.04, 3600), (36500, 0.5)])
def test_whatever_is_asked_for_is_a_probability_that_tails_have(days: float, period_s: float) -> None:
    rarity = WatchPolicy(days_between_false_alarms=days, period_s=period_s).rarity
    assert 0 < rarity <= 0.1
    with np.errstate(all="raise"):
        assert np.isfinite(small_sample_factor(20, rarity))


def test_traffic_in_platoons_varies_more_than_independent_tracks() -> None:
    rng = np.random.default_rng(0)
    alone = rng.poisson([8, 2], (600, 2)).astype(np.int32)
    platoons = np.repeat(rng.poisson([8, 2], (40, 2)), 15, axis=0).astype(np.int32)
    assert 1 <= overdispersion_of(alone, RARITY) < overdispersion_of(platoons, RARITY)


@pytest.mark.parametrize("mix", [np.zeros((600, 0)), np.zeros((600, 3)), np.ones((600, 1))])
def test_fewer_than_two_classes_do_not_vary(mix: np.ndarray) -> None:
    with np.errstate(all="raise"):
        assert overdispersion_of(mix.astype(np.int32), RARITY) == 1.0


@pytest.mark.parametrize("count", [0, 1, 30])
def test_a_few_minutes_do_not_tell_how_a_mix_varies(count: int) -> None:
    assert np.isinf(overdispersion_of(np.ones((count, 2), np.int32), RARITY))
