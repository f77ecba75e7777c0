"""Every fault of docs/operations.md changes a metric at the next scrape, through what a run has.

Each is injected into the part that meets it. What is seen by `Dependencies` is seen at its next
look; the longest way, a look and a scrape, takes less than a minute.
"""

import re
import shutil
from collections import Counter, namedtuple
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import MagicMock

import httpx
import pytest

from flows.reports.dashboards.alerts import ALERTS
from flows.runtime import error_metrics
from flows.runtime.error_metrics import errors_counted
from flows.runtime.metrics import dependencies
from flows.runtime.metrics.dependencies import Dependencies
from flows.runtime.metrics.endpoint import metrics_endpoint
from flows.runtime.metrics.exposition import expose
from flows.runtime.metrics.readings import MeteredObserver
from flows.runtime.observers.outage_recorder import OutageRecorder
from flows.runtime.workers import supervisor
from flows.runtime.workers.stream_fleet import FleetReport
from flows.stream.analysis.faults import STORE_FAILED, TOO_FAST
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import Account
from flows.stream.ingest.camera_state import CameraState
from labeling.label_loop import LabelLoop
from streetloop.clock import SystemClock
from streetloop.errors import LabelerError
from streetloop.ledger import open_ledger
from streetloop.ledger.events import begin_event
from streetloop.ledger.learning import Step, begin_learning, go_on
from streetloop.settings import Settings, change_settings
from tests.docs.pages import DOCS, rows
from tests.support.metrics import INFO
from tests.support.stream_flow.build import NOON, fault
from tests.support.supervised_fleet import SupervisedFleet

SCRAPE_S = 15.0
LIVE = CameraStatus("a", CameraState.LIVE, last_at=NOON, model="m-1", account=Account(10, 10))


class OneAtOnce:
    """An observer that lets a recorder write at once."""

    def __init__(self, recorder: OutageRecorder) -> None:
        self._recorder = recorder

    def observe(self, report: FleetReport) -> None:
        self._recorder.take(report)

    def leave(self, cameras: Collection[str]) -> None:
        self._recorder.leave(cameras)


class Run:
    """The parts of a run that make its metrics, over a real ledger.

    Attributes:
        settings: Of the run; change them to break what it depends on.
        errors: Errors that were logged.
    """

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(home=folder)
        self.ledger = open_ledger(self.settings.ledger)
        self._outages = OutageRecorder(self.settings.ledger, SystemClock(), lambda _: None)
        self.observer = MeteredObserver(OneAtOnce(self._outages), dict)
        self.errors: Counter[str] = Counter()
        self.see(LIVE)

    def see(self, status: CameraStatus) -> None:
        self.observer.observe(FleetReport({"a": status}))

    def scrape(self) -> str:
        found = Dependencies(self.settings)
        found.look()
        said = expose(found.add_to(self.observer.read(["a", "b"], self.errors)), INFO)
        found.close()
        return said

    def close(self) -> None:
        self._outages.close()
        self.ledger.close()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setattr(dependencies, "_PATIENCE_S", 0.3)
    monkeypatch.setattr(supervisor, "_REPORT_S", 0.05)
    run = Run(tmp_path)
    yield run
    run.close()


def lose(run: Run, _: pytest.MonkeyPatch) -> None:
    run.see(replace(LIVE, state=CameraState.LOST, error="it does not answer"))


def refuse(run: Run, _: pytest.MonkeyPatch) -> None:
    run.see(replace(LIVE, state=CameraState.FAILED, error="401"))


def fail_detector(run: Run, _: pytest.MonkeyPatch) -> None:
    run.see(replace(LIVE, account=Account(12, 10, failed=2, reasons={"detector": 2})))


def detect_nothing(run: Run, _: pytest.MonkeyPatch) -> None:
    run.see(CameraStatus("a", CameraState.CONNECTING))


def kill_worker(run: Run, _: pytest.MonkeyPatch) -> None:
    fleet = SupervisedFleet()
    fleet.of("a").dead = True
    run.observer.observe(fleet.supervisor.poll())


