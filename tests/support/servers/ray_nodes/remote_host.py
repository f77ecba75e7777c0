"""A host of its own on this machine: a network namespace, whose cable can be pulled."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

_BRIDGE, _NAMESPACE = "sl-bridge", "sl-remote"
HERE, THERE = "10.213.7.1", "10.213.7.2"
"""Addresses of this machine and of the other host, on the network between them."""


class RemoteHost:
    """The host, and the network that leads to it.

    What listens on this machine's loopback is reached from there by `reach`.

    Attributes:
        prefix: What a command begins with that is to run there.
    """

    prefix = ("ip", "netns", "exec", _NAMESPACE)

    def __init__(self) -> None:
        self._doors: list[socket.socket] = []

    def plug_in(self) -> None:
        """Make it, in the place of what a test that was killed has left."""
        _remove()
        for command in (
            f"ip link add name {_BRIDGE} type bridge",
            f"ip netns add {_NAMESPACE}",
            f"ip link add sl-here type veth peer name sl-there netns {_NAMESPACE}",
            f"ip addr add {HERE}/24 dev {_BRIDGE}",
            f"ip link set {_BRIDGE} up",
            "ip link set sl-here up",
            f"ip -n {_NAMESPACE} addr add {THERE}/24 dev sl-there",
            f"ip -n {_NAMESPACE} link set sl-there up",
            f"ip -n {_NAMESPACE} link set lo up",
        ):
            _do(command)
        self.join()

    def cut(self) -> None:
        """Pull the cable: what is sent either way vanishes without a word."""
        _do("ip link set sl-here nomaster")

    def join(self) -> None:
        """Plug it in."""
        _do(f"ip link set sl-here master {_BRIDGE}")

    def reach(self, port: int) -> str:
        """``HOST:PORT`` at which both hosts reach what listens on this machine's loopback."""
        door = socket.create_server((HERE, port))
        self._doors.append(door)
        threading.Thread(target=_welcome, args=(door, port), daemon=True).start()
        return f"{HERE}:{port}"

    def close(self) -> None:
        """Remove it."""
        for door in self._doors:
            door.close()
        _remove()


@pytest.fixture(scope="module")
def remote_host() -> Iterator[RemoteHost]:
    """One of the module; skipped where no namespace may be made."""
    require_namespaces()
    if shutil.which("ip") is None:
        pytest.skip("a network namespace needs the program ip (iproute2)")
    host = RemoteHost()
    try:
        host.plug_in()
        yield host
    finally:
        host.close()


def require_namespaces() -> None:
    """Skip a test that needs namespaces of processes or of the network where none may be made."""
    if os.geteuid() or not _may("unshare --net --pid --fork --mount-proc true"):
        pytest.skip("namespaces need root")


def _welcome(door: socket.socket, port: int) -> None:
    """Join every caller with the port on loopback."""
    with contextlib.suppress(OSError):
        while True:
            caller, _ = door.accept()
            try:
                server = socket.create_connection(("127.0.0.1", port))
            except OSError:
                caller.close()
                continue
            for one, other in ((caller, server), (server, caller)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _remove() -> None:
    """Remove the host, whatever still runs there."""
    left = subprocess.run(
        ["ip", "netns", "pids", _NAMESPACE], check=False, capture_output=True, text=True
    ).stdout
    for process in left.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)
    for command in (f"ip netns del {_NAMESPACE}", "ip link del sl-here", f"ip link del {_BRIDGE}"):
        _may(command)


def _may(command: str) -> bool:
    return subprocess.run(command.split(), check=False, capture_output=True).returncode == 0


def _do(command: str) -> None:
    done = subprocess.run(command.split(), check=False, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{command}: {done.stderr.strip()}")
