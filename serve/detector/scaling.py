"""How many replicas an application needs: a pure function of what its replicas and streams show.

A live camera's queue is short however overloaded the detector is, since the newest frame wins. What
shows an overload is the share of frames that are dropped while the replicas compute all the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

UP_AFTER_S = 4.0
DOWN_AFTER_S = 60.0
_DROPPED = 0.01
_BUSY = 0.7
_QUIET = 0.6


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """One replica at one moment.

    Attributes:
        version: The model that it serves.
        process: Its process id.
        busy: Share of the time since the last look in which it computed, 0 to 1.
    """

    version: str
    process: int
    busy: float


@dataclass(frozen=True, slots=True)
class ReplicaLoad:
    """What an application's replicas and streams showed between two looks.

    Attributes:
        at_s: When, on a monotonic clock.
        busy: `ReplicaState.busy` of each replica that answered.
        decoded: Frames that its cameras decoded, the gated ones left out.
        dropped: Those of them that were dropped.
    """

    at_s: float
    busy: Sequence[float]
    decoded: int
    dropped: int

    @property
    def mean_busy(self) -> float:
        """Of the replicas that answered; 0 if none did."""
        return fmean(self.busy) if self.busy else 0.0


@dataclass(frozen=True, slots=True)
class ReplicaLimits:
    """How many replicas an application may have.

    Attributes:
        least: Smallest number, also when nothing happens.
        most: Largest number; what is more waits for the room of the cluster.
    """

    least: int
    most: int


def replicas_wanted(loads: Sequence[ReplicaLoad], now: int, changed_s: float, limits: ReplicaLimits) -> int:
    """How many replicas there should be.

    One more if frames were dropped for `UP_AFTER_S` while the replicas computed most of the time.
    One less if nothing was dropped for `DOWN_AFTER_S` and the others would have been busy for less
    than 0.6 of the time. What a change does is waited for before the next.

    Args:
        loads: Of the last looks, the oldest first.
        now: How many there should be by the last decision.
        changed_s: When that was decided, on the clock of the loads.
        limits: The least and the most.

    >>> busy = [ReplicaLoad(at, (0.9,), 20, 4) for at in (0.0, 2.0, 4.0)]
    >>> replicas_wanted(busy, 1, -60.0, ReplicaLimits(1, 3))
    2
    """
    if not limits.least <= now <= limits.most:
        return min(max(now, limits.least), limits.most)
    since = [load for load in loads if load.at_s > changed_s]
    if not since or any(len(load.busy) != now for load in since[-1:]):
        return now  # one starts or ends
    settled = [load for load in since if len(load.busy) == now]
    if _is_overloaded(_last(settled, UP_AFTER_S)) and now < limits.most:
        return now + 1
    if _is_quiet(_last(settled, DOWN_AFTER_S), now) and now > limits.least:
        return now - 1
    return now


def _last(loads: Sequence[ReplicaLoad], seconds: float) -> Sequence[ReplicaLoad]:
    """The loads of the last seconds; none if they do not reach so far back."""
    if not loads or loads[-1].at_s - loads[0].at_s < seconds:
        return ()
    return [load for load in loads if loads[-1].at_s - load.at_s <= seconds]


def _is_overloaded(loads: Sequence[ReplicaLoad]) -> bool:
    return bool(loads) and all(
        load.dropped > _DROPPED * load.decoded and load.mean_busy >= _BUSY for load in loads
    )


def _is_quiet(loads: Sequence[ReplicaLoad], now: int) -> bool:
    if not loads or now < 2 or any(load.dropped for load in loads):
        return False
    return max(sum(load.busy) for load in loads) < _QUIET * (now - 1)
