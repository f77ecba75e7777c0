"""Looks at every node of a Ray, or at this machine alone."""

import platform
import socket
import time
from collections.abc import Iterator
from typing import Any

from flows.runtime.cluster.open_ray import open_ray
from flows.runtime.cluster.ray_address import RayAddress
from flows.runtime.doctor.node_checks import Expected, NodeCheck, check_clock, check_node, installed
from streetloop.settings import Settings

_TIMEOUT_S = 90.0


def examine(settings: Settings, address: RayAddress | None) -> list[NodeCheck]:
    """NodeCheck every node.

    Args:
        settings: Say what the nodes are to reach.
        address: The Ray whose nodes are looked at; None for this machine, without a Ray.

    Raises:
        ClusterError: The Ray does not take the command in.
    """
    settings = settings.model_copy(update={"home": settings.home.absolute()})
    if address is None:
        return check_node(settings, _expected(0, is_alone=True), socket.gethostname())
    with open_ray(address):
        from train.ray_placement import live_nodes

        nodes = live_nodes()
        return [check for node in nodes for check in _of_node(settings, node, len(nodes) == 1)]


def _expected(gpus: int, *, is_alone: bool) -> Expected:
    return Expected(
        platform.python_version(), installed("ray"), installed("streetloop"), gpus, is_alone=is_alone
    )


def _clock() -> float:
    return time.time()  # Ray takes functions of Python alone


def _of_node(settings: Settings, node: dict[str, Any], is_alone: bool) -> Iterator[NodeCheck]:
    """The checks of one node; one that says so if it does not answer."""
    import ray
    from ray.exceptions import RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    name = f"{node['NodeManagerHostname']} {node['NodeManagerAddress']}"
    expected = _expected(int(node["Resources"].get("GPU", 0)), is_alone=is_alone)
    there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    task: Any = ray.remote(check_node).options(num_cpus=0, scheduling_strategy=there, max_retries=0)
    clock: Any = ray.remote(_clock).options(num_cpus=0, scheduling_strategy=there, max_retries=0)
    try:
        checks: list[NodeCheck] = ray.get(task.remote(settings, expected, name), timeout=_TIMEOUT_S)
        began = time.time()
        now: float = ray.get(clock.remote(), timeout=_TIMEOUT_S)
        ended = time.time()
    except RayError as error:
        why = str(error).strip().splitlines()[0][:200]
        yield NodeCheck(
            name, "answer", False, why, "see the logs of Ray on this node; restart its `ray start`"
        )
        return
    yield NodeCheck(name, "answer", True, "Ray runs processes of this command there")
    yield from checks
    yield check_clock(name, now - (began + ended) / 2, (ended - began) / 2)
