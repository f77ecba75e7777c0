"""Joins a Ray that runs already, and leaves it as it was."""

import contextlib
import logging
import os
import socket
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ray
import ray.serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

from flows.runtime.cluster.ray_address import RayAddress
from flows.runtime.ray_cluster import leave_ray, url_of
from serve.detector.deployment import cause_of
from serve.rollout.route_table import CHALLENGER, CHAMPION
from serve.web.web_app import WEB_APP
from streetloop.errors import ClusterError, ConfigError
from train.ray_placement import NAMESPACE

_log = logging.getLogger(__name__)

_PACKAGES = ("streetloop", "labeling", "drift", "train", "serve", "flows", "models")
DETACHED = "control-plane"
"""Name of the actor in which a detached session lives."""

_LEASE = "run"
_LEASE_S = 5.0
_OF_WORKERS = {
    # As `local_ray` sets them, with the reasons.
    "GRPC_ENABLE_FORK_SUPPORT": "0",
    "GRPC_VERBOSITY": "NONE",
    "MALLOC_ARENA_MAX": "2",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
}


@contextlib.contextmanager
def joined_ray(address: RayAddress, *, serves: bool, patience_s: Callable[[], float]) -> Iterator[str | None]:
    """Join a Ray for the ``with`` block; it goes on afterwards, without anything of ours.

    The packages of streetloop travel to the nodes, where they need not be installed; their
    dependencies do.

    Args:
        address: The Ray, which has answered. This machine is one of its nodes.
        serves: Whether Serve applications are started, which one command at a time may do.
        patience_s: Asked at the end: how many seconds leaving may take.

    Returns:
        Where its dashboard is; None if it has none.

    Raises:
        ConfigError: This machine is no node of it, or another streetloop serves there.
        ClusterError: It does not take the command in.
    """
    shown_at = _connect(address)
    try:
        lease = _take_lease() if serves else None
        with serve_left_as_found() if serves else contextlib.nullcontext():
            yield shown_at
        del lease
    finally:
        leave_ray(patience_s())


def _connect(address: RayAddress) -> str | None:
    try:
        context: Any = ray.init(
            address=address.text,
            namespace=NAMESPACE,
            runtime_env={
                "py_modules": [_folder_of(name) for name in _PACKAGES],
                "excludes": ["**/__pycache__/**"],
                "env_vars": _OF_WORKERS,
            },
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except Exception as error:
        # The boundary of a process that is not ours: Ray raises plain exceptions here.
        ray.shutdown()
        if "local Raylet" in str(error) or "node_ip_address.json" in str(error):
            raise ConfigError(
                f"--address {address.text}: this machine is no node of that Ray; join it by "
                f"`ray start --address={address.text}`, or submit the command by `ray job submit`"
            ) from error
        raise ClusterError(f"the Ray at {address.text} cannot be joined: {_first_line(error)}") from error
    for name in ("ray", "ray.serve"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return url_of(context)


def _folder_of(package: str) -> str:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ClusterError(f"the package {package} is not installed as files, and cannot travel to the nodes")
    return str(Path(next(iter(spec.submodule_search_locations))))


class _Lease:
    """An actor that lives as long as the command which holds it.

    Args:
        holder: Says who that is.
    """

    def __init__(self, holder: str) -> None:
        self._holder = holder

    def holder(self) -> str:
        """Who holds it."""
        return self._holder


def _take_lease() -> Any:
    """The right to serve on this Ray.

    Raises:
        ConfigError: Another command has it; the message names that.
        ClusterError: Ray starts none of our processes.
    """
    me = f"process {os.getpid()} on {socket.gethostname()}"
    refuse_detached()
    try:
        lease: Any = ray.remote(_Lease).options(name=_LEASE, num_cpus=0).remote(me)
        ray.get(lease.holder.remote())
    except ValueError:
        raise ConfigError(
            f"another streetloop runs on this Ray ({_holder()}): stop it, or use another Ray"
        ) from None
    except RayError as error:
        raise ClusterError(f"Ray starts no process of ours: {_first_line(error)}") from error
    return lease


def refuse_detached() -> None:
    """Refuse a Ray on which a detached streetloop runs.

    Raises:
        ConfigError: One does.
    """
    if DETACHED in {actor["name"] for actor in ray.util.list_named_actors(all_namespaces=True)}:
        raise ConfigError(
            "a detached streetloop runs on this Ray: watch it by `streetloop attach`, end it by "
            "`streetloop down`, or use another Ray"
        )


def refuse_attached() -> None:
    """Refuse a Ray on which another command serves.

    Raises:
        ConfigError: One does; the message names it.
    """
    if _LEASE in {actor["name"] for actor in ray.util.list_named_actors(all_namespaces=True)}:
        raise ConfigError(f"another streetloop runs on this Ray ({_holder()}): stop it, or use another Ray")


def _holder() -> str:
    try:
        return str(ray.get(ray.get_actor(_LEASE).holder.remote(), timeout=_LEASE_S))
    except (RayError, ValueError):
        return "it does not say which"


@contextlib.contextmanager
def serve_left_as_found(*, is_resumed: bool = False) -> Iterator[None]:
    """Remove what a killed command left, and at the end what this one started.

    Args:
        is_resumed: Whether what is there is this one's own, and stays.
    """
    if not is_resumed and _serve_runs():
        _delete_ours()
    try:
        yield
    finally:
        try:
            _delete_ours()
            if not ray.serve.status().applications:
                ray.serve.shutdown()  # type: ignore[no-untyped-call]
        except (RayError, RayServeException, RuntimeError, TimeoutError) as error:
            _log.error("Serve's applications were left on the Ray: %s", cause_of(error))


def _serve_runs() -> bool:
    named = ray.util.list_named_actors(all_namespaces=True)
    return any(actor["namespace"] == "serve" for actor in named)


def _delete_ours() -> None:
    for name in ray.serve.status().applications:
        if name in {CHAMPION, CHALLENGER, WEB_APP} or name.startswith(f"{CHAMPION}-"):
            ray.serve.delete(name)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
