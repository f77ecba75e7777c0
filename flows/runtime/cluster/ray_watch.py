"""Watches the processes of Ray without asking Ray, which is silent about its own death."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

Address: TypeAlias = tuple[str, int]
"""Host and port."""

_PERIOD_S = 1.0
_TIMEOUT_S = 2.0
_LATE = 3  # connections in a row that time out: a machine that is gone refuses nothing


class RayWatch:
    """A thread that connects to each process once a second.

    A process that is slow accepts all the same, because the kernel does it; one that died refuses.

    Args:
        processes: Host and port by name, such as ``raylet``.
        on_death: Called once, from the thread or from `look`, with a sentence.
        patience_s: By name, how long in seconds a process may be away and come back; one that is
            not named is dead at once.
    """

    def __init__(
        self,
        processes: Mapping[str, Address],
        on_death: Callable[[str], None],
        patience_s: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self._processes, self._on_death = processes, on_death
        self._patience_s = patience_s
        self._away_since: dict[str, float] = {}
        self._late: Counter[str] = Counter()
        self._looking, self._told = threading.Lock(), False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ray watch", daemon=True)

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def close(self) -> None:
        """Stop; what dies from now on is nobody's concern."""
        self._closed.set()
        self._thread.join()

    def look(self) -> bool:
        """Look now; True if a process has died.

        The workers of Ray may notice its death before the next look, and end as if all were well.
        """
        with self._looking:
            for name, (host, port) in self._processes.items():
                if self._told:
                    break
                if self._is_dead(name, (host, port)) and not self._closed.is_set():
                    self._told = True
                    self._on_death(f"Ray's {name} at {host}:{port} died")
            return self._told

    def _run(self) -> None:
        while not self._closed.wait(_PERIOD_S):
            if self.look():
                return

    def _is_dead(self, name: str, where: Address) -> bool:
        if not self._is_away(name, where):
            self._away_since.pop(name, None)
            return False
        now_s = time.monotonic()
        return now_s - self._away_since.setdefault(name, now_s) >= self._patience_s.get(name, 0.0)

    def _is_away(self, name: str, where: Address) -> bool:
        try:
            socket.create_connection(where, _TIMEOUT_S).close()
        except TimeoutError:
            self._late[name] += 1
            return self._late[name] >= _LATE
        except OSError:
            return True
        self._late[name] = 0
        return False


def is_listening(where: Address) -> bool:
    """True if somebody accepts a connection there within seconds."""
    try:
        socket.create_connection(where, _TIMEOUT_S).close()
    except OSError:
        return False
    return True
