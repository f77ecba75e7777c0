"""The session loop on ports alone: no Ray, no signal, no console."""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.runtime.session_loop import SessionLoop
from flows.runtime.workers.planner import Planner, WorkerPlan
from flows.runtime.workers.stream_fleet import APP_RESTARTED, FleetReport, Restart
from flows.stream.analysis.status import CameraStatus
from serve.rollout.route_table import RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.cameras.camera_file import Camera, camera_document, parse_camera
from streetloop.cameras.camera_set import CameraSetWatcher
from streetloop.errors import ConfigError, LedgerError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.cameras import change_camera
from streetloop.settings import Settings
from tests.support.samples.frames import review

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def cam(name: str, fps: float | None = None) -> Camera:
    document = {"id": name, "uri": f"rtsp://10.0.0.1/{name}", "fps": fps}
    return parse_camera({key: value for key, value in document.items() if value is not None})


class FakeFleet:
    """Notes what it is told in the log that the observer writes to, too."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.finished = False
        self.report = FleetReport({})
        self.running: dict[str, CameraStatus] = {}

    def add(self, plan: WorkerPlan) -> None:
        names = [camera.id for camera in plan.cameras]
        self.running |= {name: CameraStatus(name) for name in names}
        self.log.append(f"add {','.join(names)}")

    def drop(self, cameras: Collection[str]) -> None:
        self.log.append(f"drop {','.join(cameras)}")

    def poll(self) -> FleetReport:
        self.log.append("poll")
        return FleetReport(dict(self.running), self.report.periods, self.report.candidates)

    def hosts(self) -> Mapping[str, Any]:
        return {}

    def application(self, camera_id: str) -> str:
        return f"of {camera_id}"

    def follow(self, table: RouteTable) -> None:
        raise AssertionError(table)

    def collect_evidence(self) -> Evidence:
        raise AssertionError


class Bench:
    """A loop of one camera, and what it does."""

    def __init__(self, home: Path, *, with_app: bool = False) -> None:
        self.log: list[str] = []
        self.said: list[str] = []
        self.reports: list[FleetReport] = []
        self.published: list[tuple[list[str], Mapping[str, CameraStatus]]] = []
        self.refused: set[str] = set()
        self.restarts: list[Restart] = []
        self.ledger: Ledger = open_ledger(f"sqlite:///{home / 'ledger.db'}")
        self.watcher = CameraSetWatcher([cam("a")], self.ledger)
        self.watcher.poll()
        self.fleet = FakeFleet(self.log)
        self.loop = SessionLoop(
            self.watcher,
            self.fleet,
            self,
            self if with_app else None,
            Planner(Settings(cameras_per_worker=2), "1", ("car",), None).plan,
            self._check,
            self.said.append,
        )

    def observe(self, report: FleetReport) -> None:
        self.log.append("observe")
        self.reports.append(report)

    def leave(self, cameras: Collection[str]) -> None:
        self.log.append(f"leave {','.join(sorted(cameras))}")

    def publish(
        self, cameras: Sequence[Camera], statuses: Mapping[str, CameraStatus], fleet: FakeFleet
    ) -> None:
        self.log.append("publish")
        self.published.append(([camera.id for camera in cameras], statuses))

    def take_restarts(self) -> list[Restart]:
        restarts, self.restarts = self.restarts, []
        return restarts

    def _check(self, camera: Camera) -> None:
        if camera.id in self.refused:
            raise ConfigError(f"camera {camera.id!r}: no such place")

    def change(self, name: str, camera: Camera | None) -> None:
        change_camera(self.ledger, name, camera and camera_document(camera), "ann", NOON)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.ledger.close()


def test_a_step_without_changes_takes_a_report_and_passes_it_on(bench: Bench) -> None:
    bench.fleet.report = FleetReport({}, candidates=[review(1)])
    bench.fleet.running = {"a": CameraStatus("a")}
    assert bench.loop.step() == {"a": CameraStatus("a")}
    assert bench.log == ["poll", "observe"]
    assert bench.reports[0].candidates == [review(1)]


def test_cameras_that_are_added_run_in_as_few_workers_as_hold_them(bench: Bench) -> None:
    for name in "bcd":
        bench.change(name, cam(name))
    assert list(bench.loop.step()) == ["b", "c", "d"]
    assert bench.log == ["add b,c", "add d", "poll", "observe"]
    assert bench.said == ["cameras: b, c, d started"]


def test_a_camera_that_is_removed_leaves_after_its_last_report(bench: Bench) -> None:
    bench.change("a", None)
    bench.loop.step()
    bench.loop.step()
    assert bench.log == ["drop a", "poll", "observe", "leave a", "poll", "observe"]
    assert bench.said == ["cameras: a stopped"]


def test_a_camera_that_changes_is_stopped_and_started_and_does_not_leave(bench: Bench) -> None:
    bench.change("a", cam("a", 5))
    bench.loop.step()
    assert bench.log == ["drop a", "add a", "poll", "observe"]
    assert bench.said == ["cameras: a started"]


def test_a_camera_that_cannot_run_is_said_once_and_costs_the_others_nothing(bench: Bench) -> None:
    bench.refused = {"b"}
    bench.change("b", cam("b"))
    bench.change("c", cam("c"))
    for _ in range(3):
        bench.loop.step()
    assert bench.said == ["camera 'b': no such place", "cameras: c started"]
    assert list(bench.fleet.running) == ["c"]


def test_a_ledger_that_is_away_is_said_once_each_time_and_reports_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Ledger) -> int:
        raise LedgerError("the ledger did not answer")

    for _ in range(2):
        with monkeypatch.context() as away:
            away.setattr("streetloop.cameras.camera_set.last_change", refuse)
            for _ in range(3):
                bench.loop.step()
        bench.loop.step()
    assert bench.said == ["the ledger did not answer"] * 2
    assert len(bench.reports) == 8


def test_the_app_is_told_of_every_step(tmp_path: Path) -> None:
    bench = Bench(tmp_path, with_app=True)
    bench.change("b", cam("b"))
    statuses = bench.loop.step()
    assert bench.published == [(["a", "b"], statuses)]
    bench.ledger.close()


def test_a_restart_of_the_app_is_reported_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, with_app=True)
    restart = Restart(APP_RESTARTED, "web", NOON, "its process died")
    bench.restarts.append(restart)
    bench.loop.step()
    bench.loop.step()
    assert [list(report.restarts) for report in bench.reports] == [[restart], []]
    bench.ledger.close()


# The loop


def _run(bench: Bench, duration_s: float | None = None, until: int = 1000) -> int:
    """Run the loop in this thread; how many steps it took."""
    shown: list[Mapping[str, CameraStatus]] = []
    bench.loop.run(threading.Event(), duration_s, lambda: len(shown) >= until, shown.append)
    return len(shown)


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.runtime.session_loop._PERIOD_S", 0.01)


@pytest.mark.usefixtures("fast")
def test_it_ends_when_the_caller_says(bench: Bench) -> None:
    assert _run(bench, until=3) == 3


def test_it_ends_when_nothing_is_left_to_do(bench: Bench) -> None:
    bench.fleet.finished = True
    assert _run(bench) == 1


@pytest.mark.usefixtures("fast")
def test_with_the_app_it_goes_on_since_people_may_add_a_camera(tmp_path: Path) -> None:
    bench = Bench(tmp_path, with_app=True)
    bench.fleet.finished = True
    assert _run(bench, until=3) == 3
    bench.ledger.close()


@pytest.mark.usefixtures("fast")
def test_it_ends_when_the_time_is_up(bench: Bench) -> None:
    assert 1 <= _run(bench, duration_s=0.05) <= 10
    assert _run(bench, duration_s=0.0) == 1


def test_it_ends_when_it_is_stopped(bench: Bench) -> None:
    stop = threading.Event()
    bench.loop.run(stop, None, lambda: False, lambda _: stop.set())
    assert len(bench.reports) == 1
    bench.loop.run(stop, None, lambda: False, lambda _: None)
    assert len(bench.reports) == 1


def test_a_detector_that_fails_is_said_once_with_its_reason_and_when_it_answers_again(bench: Bench) -> None:
    bench.fleet.running = {"a": CameraStatus("a", detector_error="out of memory")}
    bench.loop.step()
    bench.loop.step()
    assert bench.said == ["camera 'a': the detector fails: out of memory"]
    bench.fleet.running = {"a": CameraStatus("a")}
    bench.loop.step()
    bench.loop.step()
    assert bench.said[1:] == ["camera 'a': the detector answers again"]
