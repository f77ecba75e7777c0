"""Vehicles that follow their lane, keep their distance and obey the signals.

A lane's time is cut into blocks of some minutes. Within a block vehicles enter one behind the
other and follow the intelligent driver model (Treiber, Hennecke, Helbing 2000, "Congested traffic
states in empirical observations and microscopic simulations"); a vehicle that could not leave
before the block ends never enters. So a block depends on no other, and any second can be asked
for without the seconds before it. The lanes' blocks are staggered, so the street never empties.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from streetloop.city.chance import draw
from streetloop.city.roads import Path, Stream

_STEP_S = 0.2
_ACCELERATION = 1.6  # m/s2
_BRAKING = 2.2  # m/s2, comfortable
_HARD = 6.0  # m/s2, at most
_TIME_GAP_S = 1.2
_STANDSTILL_M = 2.0
_BLOCK_S = 300.0
_CLEAR_S = 90.0
_NEVER = 900.0

LENGTHS = {
    "hatchback": 4.0,
    "saloon": 4.7,
    "suv": 4.6,
    "van": 5.5,
    "truck": 8.6,
    "bus": 11.6,
    "motorcycle": 2.1,
    "bicycle": 1.8,
}


class Actor(NamedTuple):
    """Something that moves, at one moment.

    Attributes:
        track_id: The same as long as it is on the street, and nobody else's.
        kind: What it looks like, a key of `shapes.KINDS`.
        x: Metres east.
        y: Metres north.
        heading: Radians counter-clockwise from east.
        speed: m/s.
        walked: Metres it has come so far; drives legs and wheels.
        braking: True if its brake lights are on.
        hazard: True if it flashes.
        lamps: False if its lamps are off even at night.
    """

    track_id: int
    kind: str
    x: float
    y: float
    heading: float
    speed: float = 0.0
    walked: float = 0.0
    braking: bool = False
    hazard: bool = False
    lamps: bool = True


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


@dataclass(frozen=True, slots=True)
class Trip:
    """One vehicle's way through the lane: ``s[i]`` metres along at ``start + i * _STEP_S``."""

    track_id: int
    kind: str
    route: int
    start: float
    s: list[float]
    offset: float

    @property
    def end(self) -> float:
        """The second at which it leaves."""
        return self.start + (len(self.s) - 1) * _STEP_S

    def place(self, t: float) -> tuple[float, float, float]:
        """Metres along, m/s and m/s2 at second ``t``."""
        position = (t - self.start) / _STEP_S
        i = min(int(position), len(self.s) - 2)
        step = self.s[i + 1] - self.s[i]
        before = self.s[i] - self.s[i - 1] if i else step
        speed = step / _STEP_S
        return self.s[i] + step * (position - i), speed, (step - before) / _STEP_S**2


