"""A real nginx: a proxy before the app, or an RTMP server."""

import contextlib
import functools
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.stream_flow.fakes import eventually

_PROGRAM = shutil.which("nginx", path=f"/usr/sbin:{os.environ.get('PATH', '')}")
_RTMP = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
_START_S, _END_S = 20.0, 10.0


@functools.cache
def missing() -> str | None:
    """What this machine lacks, as a sentence; None if it has all."""
    if _PROGRAM and _RTMP.exists() and shutil.which("openssl"):
        return None
    return "the tests of nginx need the Debian packages that .ci/run lists"


class Nginx:
    """It runs from `start` to `kill`, and may be started again.

    Args:
        folder: Where it keeps what it needs.
        blocks: The configuration's ``http`` or ``rtmp`` block.
        port: Where it will listen.
    """

    def __init__(self, folder: Path, blocks: str, port: int) -> None:
        self._folder, self._port = folder, port
        self._config = folder / "nginx.conf"
        self._config.write_text(
            f"load_module {_RTMP};\ndaemon off;\nmaster_process off;\npid {folder}/nginx.pid;\n"
            f"error_log {folder}/error.log;\nevents {{ worker_connections 256; }}\n{blocks}"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when it listens."""
        assert _PROGRAM
        command = [_PROGRAM, "-p", str(self._folder), "-c", str(self._config)]
        with (self._folder / "said.txt").open("ab") as said:
            self._process = subprocess.Popen(command, stdout=said, stderr=said)
        eventually(self._listens, _START_S, why="nginx did not start")

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "said.txt").read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
            return True
        return False

    def kill(self) -> None:
        """Kill it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_END_S)
            self._process = None


@contextlib.contextmanager
def running(folder: Path, blocks: str, port: int) -> Iterator[Nginx]:
    """An nginx for the ``with`` block."""
    server = Nginx(folder, blocks, port)
    server.start()
    try:
        yield server
    finally:
        server.kill()