def kill_detector(run: Run, _: pytest.MonkeyPatch) -> None:
    fleet = SupervisedFleet()
    for process in (1, 2):
        fleet.of("a").detectors = {"champion": ("m-1", process)}  # type: ignore[dict-item]
        run.observer.observe(fleet.supervisor.poll())


def hang_worker(run: Run, _: pytest.MonkeyPatch) -> None:
    fleet = SupervisedFleet()
    fleet.of("a").hangs = True
    report = fleet.supervisor.poll()
    assert max(report.silent_s.values()) > 0.05
    hung = {name: seconds + 20 * (name == "worker0") for name, seconds in report.silent_s.items()}
    run.observer.observe(replace(report, silent_s=hung))


def refuse_writes(run: Run, _: pytest.MonkeyPatch) -> None:
    run.see(replace(LIVE, faults=(fault("the log is not written", STORE_FAILED),)))


def drive_too_fast(run: Run, _: pytest.MonkeyPatch) -> None:
    run.see(replace(LIVE, faults=(fault("it needs 20 fps", TOO_FAST),)))


def hold_ledger(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    held = run.ledger.transaction()
    held.__enter__()
    monkeypatch.setattr(run, "close", lambda: held.__exit__(None, None, None))


def lose_ledger(run: Run, _: pytest.MonkeyPatch) -> None:
    url = "postgresql+psycopg://streetloop@127.0.0.1:9/streetloop"
    run.settings = change_settings(run.settings, ledger_url=url)


def lose_store(run: Run, _: pytest.MonkeyPatch) -> None:
    keys = {"s3_endpoint": "http://127.0.0.1:9", "s3_access_key": "a", "s3_secret_key": "b"}
    run.settings = change_settings(run.settings, store_url="s3://streets", **keys)


def drift(run: Run, _: pytest.MonkeyPatch) -> None:
    begin_event(run.ledger, "drift", NOON, "a")


def blacken(run: Run, _: pytest.MonkeyPatch) -> None:
    begin_event(run.ledger, "black picture", NOON, "a")


def lose_label_studio(run: Run, _: pytest.MonkeyPatch) -> None:
    run.settings = change_settings(
        run.settings, labeler="label-studio", label_studio_url="http://127.0.0.1:9"
    )


def lose_mlflow(run: Run, _: pytest.MonkeyPatch) -> None:
    run.settings = change_settings(run.settings, tracking_uri="http://127.0.0.1:9")


def fill_disk(_: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1000, 999, 1))


def park(run: Run, _: pytest.MonkeyPatch) -> None:
    learning = begin_learning(run.ledger, "learn-1", {"kind": "labels"}, NOON)
    go_on(run.ledger, learning, Step.PARKED, datetime.now(UTC), reason="it failed")


def await_labels(run: Run, _: pytest.MonkeyPatch) -> None:
    begin_learning(run.ledger, "learn-1", {"kind": "labels"}, NOON)


Inject = Callable[[Run, pytest.MonkeyPatch], None]

_DOWN = 'streetloop_dependency_up{{dependency="{}"}} 0.0'
_OPEN = 'streetloop_events_open{{kind="{}"}} 1.0'
_LOST = 'streetloop_camera_state{camera="a",state="lost"} 1.0'

