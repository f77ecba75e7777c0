"""A Ray cluster of this machine alone, started for one command and stopped with it."""

import contextlib
import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from streetloop.errors import ClusterError, ConfigError

_log = logging.getLogger(__name__)

_SOCKET = "/ray/session_2026-01-31_12-00-00_123456_4194304/sockets/plasma_store"
_MAX_TEMPORARY = 107 - len(_SOCKET)  # bytes that a socket's path leaves
_OBJECT_STORE_BYTES = 512 * 2**20  # batches are freed as soon as they are answered


@contextlib.contextmanager
def local_ray(metrics_port: int | None = None, http_port: int | None = None) -> Iterator[None]:
    """Start a Ray cluster for the ``with`` block, never join one that runs here already.

    It listens on loopback and asks its clients for a token, which Ray makes itself. Sets
    environment variables of this process, which the workers inherit.

    Args:
        metrics_port: TCP port where Prometheus finds the metrics; None for a free port.
        http_port: TCP port on which the replica of a deployment answers HTTP itself, without
            Serve's proxy, which costs a request 8 ms; None for no HTTP.

    Raises:
        ConfigError: Ray's temporary folder cannot be used.
        ClusterError: Ray did not start, twice.
    """
    refuse_bad_temporary_folder(os.environ)
    if not _keeps_token(os.environ):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    # gRPC tells every fork on the terminal that it does nothing about it.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Ray reads these when it is first imported, and its workers inherit them.
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
    if http_port is not None:
        os.environ["RAY_SERVE_ENABLE_DIRECT_INGRESS"] = "1"
        os.environ["RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT"] = str(http_port)
        os.environ["RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT"] = str(http_port + 1)
    import ray
    import ray.serve

    _start(metrics_port)
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()


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


def _start(metrics_port: int | None) -> None:
    """Start Ray; once more if one of its processes died at its start, as now and then it does."""
    import ray

    for left in (1, 0):
        try:
            ray.init(
                address="local",
                include_dashboard=False,
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
            return
