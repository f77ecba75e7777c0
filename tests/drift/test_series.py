"""Whole comparisons: the simulated city, and real streets."""

import json

import cv2
import numpy as np
import pytest

from drift.comparison import DetectionPolicy
from drift.series import Series, SeriesVerdict, compare_series, gather
from streetloop.city.address import parse_address
from streetloop.city.view import View
from tests.support.material import material


def _seen(camera: str, condition: str, start: int, count: int = 40) -> Series:
    view = View(parse_address(f"sim://{camera}?size=320x180&condition={condition}&start={start}"))
    return gather(view.render(k * 10) for k in range(count))


pytestmark = pytest.mark.slow  # the city is drawn, or real streets are read


@pytest.fixture(scope="module")
def by_day() -> Series:
    return _seen("larkfield/gantry", "day", 0)


def _verdict(before: Series, condition: str) -> SeriesVerdict:
    return compare_series(before, _seen("larkfield/gantry", condition, 3000), DetectionPolicy())


def test_another_hour_of_the_same_day_is_no_drift(by_day: Series) -> None:
    assert _verdict(by_day, "day").causes == []


@pytest.mark.parametrize(
    ("condition", "cause"), [("night", "night"), ("fog", "fog"), ("knocked", "camera moved")]
)
def test_what_happened_is_named_first(by_day: Series, condition: str, cause: str) -> None:
    assert _verdict(by_day, condition).causes[0].name == cause


def test_few_pictures_are_not_enough_and_no_drift(by_day: Series) -> None:
    verdict = compare_series(by_day, _seen("larkfield/gantry", "night", 0, count=2), DetectionPolicy())
    assert (verdict.enough, verdict.missing, verdict.causes) == (False, 3, [])


def test_the_answer_is_plain_json(by_day: Series) -> None:
    few = compare_series(by_day, _seen("larkfield/gantry", "day", 0, count=1), DetectionPolicy())
    for verdict in (few, _verdict(by_day, "night")):
        plain = json.loads(json.dumps(verdict.as_json(), allow_nan=False))
        assert plain.keys() >= {"drift", "causes", "features", "enough"}
        assert plain["drift"] == bool(plain["causes"])
        for feature in plain["features"].values():
            assert feature.keys() >= {"statistic", "p_value", "effect_size", "alarm"}


def _real(prefix: str) -> Series:
    folder = material("datasets/traffic_day_night") / "images"
    files = sorted(folder.glob(f"{prefix}_*.jpg"), key=lambda f: int(f.stem.rsplit("_", 1)[1]))
    return gather(np.asarray(cv2.imread(str(file)), np.uint8) for file in files)


def _part(series: Series, part: slice) -> Series:
    return Series({name: v[part] for name, v in series.values.items()}, series.background)


@pytest.mark.model
def test_two_halves_of_a_real_day_are_no_drift() -> None:
    day = _real("day_ramp")
    half = len(day) // 2
    verdict = compare_series(_part(day, slice(half)), _part(day, slice(half, None)), DetectionPolicy())
    assert verdict.enough
    assert not any(result.alarm for result in verdict.results.values())
    assert verdict.causes == []


@pytest.mark.model
def test_a_real_night_is_drift_and_called_night() -> None:
    verdict = compare_series(_real("day_ramp"), _real("night_freeway"), DetectionPolicy())
    assert verdict.causes[0].name == "night"
