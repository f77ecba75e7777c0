"""A step that a thread repeats until it is told to stop, and sentences that are said once."""

import logging
import threading
import time
from collections.abc import Callable

from streetloop.errors import StreetloopError


class SayOnce:
    """Passes a sentence on the first time only: what is tried again would say it again.

    >>> said = []
    >>> say = SayOnce(said.append)
    >>> say("the disk is full"), say("the disk is full"), said
    (None, None, ['the disk is full'])

    Args:
        say: Called with a sentence for people.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: set[str] = set()

    def __call__(self, sentence: str) -> None:
        """Say a sentence unless it was said before."""
        if sentence not in self._said:
            self._said.add(sentence)
            self._say(sentence)

    def forget(self) -> None:
        """Say everything once more when it comes up again: the cause was gone meanwhile."""
        self._said.clear()


class PollingThread:
    """Repeats a step on a thread of its own. A step that fails is said and logged, and repeated.

    Args:
        name: Name of the thread; what is said and logged begins with it.
        step: Called ``period_s`` after the start of the step before, or at once if that took
            longer. A `StreetloopError` of it is said, any other exception is logged, too.
        period_s: In seconds.
        log: Where a step's exceptions go.
        say: Called on the thread with a sentence for people, after every step that failed; a
            `SayOnce` keeps it from repeating itself.
        on_wake: Called in place of ``step`` after `wake`, and does not put the next step off;
            None if nobody calls `wake`.
        rest_s: Shortest time between two calls of ``on_wake``, in seconds.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], object],
        period_s: float,
        log: logging.Logger,
        say: Callable[[str], None],
        on_wake: Callable[[], object] | None = None,
        rest_s: float = 0.0,
    ) -> None:
        self._name, self._step, self._period_s = name, step, period_s
        self._log, self._say = log, say
        self._on_wake, self._rest_s = on_wake, rest_s
        self._closed, self._woken = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first step comes after one period."""
        self._thread.start()

    def wake(self) -> None:
        """Call ``on_wake`` soon; calls until then count as one."""
        self._woken.set()

    def close(self, timeout_s: float) -> None:
        """Begin no other step, and wait for the one under way.

        Args:
            timeout_s: Longest wait in seconds.
        """
        self._closed.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout=timeout_s)

    @property
    def is_alive(self) -> bool:
        """True from the start until the last step after `close` has ended."""
        return self._thread.is_alive()

    def _run(self) -> None:
        due = time.monotonic() + self._period_s
        while not self._closed.is_set():
            is_woken = self._woken.wait(max(0.0, due - time.monotonic()))
            self._woken.clear()  # before the step: whoever wakes during it is heard after it
            if self._closed.is_set():
                return
            now = time.monotonic()
            if now >= due:
                due = now + self._period_s
                self._try(self._step)
            elif is_woken and self._on_wake is not None:
                self._try(self._on_wake)
                self._closed.wait(self._rest_s)

    def _try(self, step: Callable[[], object]) -> None:
        try:
            step()
        except StreetloopError as error:
            self._say(f"{self._name}: {error}")
        except Exception:  # noqa: BLE001
            # The boundary of the thread: whatever a step does, it is repeated.
            self._log.exception("%s: a step failed", self._name)
            self._say(f"{self._name}: a step failed; the log says why")
