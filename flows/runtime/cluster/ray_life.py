"""What a run knows of the life of its Ray, and how it ends when that has died."""

import threading
from collections.abc import Callable

from flows.runtime.cluster.end_guard import WITHIN_S, EndGuard
from flows.runtime.cluster.ray_watch import RayWatch

_REST_S = 4.0  # what comes after the workers: observers, the summary, Ray's own end
_PATIENCE_S, _DEAD_S = 3.0, 1.5
_HEAD = "gcs_server"


class RayLife:
    """Notices the death of Ray, and bounds what would wait for a dead one.

    Args:
        guard: Is told of the death, and of the steps of the end.
        so: What follows from the death, for people.
        outlives_head: True for a process that a head with storage of its own finds again when it
            is back; where nothing brings it back, Ray ends this node a minute later.

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
        processes = _processes()
        if outlives_head:
            del processes[_HEAD]
        self.watch = RayWatch(processes, self._note)

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


def _processes() -> dict[str, tuple[str, int]]:
    """Where the head of Ray, and its process on this node, listen."""
    import ray

    context = ray.get_runtime_context()
    host, _, port = context.gcs_address.rpartition(":")
    own = context.get_node_id()
    (node,) = [node for node in ray.nodes() if node["NodeID"] == own]  # type: ignore[no-untyped-call]
    return {
        _HEAD: (host.strip("[]"), int(port)),
        "raylet": (node["NodeManagerAddress"], node["NodeManagerPort"]),
    }
