"""The process of the app dies beside a stream, which began by the API in a run without cameras."""

from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from tests.support.programs.cli import Command, processes_of
from tests.support.rollout import wait_for
from tests.support.servers.ports import free_port

pytestmark = pytest.mark.ray

_STREET = {"id": "a40", "uri": "sim://larkfield/gantry?fps=5&size=320x192"}


def _app_process(home: Path) -> psutil.Process | None:
    found = [one for one in processes_of(home) if "ServeReplica:web" in " ".join(one.cmdline())]
    return found[0] if found else None


def test_a_run_begins_without_a_camera_and_a_killed_app_comes_back(tmp_path: Path) -> None:
    port, home = free_port(), tmp_path / "home"
    file = tmp_path / "cameras.yaml"
    file.write_text(yaml.safe_dump({"cameras": [], "settings": {"app_port": port}}))
    command = Command("up", str(file), "--no-dashboard", home=home)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

        def got(path: str) -> Any:
            assert command.process.poll() is None, command.finish().stderr
            try:
                return client.get(path).raise_for_status().json()
            except httpx.HTTPError:
                return None

        wait_for(lambda: got("/status"), "the app", 300)
        assert got("/cameras")["items"] == []
        client.post("/cameras", json=_STREET).raise_for_status()
        wait_for(lambda: (got("/ready") or {}).get("live") == 1, "a live camera", 120)
        process = _app_process(home)
        assert process is not None
        process.kill()
        wait_for(lambda: (got("/events?kind=app_restarted") or {}).get("items"), "the event", 120)
        (event,) = got("/events?kind=app_restarted")["items"]
        assert event["detail"]["process"] == "web"
        assert event["ended_at"] is not None
        wait_for(lambda: (got("/ready") or {}).get("live") == 1, "the app, with its cameras", 60)
    command.interrupt()
    outcome = command.finish()
    assert outcome.code == 0, outcome.stderr
