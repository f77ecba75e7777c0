from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from drift.change import Change, ChangeKind
from drift.measurement.period import DriftPeriod
from drift.monitor import LiveWatch, policy_of, recall, sentence
from drift.period_log import PeriodLog, read_periods
from streetloop.causes import Cause
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import Event, list_events
from streetloop.ledger.findings import Finding, list_findings
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.drift.support import breathing, lines, make_period

# The watch forgets what is older than four weeks, so that its past is of these days.
BEGIN = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3)
PAST = 200
AT_NIGHT = {"brightness": -0.3, "contrast": -0.1, "noise": 5.0, "saturation": -0.1}


def _street(
    count: int, first: int = 0, changes: Mapping[str, float] | None = None, **others: Any
) -> list[DriftPeriod]:
    return breathing(count, first, changes, **{"start": BEGIN, **others})


def _at(number: int) -> datetime:
    return BEGIN + timedelta(minutes=number)


NIGHT_FALLS = [*_street(PAST), *_street(40, PAST, AT_NIGHT), *_street(60, PAST + 40)]


class _Watched:
    """A home in which watches are started and stopped."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        self.store = FolderStore(self.settings.store)
        self.ledger = open_ledger(self.settings.ledger)
        self.said: list[str] = []

    def watch(self, cameras: Sequence[str] = "a", ledger: Ledger | None = None) -> LiveWatch:
        return LiveWatch(
            list(cameras), self.settings, self.store, ledger or self.ledger, None, self.said.append
        )

    def play(self, *runs: list[DriftPeriod]) -> None:
        """Watch, with a restart between the runs."""
        for periods in runs:
            watch = self.watch()
            for one in periods:
                watch.take([one])
            watch.close()

    @property
    def findings(self) -> list[Finding]:
        return list_findings(self.ledger)

    @property
    def events(self) -> list[Event]:
        return list_events(self.ledger)


@pytest.fixture
def watched(tmp_path: Path) -> _Watched:
    return _Watched(tmp_path / "home")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> _Watched:
    watched = _Watched(tmp_path_factory.mktemp("home"))
    watched.play(NIGHT_FALLS)
    return watched


def test_a_night_is_a_finding_and_an_event_that_begin_and_end(unbroken: _Watched) -> None:
    (finding,), (event,) = unbroken.findings, unbroken.events
    assert (finding.camera_id, finding.causes[0].name, finding.model_version) == ("a", "night", "m-1")
    assert finding.asks_for_labels
    assert finding.since == event.started_at == _at(PAST)
    assert finding.closed_at == event.ended_at
    assert finding.closed_at is not None
    assert _at(PAST + 55) <= finding.closed_at <= _at(PAST + 75)
    assert finding.features["brightness"]["alarm"] is True
    assert (event.kind, event.camera_id, event.detail["causes"][0]["name"]) == ("drift", "a", "night")
    began, ended = unbroken.said
    assert began.startswith(f"a: drift since {_at(PAST):%H:%M}, most likely night")
    assert ended == f"a: as before; the drift since {_at(PAST):%H:%M} is over"


@pytest.mark.slow
@pytest.mark.parametrize(
    "restart",
    [
        PAST - 50,  # before anything happens
        PAST,  # between day and night
        PAST + 4,  # perhaps while it is being noticed
        PAST + 20,  # in the middle of it
        PAST + 45,  # while it is ending
        PAST + 90,  # when it is over
    ],
)
def test_a_restart_in_the_middle_makes_the_same_findings(
    watched: _Watched, unbroken: _Watched, restart: int
) -> None:
    watched.play(NIGHT_FALLS[:restart], NIGHT_FALLS[restart:])
    (found,), (expected,) = watched.findings, unbroken.findings
    assert found.since == expected.since
    assert found.causes[0].name == expected.causes[0].name
    assert _near(found.opened_at, expected.opened_at)
    assert _near(found.closed_at, expected.closed_at)
    (event,) = watched.events
    assert (event.started_at, event.ended_at) == (found.since, found.closed_at)


def _near(a: datetime | None, b: datetime | None) -> bool:
    assert a is not None
    assert b is not None
    # Counts of minutes begin anew: three that open a finding, fifteen that close it.
    return abs(a - b) <= timedelta(minutes=15)


@pytest.mark.slow
def test_many_restarts_make_the_same_findings(watched: _Watched, unbroken: _Watched) -> None:
    watched.play(*[NIGHT_FALLS[k : k + 50] for k in range(0, len(NIGHT_FALLS), 50)])
    assert [f.since for f in watched.findings] == [f.since for f in unbroken.findings]


def test_what_is_recalled_of_a_finding_that_is_over_is_no_reference(
    watched: _Watched, unbroken: _Watched
) -> None:
    fleet = recall("a", unbroken.settings, unbroken.store, unbroken.ledger, None)
    watch = fleet.camera("a")
    assert len(watch.history) == len(NIGHT_FALLS)
    assert watch.finding is None
    clean = watch.history.clean(np.inf)
    assert clean.values[:, 0].min() > 0.3
    assert len(clean) > 200


def test_what_is_recalled_of_an_open_finding_is_open_and_no_reference(watched: _Watched) -> None:
    watched.play(NIGHT_FALLS[: PAST + 30])
    watch = recall("a", watched.settings, watched.store, watched.ledger, None).camera("a")
    assert watch.finding is not None
    assert (watch.finding.since, watch.finding.causes[0].name) == (_at(PAST), "night")
    assert watch.history.clean(np.inf).times.max() < _at(PAST).timestamp()


def test_a_new_model_has_learned_the_drift_also_after_a_restart(watched: _Watched) -> None:
    dusk = [*_street(PAST), *_street(100, PAST, AT_NIGHT)]
    after = _street(60, PAST + 100, AT_NIGHT, model_version="m-2")
    watched.play(dusk, after[:5], after[5:])
    (finding,) = watched.findings
    assert finding.closed_at is not None
    clean = recall("a", watched.settings, watched.store, watched.ledger, None).camera("a").history
    assert (clean.clean(np.inf).values[:, 0] < 0.3).sum() >= 100


def test_a_new_model_has_its_own_answers_also_after_a_restart(watched: _Watched) -> None:
    surer = _street(90, PAST, {"confidence": 0.25}, model_version="m-2")
    watched.play(_street(PAST), surer[:45], surer[45:])
    assert watched.findings == []


def test_a_turned_camera_is_found_again_neither_once_nor_never(watched: _Watched) -> None:
    turned = _street(60, PAST, edges=lines(12))
    watched.play(_street(PAST), turned[:30], turned[30:])
    (finding,), (event,) = watched.findings, watched.events
    assert finding.cause_names == ["camera moved"]
    assert not finding.asks_for_labels
    assert (finding.closed_at, event.ended_at) == (None, None)


@pytest.mark.parametrize("restart", [5, 10, 15])
def test_a_fault_is_one_event_also_over_a_restart(watched: _Watched, restart: int) -> None:
    periods = [*_street(10), *_street(10, 10, still=True), *_street(10, 20)]
    watched.play(periods[:restart], periods[restart:])
    (event,) = watched.events
    assert (event.kind, event.started_at, event.ended_at) == ("frozen picture", _at(10), _at(21))
    assert watched.findings == []


def test_cameras_have_findings_of_their_own(watched: _Watched) -> None:
    watch = watched.watch("ab")
    for a, b in zip(NIGHT_FALLS[: PAST + 15], _street(PAST + 15, camera_id="b"), strict=True):
        watch.take([a, b])
    assert [finding.camera_id for finding in watched.findings] == ["a"]
    assert [cause.name for cause in watch.causes()["a"]] == watched.findings[0].cause_names
    assert {c for c in "ab" if any(read_periods(watched.store, c))} == {"a", "b"}


def test_what_is_older_than_is_remembered_is_forgotten(watched: _Watched) -> None:
    log = PeriodLog(watched.store)
    for one in [*breathing(5, start=BEGIN - timedelta(days=40)), *_street(5)]:
        log.append(one)
    log.flush()
    watch = recall("a", watched.settings, watched.store, watched.ledger, None).camera("a")
    assert len(watch.history) == 5


def test_a_camera_that_was_never_seen_is_recalled_as_nothing(watched: _Watched) -> None:
    watch = recall(["new"], watched.settings, watched.store, watched.ledger, None).camera("new")
    assert (len(watch.history), watch.finding, watch.faults) == (0, None, {})


def test_a_damaged_log_is_told_and_the_watch_begins_anew(watched: _Watched) -> None:
    watched.play(_street(5))
    (key,) = watched.store.keys("minutes/")
    watched.store.put(key, b"damaged")
    told: list[str] = []
    watch = recall("a", watched.settings, watched.store, watched.ledger, tell=told.append).camera("a")
    assert len(watch.history) == 0
    assert "a part of its history" in told[0]


def test_a_store_that_cannot_be_written_is_said_and_findings_go_on(watched: _Watched) -> None:
    watched.settings.home.mkdir(exist_ok=True)
    watched.settings.store.write_text("in the way")
    watch = watched.watch()
    for one in NIGHT_FALLS[: PAST + 15]:
        watch.take([one])
    watch.close()
    assert len(watched.findings) == 1
    assert watch.faults
    assert set(watch.faults) <= set(watched.said)


def test_a_ledger_that_cannot_be_written_is_said_and_the_log_goes_on(watched: _Watched) -> None:
    watch = watched.watch()
    with watched.ledger.transaction() as connection:
        connection.exec_driver_sql("drop table findings")
        connection.exec_driver_sql("drop table events")
    for one in NIGHT_FALLS[: PAST + 15]:
        watch.take([one])
    watch.close()
    assert len(list(read_periods(watched.store, "a"))) == PAST + 15
    assert len(watch.faults) == 1
    assert any("most likely night" in line for line in watched.said)
    assert watch.causes()["a"][0].name == "night"


def test_the_same_trouble_is_said_once(watched: _Watched) -> None:
    watch = watched.watch()
    with watched.ledger.transaction() as connection:
        connection.exec_driver_sql("drop table events")
    for number in range(6):
        watch.take([make_period(number, start=BEGIN, still=number % 2 == 1)])
    assert len(watch.faults) == len([line for line in watched.said if "ledger" in line]) == 1


AT = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)
FOG, RAIN = Cause("fog", 0.75), Cause("rain", 0.25)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            Change(ChangeKind.DRIFT, "a", AT, AT, "m", causes=(FOG,)),
            "drift since 17:30, most likely fog (75 %)",
        ),
        (
            Change(ChangeKind.DRIFT, "a", AT, AT, "m", causes=(FOG, RAIN)),
            "most likely fog (75 %), or rain (25 %)",
        ),
        (Change(ChangeKind.DRIFT_OVER, "a", AT, AT, "m"), "the drift since 17:30 is over"),
        (Change(ChangeKind.FAULT, "a", AT, AT, "m", "black picture"), "black picture since 17:30"),
        (Change(ChangeKind.FAULT_OVER, "a", AT, AT, "m", "black picture"), "since 17:30 is over"),
    ],
)
def test_a_change_is_a_sentence_that_names_the_camera(change: Change, said: str) -> None:
    assert sentence(change).startswith("a: ")
    assert said in sentence(change)


def test_a_sentence_has_the_time_of_the_zone() -> None:
    change = Change(ChangeKind.FAULT, "a", AT, AT, "m", "black picture")
    assert sentence(change, ZoneInfo("Asia/Kathmandu")) == "a: black picture since 23:15"


@pytest.mark.parametrize("name", ["speed", "fragmentation"])
def test_a_drift_of_tracks_alone_is_said(watched: _Watched, name: str) -> None:
    watched.play([*_street(100), *_street(15, 100, {name: 2.0})])
    assert [finding.cause_names for finding in watched.findings] == [["unknown"]]
    (said,) = watched.said
    assert said.startswith(f"a: drift since {_at(100):%H:%M}, most likely unknown (")


def test_the_policy_is_that_of_the_settings() -> None:
    policy = policy_of(Settings(drift_days=7, drift_period_s=10))
    assert (policy.days_between_false_alarms, policy.period_s) == (7, 10)


def test_what_went_on_at_a_camera_that_is_taken_out_is_over(watched: _Watched) -> None:
    watch = watched.watch("ab")
    for camera in "ab":
        for one in [*_street(PAST, camera_id=camera), *_street(20, PAST, AT_NIGHT, camera_id=camera)]:
            watch.take([one])
    assert {event.camera_id for event in watched.events if event.ended_at is None} == {"a", "b"}
    watch.leave({"a", "never seen"})
    assert {event.camera_id for event in watched.events if event.ended_at is None} == {"b"}
    assert {one.camera_id for one in watched.findings if one.closed_at is None} == {"b"}
    assert not watched.said[2:]
