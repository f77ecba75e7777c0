"""Cameras that come, change and go under a real Ray: every frame is accounted for."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest

from flows.runtime.observers.observers import Observers
from flows.runtime.ray_cluster import local_ray
from flows.runtime.session_loop import SessionLoop
from flows.runtime.session_start import start_serve
from flows.runtime.workers.planner import Planner
from flows.runtime.workers.supervisor import Supervisor
from flows.runtime.workers.worker import RayWorker
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.camera_state import CameraState
from flows.stream.sources.registry import open_source
from serve.detector.deployment import deploy
from serve.rollout.route_table import CHALLENGER, RouteTable
from streetloop.cameras.camera_file import Camera, camera_document, parse_camera
from streetloop.cameras.camera_set import CameraSetWatcher
from streetloop.clock import SystemClock
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.cameras import change_camera
from streetloop.secrets import SecretUri
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.model_file import open_model

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]

RUN = "test"
_PATIENCE_S, _TICK_S = 60.0, 0.2


def sim(name: str, **keys: Any) -> Camera:
    uri = "sim://kingsport/crossing?traffic=busy&size=160x96&fps=10"
    return parse_camera({"id": name, "uri": uri, "fps": 4, **keys})


class Fleet:
    """Two small cameras that run, and the ledger in which they are changed."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(
            home=home,
            image_size=160,
            gate=False,
            drift=False,
            triage=False,
            threads=1,
            log_flush_s=0.5,
            staleness_s=20.0,
        )
        model = open_model(
            str(write_tiny_model(home / "m.onnx", detector_output((80, 48, 40, 30, 0, 0.9)))),
            self.settings.models,
        )
        start_serve(self.settings, with_app=False)
        deploy(model, self.settings)
        self.ledger: Ledger = open_ledger(self.settings.ledger)
        self.said: list[str] = []
        watcher = CameraSetWatcher([sim("a"), sim("b")], self.ledger)
        watcher.poll()
        planner = Planner(self.settings, RUN, model.names, None)
        self.supervisor = Supervisor(planner.plan(watcher.current.cameras), RayWorker)
        observers = Observers(watcher.current.ids, self.settings, model, self.said.append)
        self._loop = SessionLoop(
            watcher,
            self.supervisor,
            observers,
            None,
            planner.plan,
            lambda camera: open_source(camera, SystemClock()),
            self.said.append,
        )
        self.supervisor.start()

    def change(self, camera_id: str, camera: Camera | None) -> None:
        """As the API does."""
        document = None if camera is None else camera_document(camera)
        change_camera(self.ledger, camera_id, document, "test", SystemClock().now())

    def look(self) -> dict[str, CameraStatus]:
        """As a running system does twice a second."""
        return dict(self._loop.step())

    def until(self, is_so: Callable[[dict[str, CameraStatus]], Any]) -> dict[str, CameraStatus]:
        """Look until something is so; how everything was then."""
        end, never = time.monotonic() + _PATIENCE_S, threading.Event()
        while time.monotonic() < end:
            if is_so(found := self.look()):
                return found
            never.wait(_TICK_S)
        raise AssertionError(f"it did not come about; {self.look()}; it said {self.said}")

    def adds_up(self) -> bool:
        """True if every frame of every camera has a fate."""
        accounts = [status.account for status in self.look().values()]
        fates = ("detected", "gated", "dropped", "failed", "pending")
        return all(a.decoded == sum(getattr(a, f) for f in fates) and a.pending >= 0 for a in accounts)

    def tracks(self, camera_id: str) -> list[tuple[int, float]]:
        """Track ids of a camera in the order in which they began, and when."""
        log = FolderStore(self.settings.store).uri(f"detections/run={RUN}")
        rows = duckdb.sql(
            f"select track_id, min(epoch(captured_at)) as first from '{log}/**/*.parquet' "
            f"where camera_id = '{camera_id}' and track_id is not null group by all order by first"
        ).fetchall()
        return [(int(track), float(first)) for track, first in rows]


