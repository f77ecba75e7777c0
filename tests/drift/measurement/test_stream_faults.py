from typing import Any

import pytest

from drift.measurement.features import NAMES
from drift.measurement.stream_faults import (
    BLACK,
    FAULTS,
    FROZEN,
    GAPS,
    RATE,
    SIZE,
    UsualStream,
    faults_of,
    is_comparable,
)
from tests.drift.support import make_period

USUAL = UsualStream(640, 360, 10.0)


def _faults(values: dict[str, float] | None = None, **others: Any) -> list[str]:
    return faults_of(make_period(values=values, **others), USUAL)


def test_a_stream_as_usual_has_no_fault() -> None:
    assert _faults() == []
    assert is_comparable([])


@pytest.mark.parametrize(
    ("fault", "others"),
    [
        (BLACK, {"values": {"brightness": 0.01, "contrast": 0.002}}),
        (FROZEN, {"still": True}),
        (SIZE, {"width": 320, "height": 180}),
        (RATE, {"fps": 3.0}),
        (GAPS, {"samples": 10}),
    ],
)
def test_each_fault_is_told_by_its_sign_alone(fault: str, others: dict[str, Any]) -> None:
    assert _faults(**others) == [fault]
    assert fault in FAULTS


def test_a_black_picture_that_stands_still_is_black() -> None:
    assert _faults({"brightness": 0.0, "contrast": 0.0}, still=True) == [BLACK]


def test_a_dark_night_with_lamps_is_not_black() -> None:
    assert _faults({"brightness": 0.02, "contrast": 0.08}) == []


def test_a_minute_without_any_picture_is_a_gap_and_nothing_else() -> None:
    nothing = dict.fromkeys(NAMES, float("nan"))
    assert _faults(nothing, samples=0, width=0, height=0, fps=0.0) == [GAPS]


def test_half_of_the_pictures_are_enough() -> None:
    assert _faults(samples=15) == []
    assert _faults(samples=14) == [GAPS]


def test_a_faster_stream_is_no_fault() -> None:
    assert _faults(fps=60.0) == []


def test_nothing_is_unusual_of_a_camera_that_was_never_seen() -> None:
    assert faults_of(make_period(width=320, height=180, fps=1.0), None) == []


def test_a_rate_that_was_not_measured_has_not_fallen() -> None:
    assert _faults(fps=0.0) == []


@pytest.mark.parametrize("fault", [BLACK, FROZEN, GAPS])
def test_a_broken_picture_is_not_compared(fault: str) -> None:
    assert not is_comparable([fault])


@pytest.mark.parametrize("fault", [SIZE, RATE])
def test_a_picture_that_is_there_is_compared(fault: str) -> None:
    assert is_comparable([fault])
