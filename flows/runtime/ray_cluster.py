"""A Ray cluster of this machine alone, started for one command and stopped with it."""

import contextlib
import logging
import os
from collections.abc import Iterator

from streetloop.errors import ClusterError

_log = logging.getLogger(__name__)

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
        ClusterError: Ray did not start, twice.
    """
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
