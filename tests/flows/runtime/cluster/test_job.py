"""A command is submitted as a job of a Ray."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs.cli import camera_file
from tests.support.servers.ray_nodes.foreign_ray import ForeignRay

pytestmark = pytest.mark.ray

STREET = {"id": "crossing", "uri": "sim://kingsport/crossing?size=320x192", "fps": 5}


def test_a_submitted_command_joins_the_ray_of_the_job(tmp_path: Path) -> None:
    variables = {"STREETLOOP_HOME": str(tmp_path / "home"), "STREETLOOP_LOG_FORMAT": "text"}
    environment = {"env_vars": variables}
    ray = ForeignRay(dashboard=True)
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "ray.scripts.scripts", "job", "submit"),
                *(f"--address={ray.dashboard}", f"--runtime-env-json={json.dumps(environment)}", "--"),
                *(sys.executable, "-m", "flows.cli.main", "run", camera_file(tmp_path, STREET)),
                *("--duration", "8", "--json"),
            ],
            capture_output=True,
            text=True,
            timeout=290,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        port = ray.address.rpartition(":")[2]  # a job knows the head by another name
        assert re.search(rf"joining the Ray at [\d.]+:{port} ", done.stdout), done.stdout
        assert list(tmp_path.glob("home/store/frames/**/*.parquet"))
    finally:
        ray.close()
