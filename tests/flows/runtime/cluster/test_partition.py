"""A node that the network cuts off, and lets back."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs.cli import Command, camera_file
from tests.support.rollout import wait_for
from tests.support.servers.gateway import Gateway
from tests.support.servers.mlflow_server import MlflowServer
from tests.support.servers.postgres import Postgres
from tests.support.servers.ray_nodes.foreign_ray import ForeignRay
from tests.support.servers.ray_nodes.frame_logs import logged_frames
from tests.support.servers.ray_nodes.remote_host import HERE, THERE, RemoteHost, remote_host
from tests.support.servers.ray_nodes.shared_state import shared_state

__all__ = ["remote_host"]

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

_CAMERAS = 4
_MOVED_S = 120.0  # 15 s where nothing else runs; a machine that tests share is slower


@pytest.fixture
def cluster(remote_host: RemoteHost) -> Iterator[ForeignRay]:
    ray = ForeignRay(host=HERE)
    ray.add_remote(THERE, remote_host.prefix)
    yield ray
    ray.close()


@pytest.fixture
def state(
    remote_host: RemoteHost,
    gateway: Gateway,
    postgres: Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    registry = MlflowServer(tmp_path / "mlflow")
    registry.start()
    settings = shared_state(gateway, postgres, registry, "partition")
    for server in (gateway.port, postgres.port, int(registry.url.rpartition(":")[2])):
        remote_host.reach(server)
    for name, value in settings.items():
        monkeypatch.setenv(name, value.replace("127.0.0.1", HERE))
    monkeypatch.setenv("STREETLOOP_GATE", "false")
    yield
    registry.stop()
    postgres.drop(settings["STREETLOOP_LEDGER_URL"])


def test_no_camera_is_twice_in_the_log_for_the_same_second(
    remote_host: RemoteHost, cluster: ForeignRay, state: None, tmp_path: Path
) -> None:
    cameras = [
        {"id": f"street-{k}", "uri": "sim://kingsport/crossing?size=320x192", "fps": 4}
        for k in range(_CAMERAS)
    ]
    run = Command(
        *("run", camera_file(tmp_path, *cameras), "--address", cluster.address, "--json"),
        home=tmp_path / "home",
    )
    amiss = ""
    try:
        wait_for(
            lambda: _workers(cluster, HERE) + _workers(cluster, THERE) == _CAMERAS, "workers", 120.0, 0.5
        )
        assert _workers(cluster, THERE), "the other host has a share"
        wait_for(
            lambda: len({one.camera for one in logged_frames()}) == _CAMERAS,
            "every camera is logged",
            60.0,
            1.0,
        )
        remote_host.cut()
        wait_for(lambda: _workers(cluster, HERE) == _CAMERAS, "all cameras run here", _MOVED_S, 0.5)
        assert _workers(cluster, THERE), "those that were cut off go on meanwhile"
        moved = len(logged_frames())
        wait_for(lambda: len(logged_frames()) > moved + 40 * _CAMERAS, "they are logged", 60.0, 1.0)
        remote_host.join()
        wait_for(lambda: not _workers(cluster, THERE), "Ray ends those that were given up", 60.0, 0.5)
    except AssertionError as error:
        amiss = str(error)
    finally:
        remote_host.join()
        run.interrupt()
        done = run.finish()
    assert not amiss, f"{amiss}\n{done.stderr}"
    assert done.code == 0, done.stderr
    assert not _seconds_of_two_writers()
    for name, camera in done.json["cameras"].items():
        fates = ("detected", "gated", "dropped", "failed")
        assert camera["decoded"] == sum(camera[fate] for fate in fates), name


def _workers(cluster: ForeignRay, node: str) -> int:
    return sum("StreamWorker" in title for title in cluster.titles(node))


def _seconds_of_two_writers() -> list[object]:
    """Cameras and seconds that two workers have logged."""
    writers = defaultdict[object, set[str]](set)
    for one in logged_frames():
        writers[one.camera, one.at.replace(microsecond=0)].add(one.writer)
    assert len({writer for seen in writers.values() for writer in seen}) > _CAMERAS, "some have moved"
    return [moment for moment, seen in writers.items() if len(seen) > 1]
