"""Nights and covered views of a camera of the simulated city, in the watch."""

import copy

import numpy as np
import pytest

from drift.causes import NIGHT, OCCLUSION
from drift.change import Change, ChangeKind, WatchPolicy
from drift.fleet import FleetWatch
from drift.measurement.image_features import Cells, cells_of
from drift.watch import CameraWatch
from streetloop.city.address import parse_address
from streetloop.city.view import View
from streetloop.types import Image
from tests.drift.support import breathing, watched

pytestmark = pytest.mark.slow  # the city is drawn

NOON, EVENING, DAY = 12 * 60, 20 * 60, 1440
DARK = {"brightness": -0.3, "contrast": -0.1, "noise": 5.0, "saturation": -0.1}
QUIET: dict[str, float] = {}


def _images(camera: str, condition: str) -> list[Image]:
    view = View(parse_address(f"sim://{camera}?size=320x180&condition={condition}"))
    return [view.render(k * 30) for k in range(7)]


def _cells(images: list[Image]) -> Cells:
    return np.asarray(np.median([cells_of(image) for image in images], axis=0), np.float32)


@pytest.fixture(scope="module", params=["kingsport/crossing", "kingsport/avenue-east"])
def lights(request: pytest.FixtureRequest) -> dict[str, Cells]:
    """Cells of a camera by day, by night and by day with its left half covered."""
    by_day = _images(request.param, "day")
    covered = [image.copy() for image in by_day]
    for image in covered:
        image[:, :160] = 60
    night = _images(request.param, "night")
    return {"day": _cells(by_day), "night": _cells(night), "covered": _cells(covered)}


@pytest.fixture(scope="module")
def _six_days(lights: dict[str, Cells]) -> CameraWatch:
    camera = CameraWatch("a", WatchPolicy())
    for day in range(6):
        for hour, light, changes in ((NOON, "day", QUIET), (EVENING, "night", DARK)):
            for one in breathing(120, day * DAY + hour - 60, changes, cells=lights[light]):
                camera.remember(one)
    return camera


@pytest.fixture
def fleet(_six_days: CameraWatch) -> FleetWatch:
    """A watch that knows six noons and six evenings."""
    fleet = FleetWatch(WatchPolicy())
    fleet.cameras["a"] = copy.deepcopy(_six_days)
    return fleet


def _later(
    fleet: FleetWatch,
    count: int,
    first: int,
    cells: Cells,
    changes: dict[str, float] = QUIET,
    model: str = "m-1",
) -> list[Change]:
    return watched(breathing(count, first, changes, cells=cells, model_version=model), fleet)[0]


def test_the_same_hour_of_other_days_is_no_drift(fleet: FleetWatch, lights: dict[str, Cells]) -> None:
    """It gets dark every evening, and on the sixth nobody hears of it."""
    assert _later(fleet, 40, 6 * DAY + NOON, lights["day"]) == []
    assert _later(fleet, 40, 6 * DAY + EVENING, lights["night"], DARK) == []
    noon_in_the_dark = _later(fleet, 12, 7 * DAY + NOON, lights["night"], DARK)
    assert [change.kind for change in noon_in_the_dark] == [ChangeKind.DRIFT]


def test_a_new_model_by_day_does_not_make_the_evening_a_drift(
    fleet: FleetWatch, lights: dict[str, Cells]
) -> None:
    assert _later(fleet, 40, 6 * DAY + NOON, lights["day"], model="m-2") == []
    assert _later(fleet, 40, 6 * DAY + EVENING, lights["night"], DARK, model="m-2") == []


def test_an_evening_whose_view_was_forgotten_becomes_usual(
    fleet: FleetWatch, lights: dict[str, Cells]
) -> None:
    """The features of six evenings are known; a new model came while the view was another."""
    camera = fleet.camera("a")
    camera.history.exclude_last_from_reference()
    camera.history.accept_all()
    assert _later(fleet, 40, 6 * DAY + NOON, lights["day"], model="m-2") == []
    assert _later(fleet, 40, 6 * DAY + EVENING, lights["night"], DARK, model="m-2") == []
    assert camera.history.usual_cells.knows(camera.history.newest_s)


def test_a_first_night_is_called_night(lights: dict[str, Cells]) -> None:
    fleet = FleetWatch(WatchPolicy())
    assert _later(fleet, 300, NOON, lights["day"]) == []
    (found,) = _later(fleet, 12, NOON + 300, lights["night"], DARK)
    assert found.causes[0].name == NIGHT
    assert OCCLUSION not in [cause.name for cause in found.causes]


@pytest.mark.parametrize("hour", [NOON, NOON + 50])
def test_half_a_view_that_is_covered_is_found_by_itself(
    fleet: FleetWatch, lights: dict[str, Cells], hour: int
) -> None:
    assert _later(fleet, 20, 6 * DAY + hour - 20, lights["day"]) == []
    (found,) = _later(fleet, 12, 6 * DAY + hour, lights["covered"])
    assert found.causes[0].name == OCCLUSION
    assert not found.asks_for_labels
