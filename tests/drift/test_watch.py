import copy
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from drift.causes import FOG, MIX, MODEL, MOVED, NIGHT, OTHER
from drift.change import Change, ChangeKind, WatchPolicy
from drift.fleet import FleetWatch
from drift.measurement.period import DriftPeriod
from drift.measurement.stream_faults import BLACK, FROZEN, GAPS, RATE, SIZE
from drift.reference import OWN_PAST, TRAINING
from tests.drift.support import START, breathing, lines, make_period, watched

PAST = 300
AT_NIGHT = {"brightness": -0.3, "contrast": -0.1, "noise": 5.0, "saturation": -0.1}
IN_FOG = {"brightness": 0.2, "contrast": -0.1, "saturation": -0.15, "sharpness": -0.5}
QUIET: dict[str, float] = {}


@pytest.fixture(scope="module")
def _seasoned() -> FleetWatch:
    changes, fleet = watched(breathing(PAST))
    assert changes == []
    return fleet


@pytest.fixture
def fleet(_seasoned: FleetWatch) -> FleetWatch:
    """A watch over a camera that was as usual for five hours."""
    return copy.deepcopy(_seasoned)


def _at(number: int) -> datetime:
    return START + timedelta(minutes=number)


def _later(
    fleet: FleetWatch,
    count: int,
    changes: Mapping[str, float] | None = None,
    first: int = PAST,
    **others: Any,
) -> list[Change]:
    with np.errstate(all="raise", under="ignore"):
        return watched(breathing(count, first, changes, **others), fleet)[0]


def _names(change: Change) -> list[str]:
    return [cause.name for cause in change.causes]


def _the_finding(fleet: FleetWatch, changes: Mapping[str, float], **others: Any) -> Change:
    (found,) = _later(fleet, 12, changes, **others)
    assert found.kind is ChangeKind.DRIFT
    return found


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        (AT_NIGHT, NIGHT),
        (IN_FOG, FOG),
        ({"confidence": -0.3, "detections": -4.0}, MODEL),
        ({"speed": 2.0}, OTHER),
        ({"fragmentation": 0.7}, OTHER),
    ],
)
def test_a_drift_is_found_with_its_likeliest_cause(
    fleet: FleetWatch, changes: dict[str, float], cause: str
) -> None:
    assert _the_finding(fleet, changes).causes[0].name == cause


def test_a_view_that_turned_is_a_camera_that_moved(fleet: FleetWatch) -> None:
    found = _the_finding(fleet, QUIET, edges=lines(12))
    assert _names(found) == [MOVED]
    assert not found.asks_for_labels


def test_other_traffic_is_another_mix(fleet: FleetWatch) -> None:
    found = _the_finding(fleet, QUIET, mix={"car": 2, "bus": 2, "truck": 12})
    assert _names(found) == [MIX]
    assert found.asks_for_labels


def test_a_finding_says_who_where_since_when_and_by_how_much(fleet: FleetWatch) -> None:
    found = _the_finding(fleet, AT_NIGHT)
    assert (found.camera_id, found.model_version, found.source) == ("a", "m-1", OWN_PAST)
    assert found.since == _at(PAST)
    assert _at(PAST + 3) <= found.at <= _at(PAST + 9)
    brightness = found.results["brightness"]
    assert brightness.alarm
    assert brightness.change == pytest.approx(-0.3, abs=0.03)
    assert brightness.effect_size >= brightness.threshold
    assert not found.results["speed"].alarm


def test_three_minutes_of_alarm_open_a_finding(fleet: FleetWatch) -> None:
    camera = fleet.camera("a")
    opened = None
    alarms = 0
    for one in breathing(12, PAST, AT_NIGHT):
        camera.take(one)
        scan = camera.scan()
        alarms += bool(camera.alarms(scan))
        if camera.settle(scan, [True] * len(scan.p_values)) is not None:
            opened = alarms
    assert opened == 3


def test_one_dark_minute_is_none(fleet: FleetWatch) -> None:
    assert _later(fleet, 1, AT_NIGHT) == []
    assert _later(fleet, 30, first=PAST + 1) == []


