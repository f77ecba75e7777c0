from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from drift.change import WatchPolicy
from drift.history import History, Past
from drift.measurement.features import NAMES
from drift.reference import Reference, build
from drift.scan import Scan, scan
from tests.drift.support import breathing, make_period

RARITY = WatchPolicy().rarity
MIXED = -1


@pytest.fixture(scope="module")
def history() -> History:
    history = History()
    for one in breathing(600):
        history.append(one)
    return history


@pytest.fixture(scope="module")
def reference(history: History) -> Reference:
    return build(history, "m-1", 1e12, None, RARITY, 0)


def _window(
    history: History, count: int = 15, changes: Mapping[str, float] | None = None, **others: Any
) -> Past:
    """A window whose classes are numbered as those of the reference."""
    made = History()
    made.classes = list(history.classes)
    made._mix = np.zeros((64, len(made.classes)), np.int32)
    for one in breathing(count, 1000, changes, **others):
        made.append(one)
    return made.last(count)


def _scan(window: Past, reference: Reference) -> Scan:
    with np.errstate(all="raise", under="ignore"):
        return scan(window, reference)


def test_a_window_like_the_past_stands_out_in_nothing(history: History, reference: Reference) -> None:
    found = _scan(_window(history), reference)
    assert np.isfinite(found.effects).all()
    assert (found.p_values > RARITY).all()
    assert found.mix_effect < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_each_feature_that_changed_stands_out_alone(
    history: History, reference: Reference, name: str
) -> None:
    column = reference.columns[name]
    assert column is not None
    found = _scan(_window(history, changes={name: 8 * column.spread}), reference)
    position = NAMES.index(name)
    assert found.effects[position] == pytest.approx(8, rel=0.2)
    assert found.p_values[position] <= RARITY
    assert (np.delete(found.p_values, position) > RARITY).all()


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_short_window_says_nothing(history: History, reference: Reference, count: int) -> None:
    changes = {"brightness": -0.4}
    found = _scan(_window(history, count, changes), reference)
    assert np.isnan(found.effects).all()
    assert (found.p_values == 1).all()


def test_a_feature_that_was_not_measured_says_nothing(history: History, reference: Reference) -> None:
    window = _window(history, changes={"speed": float("nan"), "brightness": -0.4})
    found = _scan(window, reference)
    assert np.isnan(found.effects[NAMES.index("speed")])
    assert found.p_values[NAMES.index("speed")] == 1
    assert found.p_values[NAMES.index("brightness")] <= RARITY


def test_five_of_fifteen_values_are_enough(history: History, reference: Reference) -> None:
    window = _window(history, changes={"speed": 3.0})
    speed = NAMES.index("speed")
    window.values[:10, speed] = np.nan
    assert _scan(window, reference).p_values[speed] <= RARITY
    window.values[:11, speed] = np.nan
    assert _scan(window, reference).p_values[speed] == 1


def test_against_no_reference_nothing_stands_out(history: History) -> None:
    nothing = build(History(), "m-1", 0.0, None, RARITY, 0)
    found = _scan(_window(history, changes={"brightness": -0.4}), nothing)
    assert np.isnan(found.effects).all()
    assert (found.p_values == 1).all()


def test_a_constant_feature_that_stays_does_not_stand_out_and_one_that_jumps_does() -> None:
    constant = History()
    for number in range(100):
        constant.append(make_period(number))
    reference = build(constant, "m-1", 1e12, None, RARITY, 0)
    assert (_scan(constant.last(15), reference).p_values > RARITY).all()
    for number in range(100, 115):
        constant.append(make_period(number, values={"brightness": 0.1}))
    found = _scan(constant.last(15), reference)
    assert found.p_values[NAMES.index("brightness")] <= RARITY
    assert np.isfinite(found.effects).all()


def test_another_mix_of_classes_stands_out(history: History, reference: Reference) -> None:
    found = _scan(_window(history, mix={"car": 5, "bus": 2, "truck": 9}), reference)
    assert found.p_values[MIXED] <= RARITY
    assert found.mix_effect == pytest.approx(9 / 16 - 2 / 16, abs=0.1)


def test_a_class_that_was_never_there_changes_the_mix(history: History, reference: Reference) -> None:
    found = _scan(_window(history, mix={"car": 12, "tram": 12}), reference)
    assert found.p_values[MIXED] <= RARITY


@pytest.mark.parametrize("mix", [{}, {"truck": 1}])
def test_a_quiet_road_has_no_mix(history: History, reference: Reference, mix: dict[str, float]) -> None:
    found = _scan(_window(history, mix=mix), reference)
    assert (found.mix_effect, found.p_values[MIXED]) == (0.0, 1.0)


def test_more_traffic_of_the_same_kinds_is_the_same_mix(history: History, reference: Reference) -> None:
    found = _scan(_window(history, mix={"car": 48, "bus": 8, "truck": 8}), reference)
    assert found.p_values[MIXED] > RARITY


def test_a_short_past_does_not_tell_how_a_mix_varies(history: History) -> None:
    short = History()
    for one in breathing(20):
        short.append(one)
    reference = build(short, "m-1", 1e12, None, RARITY, 0)
    window = _window(history, mix={"car": 0, "truck": 30})
    assert _scan(window, reference).p_values[MIXED] == 1
