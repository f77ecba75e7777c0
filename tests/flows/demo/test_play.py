"""The demo's loop with all its real parts, in a short form."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.servers.ports import free_port

pytestmark = [pytest.mark.ray, pytest.mark.timeout(1500)]


def test_night_falls_a_better_model_serves_and_the_app_goes_on(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "stderr.txt"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.programs.short_demo", str(tmp_path / "home"), str(port)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as played,
    ):
        assert played.stdout is not None
        line = played.stdout.readline()
        try:
            assert line, log.read_text()[-3000:]
            _closed(json.loads(line), log)
            _goes_on(port)
            played.send_signal(signal.SIGINT)
            assert played.wait(60) == 0, log.read_text()[-3000:]
        finally:
            played.kill()


def _closed(found: dict[str, Any], log: Path) -> None:
    assert found["closed"], log.read_text()[-3000:]
    assert found["map50"]["night"]["after"] > found["map50"]["night"]["before"]
    assert found["labels"] >= 60
    frames = found["frames"]
    fates = sum(frames[fate] for fate in frames if fate != "decoded")
    assert 0 <= frames["decoded"] - fates <= 40, "but for what is under way"
    assert "promoted" in Path(found["report"]).read_text()


def _goes_on(port: int) -> None:
    """After the result the cameras are read, and the app shows the result's page."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, follow_redirects=True) as app:
        assert "The loop closed" in app.get("/report").text
        assert app.get("/app").is_success
        cameras = app.get("/cameras").json()["items"]
    assert {camera["state"] for camera in cameras} == {"live"}
