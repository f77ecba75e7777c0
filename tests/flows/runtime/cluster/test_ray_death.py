"""The real processes of Ray are killed while cameras run."""

import json
import re
import time
from pathlib import Path

import duckdb
import httpx
import psutil
import pytest

from tests.support.programs.cli import Command, camera_file, processes_of
from tests.support.rollout import wait_for
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from tests.support.servers.ports import free_port

pytestmark = pytest.mark.ray

STREET = {"id": "crossing", "uri": "sim://kingsport/crossing?size=320x192", "fps": 5}
WITHIN_S = 50  # ten seconds, on a machine that is five times slower


def titles(home: Path) -> dict[str, psutil.Process]:
    found = {}
    for process in processes_of(home):
        try:
            found[" ".join(process.cmdline())] = process
        except psutil.Error:
            continue
    return found


def scraped(home: Path) -> bool:
    """True once a frame was detected, as Prometheus would see it."""
    try:
        (targets,) = json.loads((home / "prometheus_targets.json").read_text())
        text = httpx.get(f"http://{targets['targets'][0]}/metrics", timeout=5).text
    except (OSError, ValueError, httpx.HTTPError):
        return False
    found = re.findall(r'^streetloop_frames_total{.*fate="detected".*} (\S+)$', text, re.MULTILINE)
    return any(float(value) > 0 for value in found)


@pytest.mark.parametrize("part", ["raylet", "gcs_server"])
def test_the_death_of_ray_ends_a_run_with_a_sentence(part: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = Command("run", camera_file(tmp_path, STREET), "--json", home=home)
    wait_for(lambda: any("StreamWorker" in title for title in titles(home)), "a worker", 200)
    wait_for(lambda: scraped(home), "frames are detected", 100)
    (process,) = [p for title, p in titles(home).items() if title.split(" ")[0].endswith(f"/{part}")]
    process.kill()
    began = time.monotonic()
    done = command.finish(WITHIN_S + 30)
    assert time.monotonic() - began < WITHIN_S
    assert done.code == 1
    problem = done.json["problems"][0]
    assert problem.startswith(f"Ray's {part} at ")
    assert problem.endswith(" died: the run has ended, and what had arrived is written")
    assert f"error: {problem}" in done.stderr
    assert not any(word in done.stderr for word in ("state-dump", "(raylet)", "gRPC", "Traceback"))
    wait_for(lambda: not processes_of(home), "nothing is left")
    (rows,) = duckdb.sql(f"SELECT count(*) FROM '{home}/store/frames/**/*.parquet'").fetchall()
    assert rows[0] > 0


def test_the_death_of_ray_ends_a_served_detector_with_a_sentence(tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    model = write_tiny_model(tmp_path / "tiny.onnx", detector_output((32, 32, 9, 9, 0, 0.9)))
    command = Command("serve", "--model", str(model), "--port", str(port), home=home)
    assert command.process.stderr is not None
    assert any(line.startswith("serving tiny-") for line in command.process.stderr)
    assert httpx.get(f"http://127.0.0.1:{port}/health", timeout=60).status_code == 200
    (process,) = [p for title, p in titles(home).items() if title.split(" ")[0].endswith("/raylet")]
    process.kill()
    began = time.monotonic()
    done = command.finish(WITHIN_S + 30)
    assert time.monotonic() - began < WITHIN_S
    assert done.code == 1
    assert re.search(r"error: Ray's raylet at \S+ died: nothing answers any more", done.stderr), done.stderr
    assert not any(word in done.stderr for word in ("state-dump", "(raylet)", "gRPC", "Traceback"))
    wait_for(lambda: not processes_of(home), "nothing is left")
