"""A real Redis for tests: where the head of a Ray keeps what it must not forget."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers.ports import free_port

_START_S = 30.0


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``HOST:PORT`` of an empty one; skips where there is none, but in CI."""
    program = shutil.which("redis-server")
    if program is None:
        lack = "the test of a head that is restarted needs Debian's redis-server"
        if os.environ.get("CI"):
            pytest.fail(lack)
        pytest.skip(lack)
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)],
            stdout=log,
            stderr=log,
        )
    try:
        _wait(port, folder / "log")
        yield f"127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _wait(port: int, log: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(16).startswith(b"+PONG"):
                    return
        except OSError:
            continue
    raise AssertionError(f"Redis did not start: {log.read_text()}")
