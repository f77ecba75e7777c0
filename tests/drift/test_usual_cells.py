import numpy as np
import pytest

from drift.measurement.image_features import CELLS_SHAPE, Cells
from drift.usual_cells import UsualCells

HOUR = 3600.0


def _grey(level: float) -> Cells:
    return np.full(CELLS_SHAPE, level, np.float32)


def _seen(hours: dict[int, float], minutes: int = 60) -> UsualCells:
    usual = UsualCells()
    for hour, level in hours.items():
        for minute in range(minutes):
            usual.learn(_grey(level), hour * HOUR + 60 * minute)
    return usual


def test_before_anything_was_seen_nothing_is_usual() -> None:
    assert UsualCells().at(0.0) is None
    assert not UsualCells().knows(0.0)


def test_each_hour_has_its_own_cells_also_on_another_day() -> None:
    usual = _seen({12: 0.6, 20: 0.1})
    assert usual.at(12.5 * HOUR) == pytest.approx(_grey(0.6))
    assert usual.at((7 * 24 + 20.5) * HOUR) == pytest.approx(_grey(0.1))


def test_an_hour_that_was_hardly_seen_is_held_against_all() -> None:
    usual = _seen({12: 0.6, 20: 0.1}, minutes=14)
    assert not usual.knows(12 * HOUR)
    assert usual.at(12 * HOUR) == pytest.approx(_grey(0.35))
    assert _seen({12: 0.6}, minutes=15).knows(12 * HOUR)


def test_an_hour_follows_its_last_days() -> None:
    usual = _seen({12: 0.6})
    for day in range(1, 30):
        for minute in range(60):
            usual.learn(_grey(0.2), (24 * day + 12) * HOUR + 60 * minute)
    assert usual.at(12 * HOUR) == pytest.approx(_grey(0.2), abs=0.01)
