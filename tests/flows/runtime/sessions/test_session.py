"""The main job on real parts: an RTSP server, real weights, a real Ray."""

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import psutil
import pytest

from streetloop.video import VideoReader
from tests.support.programs.cli import Command, camera_file
from tests.support.servers.cameras.rtsp import Mount, RtspServer, annexb
from tests.support.servers.ports import free_port

pytestmark = [pytest.mark.ray, pytest.mark.rtsp, pytest.mark.model]

_UNREPORTED = 2 * 30
"""Frames of a camera between two reports of its worker, which come once a second."""
FATES = ("detected", "gated", "dropped", "failed")


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory, street_clip: Path) -> Path:
    return annexb(street_clip, tmp_path_factory.mktemp("rtsp") / "street.h264", reencode=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for the module, so that the model is exported once."""
    return tmp_path_factory.mktemp("home")


def adds_up(camera: dict[str, Any]) -> bool:
    return bool(camera["decoded"] == sum(camera[fate] for fate in FATES))


def wait_for(condition: Callable[[], Any], timeout_s: float = 60) -> Any:
    """Poll what no event announces: other processes coming and going."""
    end = time.monotonic() + timeout_s
    tick = threading.Event()
    while time.monotonic() < end:
        if found := condition():
            return found
        tick.wait(0.1)
    raise AssertionError("it did not happen in time")


def ray_processes(home: Path) -> dict[str, psutil.Process]:
    """Ray's processes of the commands with this home, by title.

    They leave the process group of the command, but inherit its environment.
    """
    found = {}
    for process in psutil.process_iter():
        try:
            title = " ".join(process.cmdline())
            if "ray::" in title and process.environ().get("STREETLOOP_HOME") == str(home):
                found[title] = process
        except psutil.Error:
            continue
    return found


def child(home: Path, title: str) -> psutil.Process | None:
    """The process to which Ray has given a title that starts so."""
    return next((p for name, p in ray_processes(home).items() if name.startswith(title)), None)


def scrape(port: int) -> dict[str, float] | None:
    """The frame account that Prometheus would see; None until it is there."""
    try:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    except httpx.TransportError:
        return None
    found = re.findall(r'^ray_streetloop_frames{.*Fate="?(\w+)"?.*} (\S+)$', text, re.M | re.I)
    values = {fate: float(value) for fate, value in found}
    return values if values.get("decoded") else None


def test_an_rtsp_camera_is_detected_tracked_counted_and_logged(
    tmp_path: Path, home: Path, street: Path, weights: Path
) -> None:
    with RtspServer({"a40": Mount((street,))}, login=("admin", "hunter2")) as server:
        path = camera_file(
            tmp_path,
            {
                "id": "a40-old-oak",
                "uri": server.url("a40", "admin", "hunter2"),
                "lines": {"across": [[0.0, 0.6], [1.0, 0.6]]},
            },
        )
        outcome = Command(
            "run",
            path,
            "--model",
            str(weights),
            "--duration",
            "15",
            "--json",
            "--annotate",
            str(tmp_path / "annotated"),
            home=home,
        ).finish()
    assert outcome.code == 0, outcome.stderr
    camera = outcome.json["cameras"]["a40-old-oak"]
    assert adds_up(camera)
    assert camera["decoded"] > 15 * 25 * 0.8
    assert camera["detected"] > 30
    assert camera["failed"] == 0
    assert camera["objects"] > 5
    across = camera["lines"]["across"]
    assert across["in"] + across["out"] > 0
    assert 0 < across["coverage"] <= 1
    by_class = across["by_class"].values()
    assert {way: sum(one[way] for one in by_class) for way in ("in", "out")} == _directions(across)
    assert sum(camera["objects_by_class"].values()) == camera["objects"]
    assert 0 < camera["lag_p95_s"] < 5
    log = outcome.json["log"]
    cars = duckdb.sql(
        f"select count(*), count(distinct track_id) from '{log}/**/*.parquet' "
        "where class_name = 'car' and track_id is not null and camera_id = 'a40-old-oak'"
    ).fetchall()[0]
    assert cars[0] > 50
    assert cars[1] > 5
    with VideoReader(str(tmp_path / "annotated/a40-old-oak.mp4"), "annotated") as reader:
        assert sum(1 for _ in reader.pictures()) == camera["detected"]
    _has_counts(home, "a40-old-oak", "across", _directions(across))
    assert "hunter2" not in outcome.stdout + outcome.stderr
    assert not [file for file in home.rglob("*") if b"hunter2" in file.name.encode()]


def _directions(line: dict[str, Any]) -> dict[str, int]:
    return {way: line[way] for way in ("in", "out")}


def _has_counts(home: Path, camera_id: str, line: str, counted: dict[str, int]) -> None:
    """The ledger has what the run counted, once, and for how long somebody looked."""
    rows = Command("counts", camera_id, "--since", "5m", "--bin", "1m", "--json", home=home).finish().json
    for direction in ("in", "out"):
        assert sum(row["count"] for row in rows if row["direction"] == direction) == counted[direction]
    coverage = {row["start"]: row["coverage"] for row in rows if row["line"] == line}
    assert 0 < 60 * sum(coverage.values()) < 16


def test_ctrl_c_flushes_and_prints_the_summary(
    tmp_path: Path, home: Path, street_clip: Path, weights: Path
) -> None:
    path = camera_file(tmp_path, {"id": "a40", "uri": f"file://{street_clip}?loop=1"})
    port = free_port()
    command = Command(
        "run",
        path,
        "--model",
        str(weights),
        "--json",
        "--annotate",
        str(tmp_path / "a"),
        "--metrics-port",
        str(port),
        home=home,
    )
    wait_for(lambda: child(home, "ray::StreamWorker"))
    wait_for((tmp_path / "a" / "a40.mp4").exists)
    exported = wait_for(lambda: scrape(port))
    assert exported["decoded"] > 0
    assert exported["decoded"] == sum(exported[fate] for fate in (*FATES, "pending"))
    said = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    assert 'streetloop_frames_total{camera="a40",fate="detected",reason=""}' in said
    assert "streetloop_worker_lag_seconds_bucket{" in said
    assert "ray_node_mem_used{" in said
    command.interrupt()
    outcome = command.finish()
    assert outcome.code == 0, outcome.stderr
    assert "Traceback" not in outcome.stderr
    camera = outcome.json["cameras"]["a40"]
    assert adds_up(camera)
    assert camera["detected"] > 0
    rows = duckdb.sql(
        f"select count(distinct frame_id) from '{outcome.json['log']}/**/*.parquet'"
    ).fetchall()[0]
    assert 0 < rows[0] <= camera["detected"]
    with VideoReader(str(tmp_path / "a/a40.mp4"), "annotated") as reader:
        assert sum(1 for _ in reader.pictures()) == camera["detected"]


def test_a_killed_process_comes_back_and_no_frame_vanishes(
    tmp_path: Path, home: Path, street_clip: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The detector first; once it detects again, the worker."""
    monkeypatch.setenv("STREETLOOP_LOG_FLUSH_S", "1")
    path = camera_file(tmp_path, {"id": "a40", "uri": f"file://{street_clip}?loop=1"})
    options = ("--model", str(weights), "--json", "--annotate", str(tmp_path / "a"))
    command = Command("run", path, *options, home=home)
    wait_for((tmp_path / "a" / "a40.mp4").exists)
    for victim in ("ray::ServeReplica:champion", "ray::StreamWorker"):
        first = wait_for(lambda victim=victim: child(home, victim))
        os.kill(first.pid, signal.SIGKILL)
        second = wait_for(
            lambda victim=victim, first=first: (p := child(home, victim)) and p.pid != first.pid and p
        )
        back = time.time()
        assert second.pid != first.pid
        wait_for(lambda back=back: detected_since(home, back))
    command.interrupt()
    outcome = command.finish()
    assert outcome.code == 0, outcome.stderr
    camera = outcome.json["cameras"]["a40"]
    assert adds_up(camera), camera
    _logs_have_each_frame_once(outcome.json, camera)
    listed = Command("events", "--json", home=home).finish().stdout.splitlines()
    kinds = {(event := json.loads(line))["kind"]: event for line in listed}
    assert kinds.keys() >= {"detector_restarted", "worker_restarted"}
    assert kinds["worker_restarted"]["detail"]["cameras"] == ["a40"]


def _logs_have_each_frame_once(run: dict[str, Any], camera: dict[str, Any]) -> None:
    """All frames of two workers but those that the first held or had not written when it died.

    The first may have written more than it had reported.
    """
    frames, detections = (f"'{run[log]}/**/*.parquet'" for log in ("frames", "log"))
    rows, ids = duckdb.sql(f"select count(*), count(distinct frame_id) from {frames}").fetchall()[0]
    assert rows == ids
    assert 0 < rows <= camera["decoded"] + _UNREPORTED
    found, unknown = duckdb.sql(  # of the worker that ended by itself
        f"select count(*), count(*) filter (frame_id not in "
        f"(select frame_id from {frames} where fate = 'detected' and backend is not null)) "
        f"from {detections} where frame_id >= 1000000000"
    ).fetchall()[0]
    assert found > 0
    assert unknown == 0


def detected_since(home: Path, moment: float) -> int:
    """How many frames of after a moment, in seconds of the wall clock, the logs have."""
    if not (logs := [str(file) for file in home.glob("store/detections/**/*.parquet")]):
        return 0
    rows = duckdb.sql(
        f"select count(distinct frame_id) from read_parquet({logs}) where epoch(captured_at) > {moment}"
    ).fetchall()
    return int(rows[0][0])


def test_a_wrong_password_ends_the_run_with_the_reason(
    tmp_path: Path, home: Path, street: Path, weights: Path
) -> None:
    with RtspServer({"a40": Mount((street,))}, login=("admin", "right")) as server:
        path = camera_file(tmp_path, {"id": "a40", "uri": server.url("a40", "admin", "hunter2")})
        checked = Command("check", path, home=home).finish()
        outcome = Command("run", path, "--model", str(weights), home=home).finish()
    for ended in (checked, outcome):
        assert ended.code == 1
        said = ended.stdout + ended.stderr
        assert "a40" in said
        assert "wrong user or password" in said
        assert "Traceback" not in said
        assert "hunter2" not in said


def test_check_says_what_each_camera_is(tmp_path: Path, home: Path, street: Path, street_clip: Path) -> None:
    with RtspServer({"a40": Mount((street,))}) as server:
        path = camera_file(
            tmp_path,
            {"id": "live", "uri": server.url("a40")},
            {"id": "gone", "uri": server.url("nothing-here")},
            {"id": "clip", "uri": f"file://{street_clip}"},
        )
        outcome = Command("check", path, "--json", home=home).finish()
    assert outcome.code == 1
    live, gone, clip = outcome.json
    assert (live["codec"], live["width"], live["height"], live["fps"]) == ("h264", 352, 288, 25)
    assert "404" in gone["problem"]
    assert clip["ok"]


@pytest.fixture(autouse=True)
def _no_ray_is_left_behind(home: Path) -> Iterator[None]:
    yield
    wait_for(lambda: not ray_processes(home), 30)
