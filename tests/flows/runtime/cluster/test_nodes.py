"""A run on three nodes, which share its state by PostgreSQL, S3 and an MLflow server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streetloop.ledger import open_ledger
from streetloop.ledger.events import list_events
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from tests.support.programs.cli import Command, camera_file
from tests.support.rollout import wait_for
from tests.support.servers.gateway import Gateway
from tests.support.servers.mlflow_server import MlflowServer
from tests.support.servers.postgres import Postgres
from tests.support.servers.ray_nodes.foreign_ray import ForeignRay
from tests.support.servers.ray_nodes.frame_logs import logged_frames
from tests.support.servers.ray_nodes.shared_state import shared_state

NODES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

_SITE = "denver"
_NODE_LOST_S = 120.0  # 15 s where nothing else runs; a machine that tests share is slower


@pytest.fixture(scope="module")
def cluster() -> Iterator[ForeignRay]:
    ray = ForeignRay()
    ray.add_node(**{f"site:{_SITE}": 1.0})
    ray.add_node()
    yield ray
    ray.close()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server
    server.stop()


def _street(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "uri": "sim://kingsport/crossing?size=320x192", "fps": 2, **more}


def test_state_on_one_machine_is_refused_with_the_way_out(cluster: ForeignRay, tmp_path: Path) -> None:
    path = camera_file(tmp_path, _street("a"))
    done = Command("run", path, "--address", cluster.address, home=tmp_path / "home").finish()
    assert done.code == 2
    sentence = done.stderr.strip().splitlines()[-1]
    for variable in ("STREETLOOP_LEDGER_URL", "STREETLOOP_STORE_URL", "STREETLOOP_TRACKING_URI"):
        assert variable in sentence
    assert not [title for title in cluster.busy() if "StreamWorker" in title]


def test_doctor_looks_at_every_node(cluster: ForeignRay, tmp_path: Path) -> None:
    done = Command("doctor", "--address", cluster.address, "--json", home=tmp_path / "home").finish()
    assert done.code == 1, done.stderr
    nodes = {check["node"] for check in done.json if check["check"] == "clock"}
    assert len(nodes) == len(NODES), nodes
    failing = {(check["node"], check["check"]) for check in done.json if not check["ok"]}
    assert {(node, check) for node in nodes for check in ("ledger", "store", "registry")} <= failing
    assert all("STREETLOOP_" in c["cure"] for c in done.json if c["check"] in {"ledger", "store"})


@pytest.fixture
def ledger_url(
    gateway: Gateway, postgres: Postgres, registry: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """URL of the ledger of a run whose state is kept by servers, as the environment says."""
    state = shared_state(gateway, postgres, registry, "nodes")
    for name, value in state.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STREETLOOP_DRIFT", "false")
    monkeypatch.setenv("STREETLOOP_TRIAGE", "false")
    url = state["STREETLOOP_LEDGER_URL"]
    yield url
    postgres.drop(url)


def test_a_run_uses_all_nodes_and_outlives_one_of_them_and_a_restart_of_its_database(
    cluster: ForeignRay, ledger_url: str, postgres: Postgres, tmp_path: Path
) -> None:
    cameras = [_street("there", site=_SITE), _street("nowhere", site="atlantis"), *map(_street, "abcd")]
    run = Command(
        "run", camera_file(tmp_path, *cameras), "--address", cluster.address, "--json", home=tmp_path / "home"
    )
    ledger, store = open_ledger(ledger_url), open_store(Settings())

    def workers(*nodes: str) -> list[int]:
        """How many workers run on each node."""
        return [sum("StreamWorker" in title for title in cluster.titles(node)) for node in nodes]

    amiss = ""
    try:
        wait_for(lambda: sum(workers(*NODES)) == len(cameras), "a worker for each camera", 120.0, 1.0)
        assert all(workers(*NODES)), "every node has a share"
        names = {camera["id"] for camera in cameras}
        wait_for(
            lambda: {one.camera for one in logged_frames()} == names, "frames of each camera", 120.0, 1.0
        )
        postgres.restart()
        cluster.kill_node(NODES[2])
        wait_for(lambda: sum(workers(*NODES[:2])) == len(cameras), "all workers run again", _NODE_LOST_S, 1.0)
        wait_for(lambda: "worker_restarted" in {e.kind for e in list_events(ledger, most=100)}, "an event")
        before = len(list(store.keys("frames/")))
        wait_for(lambda: len(list(store.keys("frames/"))) > before + len(cameras), "more frames", 60.0, 1.0)
    except AssertionError as error:
        events = [(event.kind, event.detail) for event in list_events(ledger, most=100)]
        amiss = f"{error}; workers: {workers(*NODES)}; events: {events}"
    finally:
        run.interrupt()
        done = run.finish()
        ledger.close()
    assert not amiss, f"{amiss}\n{done.stderr}"
    assert done.code == 0, done.stderr
    assert "no node has the resource site:atlantis; its cameras run on others" in done.stderr
    for name, camera in done.json["cameras"].items():
        fates = ("detected", "gated", "dropped", "failed")
        assert camera["detected"] > 0, name
        assert camera["decoded"] == sum(camera[fate] for fate in fates), name
    assert list(store.keys("models/")), "the model travelled by the store"
