"""A Ray cluster of this machine alone, started for one command and stopped with it."""

import contextlib
import logging
import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.runtime.cluster.ray_processes import kill_marked, marked_processes
from streetloop.errors import ClusterError, ConfigError

_log = logging.getLogger(__name__)

_SOCKET = "/ray/session_2026-01-31_12-00-00_123456_4194304/sockets/plasma_store"
_MAX_TEMPORARY = 107 - len(_SOCKET)  # bytes that a socket's path leaves
_LEAVE_S = 30.0
_OBJECT_STORE_BYTES = 512 * 2**20  # batches are freed as soon as they are answered


@contextlib.contextmanager
def local_ray(
    metrics_port: int | None = None,
    http_port: int | None = None,
    *,
    dashboard: bool = False,
    patience_s: Callable[[], float] = lambda: _LEAVE_S,
) -> Iterator[str | None]:
    """Start a Ray cluster for the ``with`` block, never join one that runs here already.

    It listens on loopback and asks its clients for a token, which Ray makes itself. Sets
    environment variables of this process, which the workers inherit.

    Args:
        metrics_port: TCP port where Prometheus finds the metrics; None for a free port.
        http_port: TCP port on which the replica of a deployment answers HTTP itself, without
            Serve's proxy, which costs a request 8 ms; None for no HTTP.
        dashboard: Whether Ray's dashboard is served, on loopback.
        patience_s: Asked at the end; a Ray that has not ended after so many seconds is killed.

    Returns:
        Where the dashboard is; None if there is none.

    Raises:
        ConfigError: Ray's temporary folder cannot be used.
        ClusterError: Ray did not start, twice.
    """
    refuse_bad_temporary_folder(os.environ)
    if not _keeps_token(os.environ):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    _set_environment(http_port)
    import ray
    import ray.serve  # noqa: F401 - makes its logger, whose level is set below

    with marked_processes(os.environ), _hangup_blocked():
        shown_at = _start(metrics_port, dashboard)
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    try:
        yield shown_at
    finally:
        leave_ray(patience_s())


@contextlib.contextmanager
def _hangup_blocked() -> Iterator[None]:
    """Keep a terminal that is closed from ending processes that are started meanwhile.

    It tells all of its process group, and Ray would be gone before what it holds is written.
    Processes inherit what is blocked; this one gets a SIGHUP that has come meanwhile at the end.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _set_environment(http_port: int | None) -> None:
    """Set what Ray reads when it is first imported, and its workers inherit."""
    # gRPC tells every fork on the terminal that it does nothing about it.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ["RAY_AUTH_MODE"] = "token"
    # A thread that asks once more after the end must not start another Ray, open to everybody.
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_SERVE_LOG_TO_STDERR", "0")
    # Looking after two deployments ten times a second costs two cores 1 % of their time.
    os.environ.setdefault("RAY_SERVE_CONTROL_LOOP_INTERVAL_S", "0.5")
    # Ray would put whatever else runs here before its workers, which detect; what may wait, such as
    # a training, steps back by itself.
    os.environ.setdefault("RAY_worker_niceness", "0")
    # A worker decodes on many threads; with an arena each, glibc keeps what they free apart.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    # Nobody takes this machine away from under a training, and the actor that would look out for it
    # costs a start two seconds of a core.
    os.environ.setdefault("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")
    # A worker looks so often whether its Ray still lives; it writes out what it holds before.
    os.environ.setdefault("RAY_raylet_death_check_interval_milliseconds", "6000")
    if http_port is not None:
        os.environ["RAY_SERVE_ENABLE_DIRECT_INGRESS"] = "1"
        os.environ["RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT"] = str(http_port)
        os.environ["RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT"] = str(http_port + 1)


def leave_ray(patience_s: float = _LEAVE_S) -> None:
    """Leave Ray, and end what this command started of it.

    Args:
        patience_s: A Ray that has not ended after so many seconds is killed.
    """
    import ray

    leaving = threading.Thread(target=ray.shutdown, name="leaving Ray", daemon=True)
    leaving.start()
    leaving.join(patience_s)
    if leaving.is_alive():
        _log.warning("Ray does not end, and is killed")
    kill_marked()


def exporter_address() -> str | None:
    """Host and port where Ray shows its own metrics; None if it shows none."""
    import ray

    here = ray.get_runtime_context().get_node_id()
    for node in ray.nodes():  # type: ignore[no-untyped-call]
        if node["NodeID"] == here and node.get("MetricsExportPort"):
            return f"{node['NodeManagerAddress']}:{node['MetricsExportPort']}"
    return None


def _keeps_token(environ: Mapping[str, str]) -> bool:
    """True if Ray has a token, or can write one into the user's home, as it does by default."""
    if {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & environ.keys():
        return True
    folder = Path.home() / ".ray"
    return os.access(folder if folder.exists() else folder.parent, os.W_OK | os.X_OK)


def refuse_bad_temporary_folder(environ: Mapping[str, str]) -> None:
    """Refuse a folder that cannot hold Ray's sockets.

    Args:
        environ: The environment of the process; RAY_TMPDIR is read before TMPDIR, as Ray does.

    Raises:
        ConfigError: It cannot be written, or its path is too long; the message names the variable.
    """
    name = next((name for name in ("RAY_TMPDIR", "TMPDIR") if environ.get(name)), None)
    if name is None:
        return
    folder = environ[name]
    length = len(os.fsencode(folder))
    if length > _MAX_TEMPORARY:
        raise ConfigError(
            f"{name}: a path of {length} bytes is too long for Ray's sockets, which leave it "
            f"{_MAX_TEMPORARY}; set RAY_TMPDIR=/tmp"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{name}: {folder} cannot be written; name another folder, as RAY_TMPDIR=/tmp")


def _start(metrics_port: int | None, dashboard: bool) -> str | None:
    """Start Ray; once more if one of its processes died at its start, as now and then it does."""
    import ray

    for left in (1, 0):
        try:
            context: Any = ray.init(
                address="local",
                include_dashboard=dashboard,
                dashboard_host="127.0.0.1",
                object_store_memory=_OBJECT_STORE_BYTES,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _node_ip_address="127.0.0.1",
                _metrics_export_port=metrics_port,
            )
        except Exception as error:
            # The boundary of a process that is not ours: Ray raises plain exceptions here.
            ray.shutdown()
            if not left:
                raise ClusterError(
                    f"Ray did not start on this machine: {error}; it keeps its logs in /tmp/ray"
                ) from error
            _log.warning("Ray did not start, and is started again: %s", error)
        else:
            return url_of(context)
    return None


def url_of(context: Any) -> str | None:
    """Where a Ray's dashboard is; `context` is what `ray.init` gave."""
    found = getattr(context, "dashboard_url", None)
    return f"http://{found}" if found else None