FAULTS: Mapping[str, tuple[Inject, str]] = {
    "a camera goes silent": (lose, _LOST),
    "a server is slow to answer": (
        detect_nothing,
        'streetloop_camera_state{camera="a",state="connecting"} 1.0',
    ),
    "a camera is down at the start": (lose, _LOST),
    "wrong user or password": (refuse, 'streetloop_camera_state{camera="a",state="failed"} 1.0'),
    "the detector fails on a camera's frames": (
        fail_detector,
        'streetloop_frames_total{camera="a",fate="failed",reason="detector"} 2.0',
    ),
    "nothing of a camera was decoded or detected": (
        detect_nothing,
        'streetloop_frames_total{camera="a",fate="detected",reason=""} 0.0',
    ),
    "the detector's process dies": (kill_detector, 'streetloop_restarts_total{process="detector"} 1.0'),
    "a worker's process dies": (kill_worker, 'streetloop_restarts_total{process="worker"} 1.0'),
    "a worker's process hangs": (hang_worker, 'streetloop_worker_report_age_seconds{worker="worker0"} 20.'),
    "the log cannot be written": (refuse_writes, _OPEN.format("store_failed")),
    "a street is too fast for its `fps`": (drive_too_fast, _OPEN.format("too_fast")),
    "another program holds the ledger, as a backup does": (hold_ledger, _DOWN.format("ledger")),
    "a camera drifts": (drift, _OPEN.format("drift")),
    "the picture is black or frozen; size or rate changes": (blacken, _OPEN.format("black picture")),
    "Label Studio is away, its token wrong, its project deleted": (
        lose_label_studio,
        _DOWN.format("label_studio"),
    ),
    "PostgreSQL is restarted, or away": (lose_ledger, _DOWN.format("ledger")),
    "the ledger cannot be written": (hold_ledger, _DOWN.format("ledger")),
    "the object store is away": (lose_store, _DOWN.format("store")),
    "MLflow is away during a training": (lose_mlflow, _DOWN.format("mlflow")),
    "the disk fills up during a training": (fill_disk, "streetloop_disk_free_bytes 1.0"),
    "a learning run fails three times, or is refused": (park, 'streetloop_learning_state{step="parked"} 1.0'),
    "labels are too few to judge a candidate by": (
        await_labels,
        'streetloop_learning_state{step="labeling"} 1.0',
    ),
}
"""By the first column of the table: what injects it, and what the next scrape has."""

ENDED = {"Ctrl-C, SIGTERM or SIGHUP", "the process is killed"}
"""The endpoint is gone: the alert `MetricsAway`."""

OF_A_COMMAND = {
    "a second `run` or `up` in one home": "nothing is started; the command says so",
    "a training's caller is killed": "a command of a person, not a run",
    "nothing is labeled": "a command or a button is refused",
    "a version's tag in MLflow is damaged": "commands that list versions warn",
    "MLflow's own client registered a version": "no fault of a run",
    "labels of a class that the champion lacks": "a command is refused; a learning run is parked",
    "an annotation is a polygon or of an unknown class": 'streetloop_labels{state="rejected"}',
}
"""What no run meets, and where it is seen."""


def listed() -> list[str]:
    """The first column of the table of faults."""
    text = DOCS["operations.md"]
    section = text[text.index("## When something fails") : text.index("## Backup")]
    return [cells[0] for cells in rows(section) if len(cells) == 2][1:]


def test_the_table_of_the_docs_is_covered() -> None:
    assert set(listed()) == {*FAULTS, *ENDED, *OF_A_COMMAND}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_in_the_next_scrape_and_was_not_before(
    name: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    inject, shown = FAULTS[name]
    assert shown not in run.scrape()
    inject(run, monkeypatch)
    assert shown in run.scrape()


def test_a_labeler_that_refuses_is_counted_as_errors(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_metrics, "Counter", MagicMock())

    queue, older = MagicMock(), MagicMock()
    queue.choose.return_value = 0
    queue.pull.side_effect = LabelerError("Label Studio refuses the token")
    older.refusal.return_value = None
    loop = LabelLoop(queue, MagicMock(), MagicMock(), run.settings, run.ledger, older, lambda _: None)
    with errors_counted() as errors:
        loop.round()
    run.errors.update(errors.counts)
    assert 'streetloop_errors_total{module="labeling.label_loop"} ' in run.scrape()


def test_the_end_of_a_run_ends_its_metrics(tmp_path: Path) -> None:
    with metrics_endpoint(Settings(home=tmp_path), None) as endpoint:
        endpoint.text = lambda: "streetloop_info 1\n"
        (target,) = re.findall(r"127\.0\.0\.1:\d+", (tmp_path / "prometheus_targets.json").read_text())
        assert "streetloop_info" in httpx.get(f"http://{target}/metrics", trust_env=False).text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{target}/metrics", trust_env=False)
    assert "MetricsAway" in {alert.name for alert in ALERTS}


def test_a_look_and_a_scrape_take_less_than_a_minute() -> None:
    asked = 4  # ledger, store, Label Studio, MLflow, one after the other
    assert dependencies.PERIOD_S + asked * dependencies._PATIENCE_S + SCRAPE_S < 60