def youngest_worker() -> psutil.Process:
    """The worker process that was started last."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            if "ray::StreamWorker" in " ".join(process.cmdline()):
                found.append(process)
    return max(found, key=lambda process: process.create_time())


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with local_ray():
        fleet = Fleet(tmp_path_factory.mktemp("fleet"))
        yield fleet
        fleet.supervisor.close()


def detected(status: CameraStatus | None) -> int:
    return 0 if status is None else status.account.detected


def test_a_camera_that_is_added_runs_beside_the_others(fleet: Fleet) -> None:
    before = fleet.until(lambda s: all(detected(s.get(name)) for name in "ab"))
    fleet.change("new", sim("new"))
    after = fleet.until(lambda s: detected(s.get("new")) > 3)
    assert list(after) == ["a", "b", "new"]
    assert after["new"].state is CameraState.LIVE
    assert all(detected(after[name]) > detected(before[name]) for name in "ab")
    assert fleet.supervisor.hosts().keys() == {"a", "b", "new"}
    assert "cameras: new started" in fleet.said
    assert fleet.adds_up()


def test_a_camera_that_is_dropped_ends_with_its_account_and_the_others_go_on(fleet: Fleet) -> None:
    fleet.change("gone", sim("gone"))
    before = fleet.until(lambda s: detected(s.get("gone")) > 3)
    fleet.change("gone", None)
    ended = fleet.look()["gone"]
    assert (ended.state, ended.account.pending) == (CameraState.ENDED, 0)
    assert ended.account.decoded >= before["gone"].account.decoded
    assert "gone" not in fleet.supervisor.hosts()
    assert "cameras: gone stopped" in fleet.said
    after = fleet.until(lambda s: detected(s["a"]) > detected(before["a"]) + 3)
    assert after["gone"] == ended, "its account stays as it was"
    assert fleet.adds_up()


def test_one_of_two_in_a_worker_is_dropped_and_comes_back(fleet: Fleet) -> None:
    """Both of the file share a worker."""
    before = fleet.until(lambda s: detected(s["b"]) > 0)
    fleet.change("b", None)
    ended = fleet.look()["b"]
    assert (ended.state, ended.account.pending) == (CameraState.ENDED, 0)
    assert fleet.supervisor.hosts().keys() >= {"a"}
    fleet.until(lambda s: detected(s["a"]) > detected(before["a"]) + 3)
    fleet.change("b", sim("b"))
    after = fleet.until(lambda s: detected(s["b"]) > ended.account.detected + 3)
    assert after["b"].account.decoded > ended.account.decoded, "it goes on counting"
    assert fleet.adds_up()


def test_a_camera_that_is_changed_goes_on_with_its_account(fleet: Fleet) -> None:
    fleet.change("changed", sim("changed"))
    before = fleet.until(lambda s: detected(s.get("changed")) > 3)["changed"]
    lined = sim("changed", fps=8, lines={"in": [[0.1, 0.5], [0.9, 0.5]]})
    fleet.change("changed", lined)
    after = fleet.until(lambda s: detected(s["changed"]) > before.account.detected + 5)["changed"]
    assert after.state is CameraState.LIVE
    assert after.account.decoded > before.account.decoded
    assert list(after.lines) == ["in"]
    assert fleet.adds_up()


def test_a_worker_that_is_killed_after_an_add_is_replaced_and_tracks_stay_apart(fleet: Fleet) -> None:
    fleet.change("killed", sim("killed"))
    before = fleet.until(lambda s: detected(s.get("killed")) > 8)["killed"]
    victim = youngest_worker()
    os.kill(victim.pid, signal.SIGKILL)
    died = time.time()
    after = fleet.until(lambda s: detected(s["killed"]) > before.account.detected + 8)["killed"]
    assert after.state is CameraState.LIVE
    assert youngest_worker().pid != victim.pid
    assert fleet.adds_up()
    fleet.change("killed", None)
    fleet.look()  # all of it is written
    ids = fleet.tracks("killed")
    assert [track for track, first in ids if first > died]
    assert len({track for track, _ in ids}) == len(ids)
    of_others = {track for name in "ab" for track, _ in fleet.tracks(name)}
    assert not of_others & {track for track, _ in ids}


def test_who_is_added_follows_the_routes_in_force(fleet: Fleet) -> None:
    table = RouteTable(1, compared=frozenset({"a"}), challenged=frozenset({"routed"}))
    fleet.supervisor.follow(table)
    fleet.change("routed", sim("routed"))
    # Nobody is there under that name: the champion jumps in, and no frame is lost.
    found = fleet.until(lambda s: detected(s.get("routed")) > 3)["routed"]
    assert fleet.supervisor.application("routed") == CHALLENGER
    assert found.account.failed == 0
    fleet.supervisor.follow(RouteTable(2))


def test_a_camera_that_cannot_be_one_is_said_once_and_costs_the_others_nothing(fleet: Fleet) -> None:
    before = fleet.look()
    fleet.change("odd", sim("odd").model_copy(update={"uri": SecretUri("sim://atlantis/port")}))
    after = fleet.until(lambda s: detected(s["a"]) > detected(before["a"]) + 5)
    assert "odd" not in after
    assert len([text for text in fleet.said if "atlantis" in text]) == 1
    fleet.change("odd", None)
    assert "odd" not in fleet.look()


def test_a_worker_that_stands_still_delays_one_look_and_reports_when_it_goes_on(fleet: Fleet) -> None:
    fleet.change("still", sim("still"))
    before = fleet.until(lambda s: detected(s.get("still")) > 3)
    worker = youngest_worker()
    worker.suspend()
    try:
        fleet.look()
        began = time.monotonic()
        fleet.look()
        assert time.monotonic() - began < 1.0, "nobody waits for it again"
        after = fleet.until(lambda s: detected(s["a"]) > detected(before["a"]) + 5)
        assert detected(after["still"]) <= detected(before["still"]) + 8
    finally:
        worker.resume()
    fleet.until(lambda s: detected(s["still"]) > detected(after["still"]) + 3)
    assert youngest_worker().pid == worker.pid, "it was not replaced"
    fleet.change("still", None)
    assert fleet.look()["still"].account.pending == 0
    assert fleet.adds_up()
