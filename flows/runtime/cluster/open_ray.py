"""The Ray of one command: started for it, or joined."""

import contextlib
from collections.abc import Callable, Iterator

from flows.runtime.cluster.ray_address import RayAddress
from flows.runtime.ray_cluster import local_ray
from streetloop.errors import ConfigError

_LEAVE_S = 30.0


@contextlib.contextmanager
def open_ray(
    address: RayAddress | None,
    *,
    serves: bool = False,
    dashboard: bool = False,
    gpus: int = 0,
    patience_s: Callable[[], float] = lambda: _LEAVE_S,
) -> Iterator[str | None]:
    """Start a Ray for the ``with`` block, or join one.

    Args:
        address: The Ray to join, as `find_ray` found it; None to start one.
        serves: Whether Serve applications are started.
        dashboard: Whether Ray's dashboard is served; a Ray that is joined has one or not.
        gpus: GPUs that the command needs.
        patience_s: Asked at the end: how many seconds leaving may take.

    Returns:
        Where the dashboard is; None if there is none.

    Raises:
        ConfigError: The Ray has too few GPUs, or cannot be used.
        ClusterError: Ray did not start, or does not take the command in.
    """
    with contextlib.ExitStack() as stack:
        if address is None:
            shown_at = stack.enter_context(local_ray(dashboard=dashboard, patience_s=patience_s))
        else:
            from flows.runtime.cluster.join import joined_ray

            shown_at = stack.enter_context(joined_ray(address, serves=serves, patience_s=patience_s))
        _require_gpus(gpus)
        yield shown_at


def _require_gpus(count: int) -> None:
    if not count:
        return
    import ray

    found = int(ray.cluster_resources().get("GPU", 0))  # type: ignore[no-untyped-call]
    if found < count:
        raise ConfigError(f"--gpu: {count} GPU are asked for, and this Ray has {found}; leave --gpu out")
