"""The checks of one node; run on it, in a process of Ray or of the command."""

import os
import platform
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from streetloop.errors import StreetloopError
from streetloop.settings import Settings
from streetloop.sqlite_url import sqlite_path
from streetloop.storage.local_state import TO_A_BUCKET, TO_A_SERVER
from streetloop.storage.open import open_store

_TIMEOUT_S = 5.0
_MIN_DISK_BYTES = 2 * 2**30
_MIN_SHARED_BYTES = 2**30
_MAX_CLOCK_S = 1.0
_PORTS = {"http": 80, "https": 443, "postgresql": 5432}


@dataclass(frozen=True, slots=True)
class NodeCheck:
    """What one look at a node found.

    Attributes:
        node: Name of the node.
        check: What was looked at, such as ``python`` or ``ledger``.
        ok: False if it will not work.
        text: What was found.
        cure: What to do; empty if it is fine.
    """

    node: str
    check: str
    ok: bool
    text: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the command has, with which a node is compared.

    Attributes:
        python: Version of Python.
        ray: Version of Ray.
        streetloop: Version of streetloop.
        gpus: GPUs that Ray counts on the node.
        is_alone: True if Ray has no other node.
    """

    python: str
    ray: str
    streetloop: str
    gpus: int
    is_alone: bool


def installed(package: str) -> str:
    """The version of a package here; ``none`` if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def check_node(settings: Settings, expected: Expected, node: str) -> list[NodeCheck]:
    """Look at the machine of this process.

    Args:
        settings: Say which ledger, store, registry and labeler are to be reached. ``home`` is
            absolute.
        expected: What the command has.
        node: Name of the node.
    """
    looks: dict[str, Callable[[], tuple[bool, str, str]]] = {
        "python": lambda: _same("Python", platform.python_version(), expected.python),
        "ray": lambda: _same("Ray", installed("ray"), expected.ray),
        "streetloop": lambda: _streetloop(expected.streetloop),
        "gpu": lambda: _gpu(expected.gpus),
        "ledger": lambda: _database("STREETLOOP_LEDGER_URL", settings.ledger, expected.is_alone),
        "store": lambda: _store(settings, expected.is_alone),
        "registry": lambda: _database("STREETLOOP_TRACKING_URI", settings.tracking, expected.is_alone),
        "labeler": lambda: _labeler(settings),
        "disk": lambda: _disk(settings.home),
        "shared memory": _shared_memory,
    }
    return [NodeCheck(node, name, *look()) for name, look in looks.items()]


def check_clock(node: str, ahead_s: float, unsure_s: float) -> NodeCheck:
    """How the clock of a node differs from that of the command.

    Args:
        node: Its name.
        ahead_s: By how many seconds it is ahead.
        unsure_s: By how much that may be wrong: half of the time that asking took.
    """
    apart_s = max(0.0, abs(ahead_s) - unsure_s)
    text = f"{apart_s:.1f} s apart" if apart_s >= 0.1 else "the same within what was measured"
    cure = "" if apart_s <= _MAX_CLOCK_S else "synchronise the clocks, as by chrony"
    return NodeCheck(node, "clock", not cure, text, cure)


def _same(name: str, here: str, expected: str) -> tuple[bool, str, str]:
    if here == expected:
        return True, here, ""
    return False, f"{here}, and the command has {expected}", f"install {name} {expected} on this node"


def _streetloop(expected: str) -> tuple[bool, str, str]:
    here = installed("streetloop")
    if here == "none":
        return True, "not installed; its packages travel with each command", ""
    return _same("streetloop", here, expected)


def _gpu(counted: int) -> tuple[bool, str, str]:
    import torch

    usable = torch.cuda.device_count()
    if usable >= counted:
        return True, f"{usable} usable" if usable else "none", ""
    cure = "install the driver, and a PyTorch that was built for it"
    return False, f"Ray counts {counted}, and PyTorch can use {usable}", cure


def _database(variable: str, url: str, is_alone: bool) -> tuple[bool, str, str]:
    path = sqlite_path(url)
    if path is None:
        return _reach(variable, url)
    if not is_alone:
        return False, "SQLite in the home of one node", f"set {variable} {TO_A_SERVER}"
    return _writable(path.parent)


def _store(settings: Settings, is_alone: bool) -> tuple[bool, str, str]:
    url = settings.store_url or ""
    if not url.startswith("s3://"):
        if not is_alone:
            return False, "a folder of one node", f"set STREETLOOP_STORE_URL {TO_A_BUCKET}"
        return _writable(Path(url) if url else settings.store)
    try:
        next(iter(open_store(settings).keys("detections/")), None)
    except StreetloopError as error:
        return False, str(error), "check STREETLOOP_S3_ENDPOINT and the keys, and the network of this node"
    return True, f"{url} answers", ""


def _labeler(settings: Settings) -> tuple[bool, str, str]:
    if settings.label_studio_url is None:
        return True, "no other than that of this home", ""
    return _reach("STREETLOOP_LABEL_STUDIO_URL", settings.label_studio_url)


def _reach(variable: str, url: str) -> tuple[bool, str, str]:
    """Connect to the server of a URL, which may hold a password and is not shown."""
    parts = urlsplit(url)
    scheme = parts.scheme.partition("+")[0]
    host, port = parts.hostname or "", parts.port or _PORTS.get(scheme, 0)
    try:
        socket.create_connection((host, port), _TIMEOUT_S).close()
    except OSError as error:
        why = error.strerror or "no answer"
        return False, f"{host}:{port}: {why}", f"start it, correct {variable}, or open the way from this node"
    return True, f"{host}:{port} answers", ""


def _writable(folder: Path) -> tuple[bool, str, str]:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if os.access(there, os.W_OK | os.X_OK):
        return True, str(folder), ""
    return False, f"{there} cannot be written", "set STREETLOOP_HOME to a folder that this user may write"


def _disk(home: Path) -> tuple[bool, str, str]:
    there = next(parent for parent in (home, *home.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    text = f"{free / 2**30:.1f} GiB free on {there}"
    return free >= _MIN_DISK_BYTES, text, "" if free >= _MIN_DISK_BYTES else "free 2 GiB, or move the home"


def _shared_memory() -> tuple[bool, str, str]:
    free = min(_sizes(), default=0)
    text = f"{free / 2**30:.1f} GiB free in /dev/shm"
    enough = free >= _MIN_SHARED_BYTES
    return enough, text, "" if enough else "give it 1 GiB, as by `docker run --shm-size=2g`"


def _sizes() -> Iterator[int]:
    shared = Path("/dev/shm")
    if shared.is_dir():
        yield shutil.disk_usage(shared).free
