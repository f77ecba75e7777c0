"""What a run knows of the life of its Ray, and how it ends when that has died."""

import threading
from collections.abc import Callable

from flows.runtime.cluster.end_guard import WITHIN_S, EndGuard
from flows.runtime.cluster.ray_watch import Address, RayWatch

_REST_S = 4.0  # what comes after the workers: observers, the summary, Ray's own end
_PATIENCE_S, _DEAD_S = 3.0, 1.5
_HEAD = "gcs_server"
_HEAD_AWAY_S = 45.0  # after 60 s without it Ray ends the nodes


class RayLife:
    """Notices the death of Ray, and bounds what would wait for a dead one.

    Args:
        guard: Is told of the death, and of the steps of the end.
        so: What follows from the death, for people.
        outlives_head: True for a process that a head with storage of its own finds again when it
            is back; where nothing brings it back, Ray ends this node a minute later, and the death
            is noticed before that.

    Attributes:
        watch: To be started and closed.
        death: A sentence if Ray died; None while it lives.
    """

    def __init__(
        self,
        guard: EndGuard,
        so: str = "the run has ended, and what had arrived is written",
        *,
        outlives_head: bool = False,
    ) -> None:
        self._guard, self._so = guard, so
        self._told: Callable[[], None] = lambda: None
        self.death: str | None = None
        patience_s = {_HEAD: _HEAD_AWAY_S} if outlives_head else {}
        self.watch = RayWatch(_processes(), self._note, patience_s)

    def on_death(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called once Ray has died, now if it has already."""
        self._told = tell
        if self.death is not None:
            tell()

    @property
    def left_s(self) -> float:
        """Seconds to wait for workers that write out what they hold; infinite without haste."""
        return max(1.0, self._guard.left_s - _REST_S)

    def end(self, close: Callable[[], None]) -> None:
        """Close something that asks Ray; it is left behind if it hangs and the process must end."""
        closing = threading.Thread(target=close, name="closing", daemon=True)
        closing.start()
        while closing.is_alive():
            limit_s = _PATIENCE_S if self.death is None else _DEAD_S
            closing.join(limit_s)
            if self._guard.began and self._guard.left_s < WITHIN_S - limit_s:
                break
        self._guard.step()

    def _note(self, sentence: str) -> None:
        self.death = f"{sentence}: {self._so}"
        self._guard.begin(sentence)
        self._told()


def head_address() -> Address:
    """Where the head of the Ray that runs here listens."""
    import ray

    host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
    return host.strip("[]"), int(port)


def _processes() -> dict[str, Address]:
    """Where the head of Ray, and its process on this node, listen."""
    import ray

    own = ray.get_runtime_context().get_node_id()
    (node,) = [node for node in ray.nodes() if node["NodeID"] == own]  # type: ignore[no-untyped-call]
    return {_HEAD: head_address(), "raylet": (node["NodeManagerAddress"], node["NodeManagerPort"])}
