"""`ray up cluster.yaml` on a host over SSH: a job detects, and `ray down` leaves nothing."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.programs.cli import Command, camera_file
from tests.support.rollout import wait_for
from tests.support.servers import ssh_host
from tests.support.servers.ports import free_port
from tests.support.servers.ssh_host import SshHost

pytestmark = pytest.mark.ray

ROOT = Path(__file__).resolve().parents[4]
STREET = {"id": "crossing", "uri": "sim://kingsport/crossing?size=320x192", "fps": 5}
TOKEN = "c0de" * 16


@pytest.fixture(scope="module")
def host() -> Iterator[SshHost]:
    host = ssh_host.start()
    yield host
    host.close()


class _Cluster:
    """cluster.yaml with a host filled in, and ports that are free on this machine.

    The environment of the tests stands for the one that `setup_commands` make on a host.
    """

    def __init__(self, host: SshHost, folder: Path) -> None:
        self.dashboard = f"http://127.0.0.1:{free_port()}"
        self._port = free_port()
        self.path = folder / "cluster.yaml"
        self.path.write_text(yaml.safe_dump(self._configured(host)))
        self._environment = {
            **os.environ,
            "HOME": str(folder),  # of the person who starts it
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": TOKEN,
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        (folder / ".ray").mkdir()
        (folder / ".ray" / "auth_token").write_text(TOKEN)
        (host.home / "streetloop-venv").symlink_to(sys.prefix)
        (host.home / ".bash_profile").write_text("export PATH=~/streetloop-venv/bin:$PATH\n")

    def _configured(self, host: SshHost) -> dict[str, Any]:
        text = (ROOT / "cluster.yaml").read_text()
        dashboard = self.dashboard.rpartition(":")[2]
        ports = f"--port={self._port} --dashboard-port={dashboard} --ray-client-server-port={free_port()}"
        ports += f" --dashboard-agent-listen-port={free_port()} --min-worker-port=0 --max-worker-port=0"
        ports += f" --num-cpus=4 --object-store-memory=200000000 --temp-dir={host.home}/r"
        cluster: dict[str, Any] = yaml.safe_load(text.replace("--port=6379 ", f"{ports} "))
        assert cluster["setup_commands"].pop().split()[1] == "install"
        return cluster | {
            "cluster_name": f"streetloop-{self._port}",
            "provider": {"type": "local", "head_ip": "127.0.0.1", "worker_ips": []},
            "auth": host.auth,
            "max_workers": 0,
            "file_mounts": cluster["file_mounts"] | {"~/streetloop": str(ROOT / "streetloop")},
        }

    def ray(self, *arguments: str) -> str:
        """What a command of Ray prints."""
        done = subprocess.run(
            [sys.executable, "-m", "ray.scripts.scripts", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def up(self) -> None:
        """Start it."""
        self.ray("up", "--yes", "--no-config-cache", str(self.path))

    def down(self) -> None:
        """End it."""
        self.ray("down", "--yes", str(self.path))

    def submit(self, *command: str, **variables: str) -> str:
        """Have it run a command as a job; what that prints."""
        environment = json.dumps({"env_vars": variables})
        submit = ("job", "submit", f"--address={self.dashboard}", f"--runtime-env-json={environment}")
        return self.ray(*submit, "--", *command)

    def version(self) -> dict[str, Any]:
        """What its dashboard answers."""
        request = urllib.request.Request(
            f"{self.dashboard}/api/version", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(json.load(answer))


def _checks(path: Path, home: Path) -> dict[str, tuple[bool, str]]:
    """What `doctor` finds of the host, before Ray is there."""
    done = Command("doctor", "--cluster", str(path), "--json", home=home).finish()
    assert done.code == (0 if all(check["ok"] for check in done.json) else 1), done.stderr
    return {check["check"]: (check["ok"], check["text"]) for check in done.json}


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        pytest.param({"ssh_private_key": "other"}, "is refused with", id="key"),
        pytest.param({"ssh_proxy_command": "nc 127.0.0.1 1"}, "cannot be reached", id="address"),
    ],
)
def test_a_host_that_ray_up_could_not_use_is_said(
    wrong: dict[str, str], text: str, host: SshHost, tmp_path: Path
) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    auth = {name: str(tmp_path / value) if value == "other" else value for name, value in wrong.items()}
    path = tmp_path / "cluster.yaml"
    provider = {"type": "local", "head_ip": "127.0.0.1"}
    path.write_text(yaml.safe_dump({"provider": provider, "auth": host.auth | auth}))
    checks = _checks(path, tmp_path / "home")
    assert list(checks) == ["ssh"]
    assert not checks["ssh"][0]
    assert text in checks["ssh"][1]


def test_a_cluster_comes_up_detects_and_goes(host: SshHost, tmp_path: Path) -> None:
    cluster = _Cluster(host, tmp_path)
    checks = _checks(cluster.path, tmp_path / "home")
    assert list(checks) == ["ssh", "python", "rsync", "path"]
    assert all(ok for ok, _ in checks.values()), checks
    cluster.up()
    assert cluster.version()["ray_version"]
    assert any("gcs_server" in line for line in host.processes())
    cameras = camera_file(tmp_path, STREET)
    cluster.submit(
        *("streetloop", "run", cameras, "--duration", "8"),
        PYTHONPATH=str(ROOT),
        STREETLOOP_HOME=str(tmp_path / "home"),
        PATH=f"{host.home}/streetloop-venv/bin:{os.environ['PATH']}",
    )
    assert list(tmp_path.glob("home/store/detections/**/*.parquet"))
    cluster.down()
    wait_for(lambda: not host.processes(), "nothing of it is left", 30.0, 0.5)
