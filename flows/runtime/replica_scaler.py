"""Has each application run as many replicas as its streams need."""

import logging
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from serve.detector.scaling import DOWN_AFTER_S, ReplicaLimits, ReplicaLoad, ReplicaState, replicas_wanted
from serve.rollout.route_table import CHALLENGER
from streetloop.clock import Clock
from streetloop.errors import DetectorError

_log = logging.getLogger(__name__)

_PERIOD_S = 2.0
_LOOKS = int(2 * DOWN_AFTER_S / _PERIOD_S)


class FrameTotals(NamedTuple):
    """Frames of an application's cameras since the run began.

    Attributes:
        decoded: Those that were for the detector: the gated ones are left out.
        dropped: Those of them that were dropped.
    """

    decoded: int
    dropped: int


class ScaledApplications(Protocol):
    """The applications of a run, see `serve.detector.applications.ServeApplications`."""

    def replicas(self, application: str) -> list[ReplicaState]:
        """The replicas that answer."""

    def scale(self, application: str, replicas: int) -> None:
        """Have an application run so many replicas."""

    def reload(self, application: str) -> None:
        """Have every replica serve the model of the slot."""


class ScaledFleet(Protocol):
    """The streams of a run, see `flows.runtime.workers.supervisor.Supervisor`."""

    def totals(self) -> Mapping[str, FrameTotals]:
        """Frames so far, by the application that answers for their cameras now."""

    def expect_replicas(self, application: str, started: int) -> None:
        """How many processes of an application were started on purpose so far."""


class ReplicaScaler:
    """Looks at replicas and streams every two seconds, and scales by `replicas_wanted`.

    An application that is new, such as a challenger, gets as many replicas as the largest has: it
    may have to answer for all cameras. A challenger is not made smaller.

    Args:
        applications: What is scaled.
        fleet: Says what the streams need.
        limits: The least and the most replicas of each application.
        clock: Time.
        tell: Called with a sentence for people.
    """

    def __init__(
        self,
        applications: ScaledApplications,
        fleet: ScaledFleet,
        limits: ReplicaLimits,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        self._applications, self._fleet, self._limits = applications, fleet, limits
        self._clock, self._tell = clock, tell
        self._targets: dict[str, int] = {}
        self._started: dict[str, int] = {}
        self._changed_s: dict[str, float] = {}
        self._totals: Mapping[str, FrameTotals] = {}
        self._loads: defaultdict[str, deque[ReplicaLoad]] = defaultdict(lambda: deque(maxlen=_LOOKS))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replicas", daemon=True)

    def start(self) -> None:
        """Start looking; nothing is to be done if the least is the most."""
        if self._limits.least < self._limits.most:
            self._thread.start()

    def wanted(self) -> dict[str, int]:
        """How many replicas each application in use is to have; any thread may ask."""
        return {name: self._targets.get(name, self._limits.least) for name in self._fleet.totals()}

    def close(self) -> None:
        """Stop; the replicas stay as they are."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def step(self) -> None:
        """One look at each application that answers for a camera."""
        before, self._totals = self._totals, self._fleet.totals()
        for gone in self._targets.keys() - self._totals.keys():
            self._forget(gone)
        for application, totals in self._totals.items():
            try:
                self._look(application, before.get(application, totals), totals)
            except DetectorError as error:
                _log.warning("%s", error)  # it starts, or is being replaced

    def _run(self) -> None:
        while not self._stop.wait(_PERIOD_S):
            try:
                self.step()
            except Exception:  # noqa: BLE001 - the boundary of the thread
                _log.exception("the replicas were not looked at")

    def _look(self, application: str, before: FrameTotals, totals: FrameTotals) -> None:
        states = self._applications.replicas(application)
        if len({state.version for state in states}) > 1:
            self._applications.reload(application)  # one started while the model was changed
        now_s = self._clock.monotonic()
        if application not in self._targets:
            self._begin(application, now_s)
            return
        load = ReplicaLoad(
            now_s,
            [state.busy for state in states],
            max(0, totals.decoded - before.decoded),
            max(0, totals.dropped - before.dropped),
        )
        self._loads[application].append(load)
        now = self._targets[application]
        wanted = replicas_wanted(
            self._loads[application], now, self._changed_s[application], self._limits_of(application)
        )
        if wanted != now:
            self._set(application, wanted, now_s)
            replicas = "1 replica" if wanted == 1 else f"{wanted} replicas"
            self._tell(f"{application} runs on {replicas}: {_reason(load, is_more=wanted > now)}")

    def _begin(self, application: str, now_s: float) -> None:
        largest = max(self._targets.values(), default=self._limits.least)
        self._targets[application] = self._started[application] = self._limits.least
        self._set(application, largest, now_s)

    def _set(self, application: str, replicas: int, now_s: float) -> None:
        now = self._targets[application]
        self._started[application] += max(0, replicas - now)
        self._fleet.expect_replicas(application, self._started[application])  # before one answers
        if replicas != now:
            self._applications.scale(application, replicas)
        self._targets[application], self._changed_s[application] = replicas, now_s

    def _limits_of(self, application: str) -> ReplicaLimits:
        least = self._targets[application] if application == CHALLENGER else self._limits.least
        return ReplicaLimits(least, self._limits.most)

    def _forget(self, application: str) -> None:
        for known in (self._targets, self._started, self._changed_s, self._loads):
            known.pop(application, None)


def _reason(load: ReplicaLoad, *, is_more: bool) -> str:
    if is_more:
        return f"{load.dropped} of {load.decoded} frames were dropped"
    return f"they compute for {load.mean_busy:.0%} of the time"
