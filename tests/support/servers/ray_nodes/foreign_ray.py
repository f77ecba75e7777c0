"""A Ray that somebody else started, by ``ray start``, on ports of its own; also of several nodes.

Nodes of one machine have loopback addresses of their own.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.support.servers.ports import free_port

_MARK, _NODE = "STREETLOOP_FOREIGN_RAY", "STREETLOOP_FOREIGN_NODE"
_PATIENCE_S = 120.0
_ALONE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


class ForeignRay:
    """Starts it; `close` ends every process of it and no other.

    Args:
        token: What it asks its clients for; None for nothing.
        dashboard: Whether it has one, which takes submitted jobs.
        host: Address of its head.
        storage: ``HOST:PORT`` of a Redis that keeps what the head must not forget, None for its own
            memory.

    Attributes:
        address: ``HOST:PORT`` of its head.
        dashboard: Address of its dashboard.
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        dashboard: bool = False,
        host: str = "127.0.0.1",
        storage: str | None = None,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sl-ray-", dir="/tmp"))  # sockets want short paths
        port, dashboard_port = free_port(), free_port()
        self.address, self.dashboard = f"{host}:{port}", f"http://127.0.0.1:{dashboard_port}"
        security = {"RAY_AUTH_MODE": "disabled"}
        if token is not None:
            security = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
        environment = {
            **os.environ,
            **security,
            _MARK: str(self._folder),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_raylet_start_wait_time_s": "120",  # a busy machine
            # As cluster.yaml has them: a node that vanished is noticed within 6 seconds.
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_timeout_ms": "1000",
            "RAY_health_check_failure_threshold": "5",
            **({} if storage is None else {"RAY_REDIS_ADDRESS": storage}),
        }
        self._environment = environment
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}
        self._head = (
            *("--head", f"--port={port}", f"--ray-client-server-port={free_port()}"),
            f"--include-dashboard={str(dashboard).lower()}",
            *(f"--dashboard-port={dashboard_port}", f"--dashboard-agent-listen-port={free_port()}"),
        )
        # Ray starts no second head where it sees processes of the first: a head that may be started
        # again sees its own alone.
        self._alone = () if storage is None else _ALONE
        self._start(host, *self._head, before=self._alone)

    def start_head(self) -> None:
        """Start the head again, once it was killed by `kill_node`."""
        host = self.address.partition(":")[0]
        self._start(host, *self._head, before=self._alone)

    def add_node(self, **resources: float) -> str:
        """Start another node; its address.

        Args:
            resources: What it has besides its cores.
        """
        address = f"127.0.0.{len(self._nodes) + 1}"
        self._start(address, f"--address={self.address}", f"--resources={json.dumps(resources)}")
        return address

    def add_remote(self, address: str, prefix: Sequence[str]) -> None:
        """Start a node on another host, by commands that begin with ``prefix``."""
        self._start(address, f"--address={self.address}", before=prefix)

    def kill_node(self, address: str) -> None:
        """Have a node vanish with all that runs on it."""
        _kill(self._processes(_NODE, address))

    def _start(self, address: str, *options: str, before: Sequence[str] = ()) -> None:
        path = self._folder / f"{address}.log"
        with path.open("w") as log:
            process = self._nodes[address] = subprocess.Popen(
                [
                    *before,
                    *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *options),
                    *(f"--node-ip-address={address}", "--num-cpus=4", "--object-store-memory=200000000"),
                    *("--min-worker-port=0", "--max-worker-port=0", f"--temp-dir={self._folder}"),
                ],
                env={**self._environment, _NODE: address},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end, tick = time.monotonic() + _PATIENCE_S, threading.Event()
        while "Ray runtime started" not in path.read_text():
            if process.poll() is not None or time.monotonic() > end:
                said = path.read_text()
                self.close()
                raise AssertionError(f"Ray did not start: {said}")
            tick.wait(0.1)

    def processes(self) -> dict[str, psutil.Process]:
        """Its processes by title, such as ``ray::StreamWorker``."""
        found = {}
        for process in self._processes(_MARK, str(self._folder)):
            with contextlib.suppress(psutil.Error):
                found[" ".join(process.cmdline())] = process
        return found

    def ids(self, title: str) -> set[int]:
        """Ids of the processes whose titles begin so."""
        found = set()
        for process in self._processes(_MARK, str(self._folder)):
            with contextlib.suppress(psutil.Error):
                if " ".join(process.cmdline()).startswith(title):
                    found.add(process.pid)
        return found

    def titles(self, address: str) -> list[str]:
        """Titles of the processes of one node."""
        found = []
        for process in self._processes(_NODE, address):
            with contextlib.suppress(psutil.Error):
                found.append(" ".join(process.cmdline()))
        return found

    def _processes(self, variable: str, value: str) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                environment = process.environ()
                if environment.get(_MARK) == str(self._folder) and environment.get(variable) == value:
                    found.append(process)
        return found

    def busy(self) -> list[str]:
        """Titles of the processes that work for somebody."""
        return [
            title
            for title in self.processes()
            if title.startswith("ray::") and not title.startswith(("ray::IDLE", "ray::Dash", "ray::Runtime"))
        ]

    def close(self) -> None:
        """End it."""
        _kill(self._processes(_MARK, str(self._folder)))
        for process in self._nodes.values():
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, timeout=20)
