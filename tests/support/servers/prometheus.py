"""A real Prometheus for tests: Debian's."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.support.servers.ports import free_port
from tests.support.stream_flow.fakes import eventually

PROMTOOL = "promtool"
_START_S = 60.0


def missing() -> str | None:
    """What its tests lack here; None if nothing."""
    lacks = [name for name in ("prometheus", PROMTOOL) if shutil.which(name) is None]
    return f"the tests of Prometheus need the Debian package prometheus: no {lacks[0]}" if lacks else None


@dataclass
class Prometheus:
    """A running server.

    Attributes:
        url: Its address.
    """

    url: str

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The series of an instant query."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expr}, timeout=30, trust_env=False)
        document = answer.json()
        assert document["status"] == "success", f"{expr}: {document}"
        found: list[dict[str, Any]] = document["data"]["result"]
        return found

    def wait_for(self, expr: str, seconds: float = _START_S) -> list[dict[str, Any]]:
        """The series of an instant query once there are some."""
        found: list[dict[str, Any]] = []

        def answers() -> bool:
            found[:] = self.query(expr)
            return bool(found)

        eventually(answers, seconds, 0.2, f"nothing answers {expr}")
        return found


@contextmanager
def prometheus(folder: Path, targets: Path, rules: str | None = None) -> Iterator[Prometheus]:
    """A server that scrapes every two seconds.

    Args:
        folder: For its data.
        targets: The file of its service discovery.
        rules: Alert rules; None for none.
    """
    discovery = {"files": [str(targets)], "refresh_interval": "1s"}
    config = {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"},
        "scrape_configs": [{"job_name": "streetloop", "file_sd_configs": [discovery]}],
    }
    if rules is not None:
        (folder / "alerts.yaml").write_text(rules)
        config["rule_files"] = ["alerts.yaml"]  # type: ignore[assignment]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log,
            stderr=log,
            env={"PATH": os.environ["PATH"]},
        )
    try:
        eventually(lambda: _is_ready(process, port), _START_S, 0.05, "Prometheus did not start")
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait(60)


def _is_ready(process: "subprocess.Popen[bytes]", port: int) -> bool:
    assert process.poll() is None, "Prometheus has ended; see prometheus.log"
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/-/ready", timeout=2, trust_env=False)
    except httpx.TransportError:
        return False
    return answer.status_code == 200