def test_a_finding_closes_after_a_quarter_of_an_hour_without_alarm(fleet: FleetWatch) -> None:
    _the_finding(fleet, AT_NIGHT)
    camera = fleet.camera("a")
    quiet = 0
    for one in breathing(60, PAST + 12):
        camera.take(one)
        scan = camera.scan()
        quiet = 0 if camera.alarms(scan) else quiet + 1
        change = camera.settle(scan, [True] * len(scan.p_values))
        if change is not None:
            break
    assert change is not None
    assert (change.kind, change.since) == (ChangeKind.DRIFT_OVER, _at(PAST))
    assert 15 <= quiet <= 20, "minutes that are no alarm may be unusual still"
    assert camera.finding is None


def test_a_drift_at_the_threshold_does_not_come_and_go(fleet: FleetWatch) -> None:
    threshold = _the_finding(fleet, AT_NIGHT).results["brightness"].threshold
    assert _later(fleet, 18, AT_NIGHT, first=PAST + 12) == []
    camera = fleet.camera("a")
    full = camera.results(camera.scan())["brightness"].effect_size
    nearly = AT_NIGHT["brightness"] * 0.95 * threshold / full
    alarms = []
    for number in range(PAST + 30, PAST + 112):
        assert _later(fleet, 1, {"brightness": nearly}, first=number) == []
        alarms.append(bool(camera.alarms(camera.scan())))
    assert "0" * 15 in "".join(str(int(a)) for a in alarms), "so alarms alone would have closed it"
    (over,) = _later(fleet, 60, first=PAST + 112)
    assert over.kind is ChangeKind.DRIFT_OVER


def test_a_finding_stays_open_while_the_drift_lasts(fleet: FleetWatch) -> None:
    _the_finding(fleet, AT_NIGHT)
    assert _later(fleet, 100, AT_NIGHT, first=PAST + 12) == []
    assert fleet.camera("a").finding is not None


def test_minutes_of_a_finding_are_never_a_reference(fleet: FleetWatch) -> None:
    _the_finding(fleet, AT_NIGHT)
    ended = _later(fleet, 60, first=PAST + 12)
    assert [change.kind for change in ended] == [ChangeKind.DRIFT_OVER]
    assert _later(fleet, 40, first=PAST + 72) == []
    clean = fleet.camera("a").history.clean(np.inf)
    within = (clean.times >= _at(PAST).timestamp()) & (clean.times < ended[0].at.timestamp())
    assert not within.any()
    assert clean.values[:, 0].min() > 0.3
    again = _later(fleet, 12, AT_NIGHT, first=PAST + 112)
    assert [change.kind for change in again] == [ChangeKind.DRIFT]


def test_a_camera_that_was_never_seen_has_no_drift_and_says_what_is_missing() -> None:
    changes, fleet = watched(breathing(3))
    assert changes == []
    camera = fleet.camera("a")
    results = camera.results(camera.scan())
    assert all(answer.missing > 0 and not answer.alarm for answer in results.values())
    assert camera.reference is not None
    assert camera.reference.missing == 60


@pytest.mark.parametrize("name", ["confidence", "speed"])
def test_what_was_never_measured_is_missing_and_no_alarm(name: str) -> None:
    unknown = {name: float("nan")}
    fleet = FleetWatch(WatchPolicy())
    with np.errstate(all="raise", under="ignore"):
        changes, _ = watched(breathing(100, changes=unknown), fleet)
    assert changes == []
    camera = fleet.camera("a")
    results = camera.results(camera.scan())
    assert results[name].missing > 0
    assert results["brightness"].missing == 0


def test_what_cannot_be_measured_any_more_is_missing_and_no_alarm(fleet: FleetWatch) -> None:
    assert _later(fleet, 20, {"speed": float("nan")}) == []
    camera = fleet.camera("a")
    assert camera.results(camera.scan())["speed"].missing == 5


def test_a_camera_that_shows_always_the_same_does_not_drift_and_notices_a_jump() -> None:
    fleet = FleetWatch(WatchPolicy())
    with np.errstate(all="raise", under="ignore"):
        assert watched((make_period(n) for n in range(100)), fleet)[0] == []
        jump = {"brightness": 0.7}
        changes = watched((make_period(n, values=jump) for n in range(100, 115)), fleet)[0]
    assert [change.kind for change in changes] == [ChangeKind.DRIFT]
    assert np.isfinite(changes[0].results["brightness"].effect_size)


