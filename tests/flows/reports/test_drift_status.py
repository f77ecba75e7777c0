"""The state of every camera that was watched, from the log and the ledger."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from drift.measurement.period import DriftPeriod
from drift.monitor import LiveWatch
from drift.period_log import PeriodLog
from flows.cli.drift import print_drift
from flows.reports.drift_status import DriftStatus, drift_state
from flows.service.views import drift_view
from streetloop.causes import Cause
from streetloop.errors import ConfigError
from streetloop.ledger import open_ledger
from streetloop.ledger.findings import close_findings, open_finding
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.drift.support import breathing

# What is older than four weeks is forgotten, so that the past is of these days.
BEGIN = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3)
AT_NIGHT = {"brightness": -0.3, "contrast": -0.1, "noise": 5.0, "saturation": -0.1}


class _Home:
    """A home in which cameras were watched; the model that is set cannot be opened."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, model=str(home / "nothing.onnx"))
        self.store = FolderStore(self.settings.store)
        self.ledger = open_ledger(self.settings.ledger)

    def watch(self, *minutes: Iterable[DriftPeriod]) -> None:
        """Watch as `streetloop run` does."""
        every = [one for some in minutes for one in some]
        cameras = sorted({one.camera_id for one in every})
        watch = LiveWatch(cameras, self.settings, self.store, self.ledger, None, lambda _: None)
        for one in every:
            watch.take([one])
        watch.close()

    def states(self, camera: str | None = None) -> dict[str, DriftStatus]:
        return drift_state(self.settings, self.store, self.ledger, camera)


@pytest.fixture
def home(tmp_path: Path) -> _Home:
    return _Home(tmp_path / "home")


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> _Home:
    """Of ``dark`` night has fallen, ``usual`` is as it was, ``young`` has just come."""
    home = _Home(tmp_path_factory.mktemp("home"))
    home.watch(
        breathing(150, start=BEGIN, camera_id="dark"),
        breathing(30, 150, AT_NIGHT, start=BEGIN, camera_id="dark"),
        breathing(150, start=BEGIN, camera_id="usual"),
        breathing(20, start=BEGIN, camera_id="young"),
    )
    return home


def shown(home: _Home, camera: str) -> dict[str, Any]:
    """The view of a camera as programs get it."""
    return drift_view(camera, home.states(camera)[camera]).model_dump(mode="json")


def _printed(states: dict[str, DriftStatus]) -> str:
    sink = StringIO()
    views = [drift_view(name, state) for name, state in states.items()]
    print_drift(Console(file=sink, width=200, highlight=False), views)
    return sink.getvalue()


def test_every_camera_that_was_watched_has_its_state(street: _Home) -> None:
    states = street.states()
    assert {name: state.word for name, state in states.items()} == {
        "dark": "drift",
        "usual": "as it was",
        "young": "not enough yet (55 more minutes)",
    }


def test_a_drift_is_plain_values_for_programs(street: _Home) -> None:
    state = shown(street, "dark")
    assert (state["drifts"], state["causes"][0]["name"]) == (True, "night")
    assert state["since"] == f"{BEGIN + timedelta(minutes=150):%Y-%m-%dT%H:%M:%SZ}"
    assert state["until"] == f"{BEGIN + timedelta(minutes=180):%Y-%m-%dT%H:%M:%SZ}"
    assert state["reference"]["source"] == "own past"
    assert state["features"]["brightness"]["alarm"] is True
    assert state["features"]["brightness"]["change"] == pytest.approx(-0.3, abs=0.05)
    assert state["features"]["confidence"]["alarm"] is False
    (finding,) = state["findings"]
    assert (finding["closed_at"], finding["asks_for_labels"]) == (None, True)


def test_a_camera_as_it_was_has_no_alarm(street: _Home) -> None:
    state = shown(street, "usual")
    assert (state["drifts"], state["causes"], state["since"], state["findings"]) == (False, [], None, [])
    assert not any(answer["alarm"] for answer in state["features"].values())
    assert state["missing_minutes"] == 0


