"""Commands in environments as people have them: they run, or say in one sentence what is wrong."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx
import pytest

from streetloop.video import VideoReader
from tests.support.programs.cli import Command, camera_file, processes_of
from tests.support.rollout import wait_for
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from tests.support.servers.cameras.http_camera import HttpCamera, mjpeg
from tests.support.servers.ports import free_port

_FPS = 10
_HELD_S = 15  # a write waits for 5 s, and a lease counts as given up after 12
_HOLD = """
import sqlite3, sys
ledger = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
ledger.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def _detected(port: int) -> int:
    """What Prometheus sees; 0 until it is there."""
    try:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5, trust_env=False).text
    except httpx.TransportError:
        return 0
    found = re.search(r'^streetloop_frames_total{camera="gate",fate="detected",reason=""} (\S+)$', text, re.M)
    return int(float(found[1])) if found else 0


def _hold(ledger: Path) -> "subprocess.Popen[str]":
    """Another process, such as a backup, that lets nobody write."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(ledger)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


@pytest.fixture
def hangup() -> Iterator[None]:
    """A SIGHUP that is not ignored, also where the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.ray
@pytest.mark.usefixtures("hangup")
def test_a_run_without_a_home_of_the_user_behind_a_dead_proxy_outlives_a_held_ledger_and_a_hangup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/proc/none")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    home, port = tmp_path / "home", free_port()
    model = write_tiny_model(tmp_path / "m.onnx", detector_output((32, 32, 20, 10, 0, 0.9)))
    options = ("--no-gate", "--json", "--metrics-port", str(port), "--annotate", str(tmp_path / "a"))
    with HttpCamera() as server:
        server.answers["/gate"] = mjpeg([60, 180] * 10_000, period_s=1 / _FPS)
        path = camera_file(tmp_path, {"id": "gate", "uri": server.url("/gate")})
        command = Command("run", path, "--model", str(model), *options, home=home)
        wait_for(lambda: _detected(port), "the camera is detected", 90)

        holder = _hold(home / "ledger.db")
        enough = _detected(port) + _HELD_S * _FPS * 3 // 4
        wait_for(lambda: _detected(port) > enough, "streams go on", 2 * _HELD_S)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite3.connect(home / "ledger.db", timeout=0).execute("BEGIN IMMEDIATE")
        holder.communicate()

        os.killpg(command.process.pid, signal.SIGHUP)  # its terminal is closed
        outcome = command.finish(30)
    assert outcome.code == 0, outcome.stderr
    assert "Traceback" not in outcome.stderr
    camera = outcome.json["cameras"]["gate"]
    assert camera["reconnects"] == 0
    rows = duckdb.sql(f"select count(distinct frame_id) from '{outcome.json['log']}/**/*.parquet'")
    assert rows.fetchall()[0][0] == camera["detected"]
    with VideoReader(str(tmp_path / "a" / "gate.mp4"), "annotated") as reader:  # which needs its index
        assert sum(1 for _ in reader.pictures()) == camera["detected"]
    assert processes_of(home) == []


@pytest.mark.parametrize(
    ("arguments", "variable", "value"),
    [
        ("serve", "STREETLOOP_HOME", "/proc/none"),
        ("run cameras.yaml", "STREETLOOP_HOME", "/proc/none"),
        ("up", "ALL_PROXY", "socks5://admin:hunter2@127.0.0.1:7890"),
    ],
)
def test_a_variable_with_which_a_command_cannot_run_is_named(
    arguments: str, variable: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_tiny_model(tmp_path / "m.onnx", detector_output())
    camera_file(tmp_path, {"id": "gate", "uri": "sim://kingsport/crossing"})
    monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    home = Path(value) if variable == "STREETLOOP_HOME" else tmp_path / "home"
    monkeypatch.setenv("STREETLOOP_LOG_FORMAT", "json")
    ended = Command(*arguments.split(), "--model", str(model), home=home).finish()
    assert (ended.code, ended.stdout) == (2, ""), ended.stderr
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith(f"error: {variable}: ")
    assert "hunter2" not in ended.stderr
    assert processes_of(home) == []