def test_pictures_without_a_line_have_not_turned() -> None:
    blank = np.zeros((90, 160), np.float32)
    assert watched(breathing(100, edges=blank))[0] == []


def test_lines_that_vanish_are_no_turn(fleet: FleetWatch) -> None:
    changes = _later(fleet, 60, edges=np.zeros((90, 160), np.float32))
    assert all(MOVED not in _names(change) for change in changes)


def test_without_edges_nothing_has_turned() -> None:
    changes, fleet = watched(breathing(100, edges=None))
    assert changes == []
    assert not fleet.camera("a").view.has_moved


def test_a_new_camera_is_held_against_the_training_set(fleet: FleetWatch) -> None:
    training = fleet.camera("a").history.last(PAST)
    changes, _ = watched(breathing(20, changes=AT_NIGHT), FleetWatch(WatchPolicy(), training))
    assert [change.causes[0].name for change in changes] == [NIGHT]
    assert changes[0].source == TRAINING


def test_after_an_outage_what_was_before_is_not_compared(fleet: FleetWatch) -> None:
    """A window of the evening and one minute of the morning would be neither."""
    assert _later(fleet, 1, AT_NIGHT) == []
    camera = fleet.camera("a")
    camera.take(make_period(PAST + 600))
    assert camera.results(camera.scan())["brightness"].missing == 4


def test_a_model_alone_does_not_explain_a_darker_picture(fleet: FleetWatch) -> None:
    found = _the_finding(fleet, {**AT_NIGHT, "confidence": -0.3})
    assert MODEL not in _names(found)
    assert found.results["confidence"].alarm


def test_a_new_model_is_compared_with_its_own_answers(fleet: FleetWatch) -> None:
    surer = {"confidence": 0.2, "detections": 3.0}
    assert _later(fleet, 100, surer, model_version="m-2") == []
    camera = fleet.camera("a")
    results = camera.results(camera.scan())
    assert all(answer.missing == 0 for answer in results.values())
    less_sure = _later(fleet, 12, QUIET, first=PAST + 100, model_version="m-2")
    assert [_names(change) for change in less_sure] == [[MODEL]]


def test_the_first_hour_of_a_new_model_says_what_is_missing(fleet: FleetWatch) -> None:
    assert _later(fleet, 20, {"confidence": -0.4}, model_version="m-2") == []
    camera = fleet.camera("a")
    results = camera.results(camera.scan())
    assert results["confidence"].missing > 0
    assert results["brightness"].missing == 0


def test_a_new_model_does_not_make_the_night_usual_before_it_was_seen(fleet: FleetWatch) -> None:
    (found,) = _later(fleet, 12, AT_NIGHT, model_version="m-2")
    assert (found.causes[0].name, found.model_version) == (NIGHT, "m-2")


def test_a_new_model_has_learned_the_drift_that_went_on(fleet: FleetWatch) -> None:
    _the_finding(fleet, AT_NIGHT)
    _later(fleet, 300, AT_NIGHT, first=PAST + 12)
    ended = _later(fleet, 60, AT_NIGHT, first=PAST + 312, model_version="m-2")
    assert [change.kind for change in ended] == [ChangeKind.DRIFT_OVER]


def test_a_new_model_takes_the_turned_view_for_the_usual_one(fleet: FleetWatch) -> None:
    _the_finding(fleet, QUIET, edges=lines(12))
    turned = {"edges": lines(12), "model_version": "m-2"}
    ended = _later(fleet, 60, first=PAST + 12, **turned)
    assert [change.kind for change in ended] == [ChangeKind.DRIFT_OVER]
    back = _later(fleet, 12, first=PAST + 72, model_version="m-2")
    assert [_names(change) for change in back] == [[MOVED]]