def test_of_the_first_minutes_each_counts(home: _Home) -> None:
    home.watch(breathing(3, start=BEGIN, camera_id="new"))
    assert shown(home, "new")["missing_minutes"] == 72


def test_a_camera_that_is_young_says_how_much_is_missing(street: _Home) -> None:
    state = shown(street, "young")
    assert state["missing_minutes"] == 55
    assert "brightness" not in state["features"]
    assert not state["drifts"]


def test_a_drift_that_is_over_is_remembered(home: _Home) -> None:
    home.watch(
        breathing(150, start=BEGIN),
        breathing(20, 150, AT_NIGHT, start=BEGIN),
        breathing(60, 170, start=BEGIN),
    )
    state = home.states()["a"]
    assert state.word == "as it was"
    assert [finding.closed_at is None for finding in state.findings] == [False]
    assert "night" in _printed({"a": state})


def test_a_camera_that_was_not_watched_for_weeks_says_so(home: _Home) -> None:
    log = PeriodLog(home.store)
    for one in breathing(100, start=BEGIN - timedelta(days=60)):
        log.append(one)
    log.flush()
    state = home.states()["a"]
    assert state.word == "not watched for weeks"
    view = drift_view("a", state)
    assert (view.reference.source, view.reference.minutes, view.until) == (None, 0, None)
    assert "not watched for weeks" in _printed({"a": state})


def test_an_old_camera_whose_drift_is_open_still_drifts(home: _Home) -> None:
    log = PeriodLog(home.store)
    long_ago = BEGIN - timedelta(days=60)
    log.append(breathing(1, start=long_ago)[0])
    log.flush()
    open_finding(home.ledger, "a", long_ago, long_ago, "m-1", [Cause("fog", 0.9)], True, {})
    assert home.states()["a"].word == "drift"
    assert shown(home, "a")["causes"] == [{"name": "fog", "probability": 0.9}]
    close_findings(home.ledger, "a", BEGIN)
    assert home.states()["a"].word == "not watched for weeks"


def test_before_any_camera_was_watched_there_is_no_state_and_people_are_told_what_to_do(home: _Home) -> None:
    assert home.states() == {}
    assert "streetloop run CAMERAS.YAML" in _printed({})


def test_a_camera_that_was_never_watched_is_refused_with_those_that_were(home: _Home, street: _Home) -> None:
    with pytest.raises(ConfigError, match="'a40' was never watched; known are dark, usual, young"):
        street.states("a40")
    with pytest.raises(ConfigError, match="known are none yet: `streetloop run` watches"):
        home.states("a40")


def test_for_people_there_is_a_line_a_camera_and_the_findings(street: _Home) -> None:
    said = _printed(street.states())
    lines = said.splitlines()
    dark, usual, young = (next(x for x in lines if x.split()[0] == n) for n in ("dark", "usual", "young"))
    assert "own past, 150 min" in dark
    assert "noise" in dark or "brightness" in dark
    assert "as it was" in usual
    assert "55 more minutes" in young
    since = BEGIN + timedelta(minutes=150)
    assert f"dark: {since:%Y-%m-%d %H:%M} on: likely night" in said


def test_looking_changes_nothing(street: _Home) -> None:
    first, second = ([shown(street, name) for name in street.states()] for _ in range(2))
    assert first == second


def test_a_past_that_cannot_be_read_is_told_and_the_rest_is_shown(home: _Home) -> None:
    home.watch(breathing(150, start=BEGIN))
    key = next(iter(home.store.keys("minutes/")))
    home.store.put(key, b"no parquet")
    said: list[str] = []
    states = drift_state(home.settings, home.store, home.ledger, None, said.append)
    assert "a part of its history cannot be read" in said[0]
    assert list(states) == ["a"]
