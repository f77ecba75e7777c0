"""Where the processes of a command run in Ray: on its own node, or on any."""

from typing import Any

import ray

from streetloop.settings import Settings
from streetloop.storage.local_state import local_state

NAMESPACE = "streetloop"
"""Of a Ray that was joined. One that a command starts for itself has no name and one node."""

_SHARE = 0.001  # of the resource that each node has for itself


def is_joined() -> bool:
    """True if the Ray was there before this command: it may have other nodes."""
    return str(ray.get_runtime_context().namespace) == NAMESPACE


def is_spread(settings: Settings) -> bool:
    """True if a command uses all nodes of a Ray: servers keep what its processes share."""
    return is_joined() and not local_state(settings)


def live_nodes() -> list[dict[str, Any]]:
    """Ray's description of each node that lives."""
    return [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]


def site_resource(site: str) -> str:
    """The resource of nodes that stand at a site."""
    return f"site:{site}"


def worker_options(settings: Settings, site: str | None, *, is_bound: bool) -> dict[str, Any]:
    """Where a worker runs, as options of its Ray actor.

    Args:
        settings: Of the run; say whether it uses other nodes.
        site: Nodes with this site's resource are taken if one lives.
        is_bound: Whether it needs files or devices of this node.
    """
    if is_bound or not is_spread(settings):
        return {"resources": on_this_node()}
    if site is not None and site in live_sites():
        return {"resources": {site_resource(site): _SHARE}}
    return {"scheduling_strategy": "SPREAD"}


def live_sites() -> set[str]:
    """Sites at which a node lives."""
    prefix = site_resource("")
    names = (name for node in live_nodes() for name in node["Resources"])
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def on_this_node() -> dict[str, float]:
    """Resources that keep a process on the node of this one, whose files it reads.

    Nothing if Ray has no other node.
    """
    if not is_joined():
        return {}
    own = ray.get_runtime_context().get_node_id()
    (node,) = [node for node in ray.nodes() if node["NodeID"] == own]  # type: ignore[no-untyped-call]
    return {name: _SHARE for name in node["Resources"] if name == f"node:{node['NodeManagerAddress']}"}
