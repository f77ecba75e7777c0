"""The process of a local server: recorded in a file, found again, awaited, stopped."""

import contextlib
import http.client
import json
import socket
import time
from pathlib import Path

import psutil

from streetloop.errors import LabelerError
from streetloop.host.files import PRIVATE, write_whole

HOST = "127.0.0.1"
"""Address to listen on: loopback only."""

_PROGRAM = "label-studio"
_START_S = 240.0  # the first start creates the database: 40 s on two idle cores
_STOP_S = 10.0
_PORT_S = 3.0  # the sockets of a killed process outlive it
_POLL_S = 0.2


def note_running(file: Path, process: psutil.Process, port: int) -> None:
    """Record a process and its port.

    Args:
        file: Where it is recorded.
        process: The process.
        port: Its port.
    """
    noted = {"pid": process.pid, "created": process.create_time(), "port": port}
    write_whole(file, json.dumps(noted), PRIVATE)


def find_running(file: Path) -> tuple[psutil.Process, int] | None:
    """The recorded process and its port, if it still runs.

    Process ids are reused: start time and program must match, too.
    """
    try:
        noted = json.loads(file.read_text())
        process, port = psutil.Process(int(noted["pid"])), int(noted["port"])
        same = abs(process.create_time() - float(noted["created"])) < 1.0
        ours = any(_PROGRAM in part for part in process.cmdline())
        dead = process.status() == psutil.STATUS_ZOMBIE
    except (OSError, ValueError, KeyError, TypeError, OverflowError, psutil.Error):
        return None
    return (process, port) if same and ours and not dead else None


def require_free_port(port: int) -> None:
    """Bind a port once; waits a moment for a process that is just ending.

    Args:
        port: On the loopback address.

    Raises:
        OSError: Another process uses it.
        OverflowError: The number is not a port.
    """
    deadline = time.monotonic() + _PORT_S
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                return probe.bind((HOST, port))
            except OSError:
                if time.monotonic() > deadline:
                    raise
        time.sleep(_POLL_S)


def wait_until_healthy(process: psutil.Process, port: int, log: Path) -> None:
    """Wait until the server answers.

    Args:
        process: The server.
        port: Its port.
        log: Its log, which the error names.

    Raises:
        LabelerError: The process ended, or did not answer in time.
    """
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if not _is_alive(process):
            raise LabelerError(f"Label Studio ended while it started; {log} may say why")
        if _is_healthy(port):
            return
        time.sleep(_POLL_S)
    raise LabelerError(f"Label Studio does not answer after {_START_S:.0f} s; see {log}")


def end(process: psutil.Process) -> None:
    """Terminate a process, and kill it if that takes too long."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(_STOP_S)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(_STOP_S)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
