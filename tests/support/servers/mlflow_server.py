"""A real MLflow server that can go away and come back."""

import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.servers.ports import free_port

_PATIENCE = 400


class MlflowServer:
    """A server with a home of its own.

    Attributes:
        url: Where it listens, also after a restart.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{free_port()}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._home.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            "--host",
            "127.0.0.1",
            "--port",
            str(urlsplit(self.url).port),
            "--workers",
            "1",
            "--backend-store-uri",
            f"sqlite:///{self._home / 'mlflow.db'}",
            "--artifacts-destination",
            str(self._home / "artifacts"),
        ]
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (self._home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        never = threading.Event()
        for _ in range(_PATIENCE):
            if self._answers():
                return
            never.wait(0.25)
        raise AssertionError("MLflow did not come up")

    def stop(self) -> None:
        """Go away at once."""
        if self._process is not None:
            os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False
