"""How somebody drives: the intelligent driver model, signals, and what is in the way.

Reference: Treiber, Hennecke and Helbing, "Congested traffic states in empirical observations and
microscopic simulations", 2000.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streetloop.city.world.roads import Stream

STEP_S = 0.2
STANDSTILL_M = 2.0
"""Metres that are kept to who stands ahead."""

_ACCELERATION = 1.6  # m/s2
_BRAKING = 2.2  # m/s2, comfortable
_COMFORTABLE = 2 * math.sqrt(_ACCELERATION * _BRAKING)
_HARD = 6.0  # m/s2, at most
_AMBER = 3.0  # m/s2 that amber is worth braking with
_TIME_GAP_S = 1.2
_LINE_M = 0.5  # kept to a stop line


class Disturbance(NamedTuple):
    """What an event does to a lane from ``start`` to ``end`` (seconds).

    Attributes:
        start: First second.
        end: Last second.
        closed: True if nobody is on the lane meanwhile.
        blocked_at: Metres along at which it is blocked.
        speed_factor: What remains of the usual speed.
    """

    start: float
    end: float
    closed: bool = False
    blocked_at: float | None = None
    speed_factor: float = 1.0


class Obstacle(NamedTuple):
    """Metres along at which one would touch it, and how fast it goes."""

    at: float
    speed: float


class Driver:
    """One driver on one lane, step by step.

    Args:
        stream: The lane.
        route: Which of its ways.
        size: Length of the vehicle.
        cruise: The speed that the driver likes, in m/s.
        disturbances: What happens on the lane.
    """

    def __init__(
        self, stream: Stream, route: int, size: float, cruise: float, disturbances: Sequence[Disturbance]
    ) -> None:
        self._stream, self._size, self._cruise = stream, size, cruise
        self._disturbances = disturbances
        self._slow = stream.slow.get(route)
        self._too_late: bool | None = None  # decided once, when green ends

    def next_speed(self, s: float, speed: float, t: float, ahead: Sequence[Obstacle]) -> float:
        """The speed one step later, in m/s.

        Args:
            s: Metres along.
            speed: m/s now.
            t: The second.
            ahead: Who goes ahead.
        """
        held_back = 0.0
        for at, its_speed in (*ahead, *self._barriers(s, speed, t)):
            wanted_gap = STANDSTILL_M + speed * _TIME_GAP_S
            wanted_gap += speed * (speed - its_speed) / _COMFORTABLE
            held_back = max(held_back, max(wanted_gap, 0.1) / max(at - s, 0.1))
        pull = 1 - (speed / self._wanted(s, t)) ** 4 - held_back**2
        step = min(max(_ACCELERATION * pull, -_HARD), _ACCELERATION) * STEP_S
        return max(speed + step, 0.0)

    def _wanted(self, s: float, t: float) -> float:
        """The speed that the driver would like here."""
        wanted = self._cruise
        for event in self._disturbances:
            if event.start <= t < event.end:
                wanted *= event.speed_factor
        if self._slow and s < self._slow[1]:
            before = max(self._slow[0] - s, 0.0)
            wanted = min(wanted, math.sqrt(self._slow[2] ** 2 + 2 * 1.5 * before))
        return wanted

    def _barriers(self, s: float, speed: float, t: float) -> Iterator[Obstacle]:
        front = s + self._size / 2
        signal = self._stream.signal
        if signal and front < self._stream.stop_at:
            if signal.colour(t) == "green":
                self._too_late = None
            elif self._too_late is None:
                self._too_late = speed**2 / (2 * _AMBER) > self._stream.stop_at - front
            if self._too_late is False:
                line = self._stream.stop_at - self._size / 2
                yield Obstacle(line + STANDSTILL_M - _LINE_M, 0.0)
        for event in self._disturbances:
            if event.blocked_at is not None and event.start <= t < event.end and (s < event.blocked_at):
                yield Obstacle(event.blocked_at - self._size / 2, 0.0)