class Lane:
    """The traffic of one `Stream`.

    Args:
        stream: The lane.
        index: Its number among ``of`` lanes; keeps track ids apart.
        of: How many lanes there are.
        seed: Names this traffic among all that could be.
        density: Multiplies the number of vehicles.
        disturbances: What happens here.
    """

    def __init__(
        self,
        stream: Stream,
        index: int,
        of: int,
        seed: object,
        density: float,
        disturbances: Sequence[Disturbance] = (),
    ) -> None:
        self._stream = stream
        self._index, self._of = index, of
        self._seed = seed
        self._density = density
        self._disturbances = disturbances
        cycle = stream.signal.cycle_s if stream.signal else 60.0
        self._block_s = cycle * math.ceil(_BLOCK_S / cycle)
        self._phase = draw(seed, stream.name, "phase").random() * self._block_s
        self._forks = [
            [_fork(a, b) for b, _ in stream.routes] for a, _ in stream.routes
        ]  # fmt: skip
        self._trips = lru_cache(maxsize=4)(self._simulate)

    def actors(self, t: float) -> Iterator[Actor]:
        """The vehicles on the lane at second ``t``."""
        for trip in self._trips(self._block(t)):
            if trip.start <= t < trip.end:
                s, speed, acceleration = trip.place(t)
                x, y, heading = self._stream.routes[trip.route][0].at(s, trip.offset)
                braking = acceleration < -0.7 or speed < 0.2
                yield Actor(trip.track_id, trip.kind, x, y, heading, speed, s, braking)

    def _block(self, t: float) -> tuple[int, int]:
        """First block of the run of blocks that ``t`` lies in, and the one after its last.

        An event joins the blocks that it touches, so that what it does to the traffic is seen to
        its end.
        """
        first = math.floor((t - self._phase) / self._block_s)
        last = first + 1
        for event in sorted(self._disturbances):
            start = math.floor((event.start - _CLEAR_S - self._phase) / self._block_s)
            end = math.floor((event.end + _CLEAR_S - self._phase) / self._block_s) + 1
            if start < last and first < end:
                first, last = min(first, start), max(last, end)
        return first, last

    def _simulate(self, block: tuple[int, int]) -> list[Trip]:
        first, last = block
        stream = self._stream
        chance = draw(self._seed, stream.name, "block", first)
        t = first * self._block_s + self._phase
        end = last * self._block_s + self._phase
        kinds, weights = zip(*stream.kinds.items(), strict=True)
        routes = range(len(stream.routes))
        shares = [share for _, share in stream.routes]
        mean = stream.headway_s / self._density
        trips: list[Trip] = []
        for n in range(10_000):
            t += 0.9 + chance.expovariate(1 / max(mean - 0.9, 0.3))
            kind = chance.choices(kinds, weights)[0]
            route = chance.choices(routes, shares)[0]
            pace, offset = chance.uniform(0.88, 1.1), chance.uniform(-0.25, 0.25)
            if t >= end:
                break
            track_id = ((first * self._of + self._index) * 10_000 + n) & (2**62 - 1)
            trip = self._drive(track_id, kind, route, t, pace, offset, trips)
            if trip is None or trip.end >= end - 1.0:
                break
            t = trip.start
            if not any(d.closed and trip.start < d.end and d.start < trip.end
                       for d in self._disturbances):  # fmt: skip
                trips.append(trip)
        return trips

    def _drive(
        self,
        track_id: int,
        kind: str,
        route: int,
        t: float,
        pace: float,
        offset: float,
        trips: list[Trip],
    ) -> Trip | None:
        """One vehicle from its entry to its exit; None if it is kept from either for too long."""
        stream = self._stream
        length = stream.routes[route][0].length
        leader = trips[-1] if trips else None
        size = LENGTHS[kind]
        if leader is not None:  # wait outside until there is room
            latest = t + _NEVER
            while t < min(leader.end, latest) and leader.place(max(t, leader.start))[0] < (
                LENGTHS[leader.kind] + _STANDSTILL_M + 0.5 * stream.speed
            ):
                t += _STEP_S
        cruise = min(stream.speed * pace, 5.5 * pace if kind == "bicycle" else 99.0)
        speed = cruise
        if leader is not None and t < leader.end:
            speed = min(cruise, leader.place(max(t, leader.start))[1] + 1.0)
        s, places = 0.0, [0.0]
        now = t
        while s < length:
            if now - t > _NEVER:
                return None
            wanted = self._wanted(cruise, route, s, now)
            gap, approach = self._gap(s, speed, now, size, route, leader)
            desired = _STANDSTILL_M + speed * _TIME_GAP_S
            desired += speed * approach / (2 * math.sqrt(_ACCELERATION * _BRAKING))
            pull = 1 - (speed / wanted) ** 4 - (max(desired, 0.1) / max(gap, 0.1)) ** 2
            speed += min(max(_ACCELERATION * pull, -_HARD), _ACCELERATION) * _STEP_S
            speed = max(speed, 0.0)
            s += speed * _STEP_S
            now += _STEP_S
            places.append(s)
        return Trip(track_id, kind, route, t, places, offset)

    def _wanted(self, cruise: float, route: int, s: float, t: float) -> float:
        """The speed that the driver would like here."""
        wanted = cruise
        for event in self._disturbances:
            if event.start <= t < event.end:
                wanted *= event.speed_factor
        slow = self._stream.slow.get(route)
        if slow and s < slow[1]:
            ahead = max(slow[0] - s, 0.0)
            wanted = min(wanted, math.sqrt(slow[2] ** 2 + 2 * 1.5 * ahead))
        return wanted

    def _gap(
        self, s: float, speed: float, t: float, size: float, route: int, leader: Trip | None
    ) -> tuple[float, float]:
        """Metres to whatever is in the way, and how fast they shrink in m/s."""
        gap, approach = math.inf, 0.0
        if leader is not None and leader.start <= t < leader.end:
            at, its_speed, _ = leader.place(t)
            rear = at - (LENGTHS[leader.kind] + size) / 2
            if leader.route == route or rear < self._forks[route][leader.route]:
                gap, approach = rear - s, speed - its_speed
        for place in self._barriers(s, speed, t, size):
            if place - s < gap:
                gap, approach = place - s, speed
        return gap, approach

    def _barriers(self, s: float, speed: float, t: float, size: float) -> Iterator[float]:
        stream = self._stream
        if stream.signal and s + size / 2 < stream.stop_at:
            colour = stream.signal.colour(t)
            distance = stream.stop_at - s - size / 2
            if colour == "red" or (colour == "amber" and speed**2 / 2 / 3.0 < distance):
                yield stream.stop_at - size / 2 + _STANDSTILL_M - 0.5
        for event in self._disturbances:
            if event.blocked_at is not None and event.start <= t < event.end and (
                s < event.blocked_at
            ):  # fmt: skip
                yield event.blocked_at - size / 2


def _fork(a: Path, b: Path) -> float:
    """Metres along at which two ways are a lane apart; infinite if they never are."""
    s = 0.0
    while s < min(a.length, b.length):
        if math.dist(a.at(s)[:2], b.at(s)[:2]) > 2.6:
            return s
        s += 1.0
    return math.inf
