"""The head of a cluster dies and comes back; a Redis keeps what it knew."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streetloop.ledger import open_ledger
from streetloop.ledger.events import list_events
from tests.support.programs.cli import Command, camera_file
from tests.support.rollout import wait_for
from tests.support.servers.gateway import Gateway
from tests.support.servers.mlflow_server import MlflowServer
from tests.support.servers.postgres import Postgres
from tests.support.servers.ray_nodes.foreign_ray import ForeignRay
from tests.support.servers.ray_nodes.frame_logs import logged_frames
from tests.support.servers.ray_nodes.redis import redis
from tests.support.servers.ray_nodes.remote_host import require_namespaces
from tests.support.servers.ray_nodes.shared_state import shared_state

__all__ = ["redis"]

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

HEAD = "127.0.0.1"
_BACK_S = 150.0  # 60 s where nothing else runs; a machine that tests share is slower


@pytest.fixture
def cluster(redis: str) -> Iterator[ForeignRay]:
    require_namespaces()
    ray = ForeignRay(storage=redis)
    ray.add_node()
    yield ray
    ray.close()


@pytest.fixture
def ledger_url(
    gateway: Gateway, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    registry = MlflowServer(tmp_path / "mlflow")
    registry.start()
    settings = shared_state(gateway, postgres, registry, "head")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    yield settings["STREETLOOP_LEDGER_URL"]
    registry.stop()
    postgres.drop(settings["STREETLOOP_LEDGER_URL"])


def test_cameras_are_live_again_after_the_head_was_restarted(
    cluster: ForeignRay, ledger_url: str, tmp_path: Path
) -> None:
    cameras = [
        {"id": f"street-{k}", "uri": "sim://kingsport/crossing?size=320x192", "fps": 4} for k in range(3)
    ]
    at = ("--address", cluster.address)
    begun = Command("up", camera_file(tmp_path, *cameras), "--detach", *at, home=tmp_path / "home")
    assert begun.finish().code == 0, begun.finish().stderr
    names = {str(camera["id"]) for camera in cameras}
    wait_for(lambda: {one.camera for one in logged_frames()} == names, "every camera is logged", 60.0, 1.0)

    cluster.kill_node(HEAD)
    cluster.start_head()
    back = datetime.now(UTC)
    wait_for(
        lambda: {one.camera for one in logged_frames() if one.at > back} == names,
        "every camera is live again",
        _BACK_S,
        1.0,
    )
    ended = Command("down", "--json", *at, home=tmp_path / "home").finish(240.0)
    assert ended.code == 0, ended.stderr
    assert ended.json["cameras"].keys() == names
    ledger = open_ledger(ledger_url)
    try:
        kinds = {event.kind for event in list_events(ledger, most=100)}
    finally:
        ledger.close()
    assert kinds & {"worker_restarted", "control_restarted"}, kinds