BROKEN: dict[str, dict[str, Any]] = {
    BLACK: {"changes": {"brightness": -0.445, "contrast": -0.195}},
    FROZEN: {"still": True},
    GAPS: {"samples": 3},
    SIZE: {"width": 320, "height": 180},
    RATE: {"fps": 2.0},
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_of_the_stream_begins_once_and_ends_once(fleet: FleetWatch, fault: str) -> None:
    if fault == BLACK:  # exactly so dark, however the street breathes
        black = {"brightness": 0.005, "contrast": 0.005}
        broken: list[DriftPeriod] = [make_period(PAST + n, values=black) for n in range(10)]
    else:
        broken = breathing(10, PAST, **BROKEN[fault])
    began, ended = watched([*broken, *breathing(40, PAST + 10)], fleet)[0]
    assert (began.kind, began.fault, began.since) == (ChangeKind.FAULT, fault, _at(PAST))
    assert (ended.kind, ended.fault, ended.since) == (ChangeKind.FAULT_OVER, fault, _at(PAST))
    assert (began.at, ended.at) == (_at(PAST + 1), _at(PAST + 11))
    assert began.causes == ()


def test_broken_pictures_are_no_reference_also_of_a_new_model(fleet: FleetWatch) -> None:
    black = {"brightness": 0.0, "contrast": 0.0}
    watched((make_period(PAST + n, values=black) for n in range(200)), fleet)
    changes = _later(fleet, 60, first=PAST + 200, model_version="m-2")
    assert [change.kind for change in changes] == [ChangeKind.FAULT_OVER]
    assert fleet.camera("a").history.clean(np.inf).values[:, 0].min() > 0.3


def test_a_finding_neither_closes_nor_opens_while_the_picture_is_broken(fleet: FleetWatch) -> None:
    _the_finding(fleet, AT_NIGHT)
    changes = _later(fleet, 40, first=PAST + 12, still=True)
    assert [change.kind for change in changes] == [ChangeKind.FAULT]
    assert fleet.camera("a").finding is not None


def test_a_camera_that_was_always_broken_says_what_is_missing() -> None:
    fleet = FleetWatch(WatchPolicy())
    changes = _later(fleet, 20, first=0, still=True)
    assert [change.fault for change in changes] == [FROZEN]
    camera = fleet.camera("a")
    with np.errstate(all="raise"):
        results = camera.results(camera.scan())
    assert all(answer.missing > 0 for answer in results.values())


def test_minutes_that_come_twice_or_late_change_nothing(fleet: FleetWatch) -> None:
    dark = breathing(20, PAST, AT_NIGHT)
    once = watched(dark, copy.deepcopy(fleet))[0]
    twice = watched([one for one in dark for _ in range(2)], copy.deepcopy(fleet))[0]
    assert [change.at for change in once] == [change.at for change in twice]
    late = breathing(20, 100, AT_NIGHT, model_version="m-0", still=True)
    assert watched(late, fleet)[0] == []
    assert fleet.camera("a").version == "m-1"


def test_a_remembered_past_is_as_one_that_was_watched(fleet: FleetWatch) -> None:
    remembering = FleetWatch(WatchPolicy())
    for one in breathing(PAST):
        remembering.camera("a").remember(one)
    dark = breathing(15, PAST, AT_NIGHT)
    (watched_it,), (remembered,) = watched(dark, fleet)[0], watched(dark, remembering)[0]
    assert (remembered.at, remembered.since) == (watched_it.at, watched_it.since)
    assert _names(remembered) == _names(watched_it)


def test_an_open_finding_goes_on_after_a_restart(fleet: FleetWatch) -> None:
    found = _the_finding(fleet, AT_NIGHT)
    again = FleetWatch(WatchPolicy())
    for one in breathing(PAST):
        again.camera("a").remember(one)
    for one in breathing(12, PAST, AT_NIGHT):
        again.camera("a").remember(one, clean=False)
    again.camera("a").resume(found)
    back = breathing(60, PAST + 12)
    (over,), (without_restart,) = watched(back, again)[0], watched(back, fleet)[0]
    assert over.kind is ChangeKind.DRIFT_OVER
    assert (over.at, over.since) == (without_restart.at, without_restart.since)


def test_the_feature_nearest_to_its_threshold_is_known_before_it_is_drift(fleet: FleetWatch) -> None:
    _later(fleet, 1)
    usual = fleet.camera("a").nearest
    assert usual is not None
    assert usual.effect_size < usual.threshold
    _later(fleet, 12, AT_NIGHT, first=PAST + 1)
    drifted = fleet.camera("a").nearest
    assert drifted is not None
    assert drifted.effect_size > drifted.threshold >= 1
