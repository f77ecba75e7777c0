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

from streetloop.city.world.driver import STANDSTILL_M, STEP_S, Disturbance, Driver, Obstacle
from streetloop.city.world.rng import draw
from streetloop.city.world.roads import Path, Stream

_BLOCK_S = 300.0
_CLEAR_S = 90.0
_NEVER = 900.0
_TAKEN_M = 16.0  # round a place where something comes to stand
_VEHICLES = (1 << 48) - 1  # so that readers of JSON who take numbers for doubles keep them apart

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


@dataclass(frozen=True, slots=True)
class Trip:
    """One vehicle's way through the lane: ``s[i]`` metres along at ``start + i * STEP_S``."""

    track_id: int
    kind: str
    route: int
    start: float
    s: list[float]
    offset: float

    @property
    def end(self) -> float:
        """The second at which it leaves."""
        return self.start + (len(self.s) - 1) * STEP_S

    def rear(self, t: float, size: float, fork: float) -> Obstacle | None:
        """Where the middle of a following vehicle would touch it; None once it is elsewhere.

        Args:
            t: Second of the city.
            size: Length of the follower in metres.
            fork: Metres along at which their routes part.
        """
        if not self.start <= t < self.end:
            return None
        at, speed, _ = self.place(t)
        touch = at - (LENGTHS[self.kind] + size) / 2
        return Obstacle(touch, speed) if touch < fork else None

    def place(self, t: float) -> tuple[float, float, float]:
        """Metres along, speed in m/s and acceleration in m/s2.

        Args:
            t: Second of the city.
        """
        position = (t - self.start) / STEP_S
        i = min(int(position), len(self.s) - 2)
        step = self.s[i + 1] - self.s[i]
        before = self.s[i] - self.s[i - 1] if i else step
        speed = step / STEP_S
        return self.s[i] + step * (position - i), speed, (step - before) / STEP_S**2


class _Trips:
    """A block's trips, simulated no farther than somebody has asked for.

    A picture then costs the part of the block before it, and a stream never waits for a whole
    block at once.

    Args:
        coming: The trips in the order in which they begin.
    """

    def __init__(self, coming: Iterator[Trip]) -> None:
        self._coming = coming
        self._known: list[tuple[float, float, Trip]] = []

    def until(self, t: float) -> Sequence[tuple[float, float, Trip]]:
        """All that begin up to second ``t``, with their first and last second; maybe more."""
        while not self._known or self._known[-1][0] <= t:
            trip = next(self._coming, None)
            if trip is None:
                break
            self._known.append((trip.start, trip.end, trip))
        return self._known


class Lane:
    """The traffic of one `Stream`.

    Args:
        stream: The lane.
        index: Its number among ``of`` lanes; keeps track ids apart.
        of: How many lanes there are.
        seed: Names this traffic among all that could be.
        density: Multiplies the number of vehicles.
        disturbances: What happens here.

    Attributes:
        stream: The lane.
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
        self.stream = stream
        self._index, self._of = index, of
        self._seed = seed
        self._density = density
        self._disturbances = disturbances
        cycle = stream.signal.cycle_s if stream.signal else 60.0
        self._block_s = cycle * math.ceil(_BLOCK_S / cycle)
        self._phase = draw(seed, stream.name, "phase").random() * self._block_s
        self._forks = [[_fork(a, b) for b, _ in stream.routes] for a, _ in stream.routes]
        self._trips = lru_cache(maxsize=4)(lambda block: _Trips(self._simulate(block)))

    def actors(self, t: float) -> Iterator[Actor]:
        """The vehicles on the lane at a moment.

        Args:
            t: Second of the city.
        """
        for start, end, trip in self._trips(self._block(t)).until(t):
            if start <= t < end:
                s, speed, acceleration = trip.place(t)
                x, y, heading = self.stream.routes[trip.route][0].at(s, trip.offset)
                braking = acceleration < -0.7 or speed < 0.2
                yield Actor(trip.track_id, trip.kind, x, y, heading, speed, s, braking)

    def _block(self, t: float) -> tuple[int, int]:
        """First block of the run of blocks that ``t`` lies in, and the one after its last.

        An event joins the blocks that it touches, so that what it does to the traffic is seen to
        its end.
        """
        first = math.floor((t - self._phase) / self._block_s)
        last = first + 1
        grown = True
        while grown:  # what one event has joined may touch another
            grown = False
            for event in self._disturbances:
                start = math.floor((event.start - _CLEAR_S - self._phase) / self._block_s)
                end = math.floor((event.end + _CLEAR_S - self._phase) / self._block_s) + 1
                if start < last and first < end and (start < first or last < end):
                    first, last = min(first, start), max(last, end)
                    grown = True
        return first, last

    def _simulate(self, block: tuple[int, int]) -> Iterator[Trip]:
        """The block's trips, one after another as they begin."""
        first, last = block
        stream = self.stream
        rng = draw(self._seed, stream.name, "block", first)
        t = first * self._block_s + self._phase
        end = last * self._block_s + self._phase
        kinds, weights = zip(*stream.kinds.items(), strict=True)
        routes = range(len(stream.routes))
        shares = [share for _, share in stream.routes]
        mean = stream.headway_s / self._density
        trips: list[Trip] = []
        for n in range(10_000):
            t += 0.9 + rng.expovariate(1 / max(mean - 0.9, 0.3))
            kind = rng.choices(kinds, weights)[0]
            route = rng.choices(routes, shares)[0]
            pace, offset = rng.uniform(0.88, 1.1), rng.uniform(-0.25, 0.25)
            if t >= end:
                break
            track_id = ((first * self._of + self._index) * 10_000 + n) & _VEHICLES
            trip = self._drive(track_id, kind, route, t, pace, offset, trips)
            if trip is None or trip.end >= end - 1.0:
                break
            t = trip.start
            if not any(_in_the_way(trip, event) for event in self._disturbances):
                trips.append(trip)
                yield trip

    def _drive(
        self, track_id: int, kind: str, route: int, t: float, pace: float, offset: float, trips: list[Trip]
    ) -> Trip | None:
        """One vehicle from its entry to its exit; None if it is kept from either for too long."""
        stream = self.stream
        length = stream.routes[route][0].length
        leader = trips[-1] if trips else None
        size = LENGTHS[kind]
        if leader is not None:  # wait outside until there is space
            latest = t + _NEVER
            while t < min(leader.end, latest) and leader.place(max(t, leader.start))[0] < (
                LENGTHS[leader.kind] + STANDSTILL_M + 0.5 * stream.speed
            ):
                t += STEP_S
        cruise = min(stream.speed * pace, 5.5 * pace if kind == "bicycle" else 99.0)
        speed = cruise
        if leader is not None and t < leader.end:
            speed = min(cruise, leader.place(max(t, leader.start))[1] + 1.0)
        driver = Driver(stream, route, size, cruise, self._disturbances)
        # Who is farther ahead on a way is hidden by the last one on it.
        ahead = [(trip, self._forks[route][trip.route]) for trip in _last_of_each_route(trips)]
        s, places = 0.0, [0.0]
        now = t
        while s < length:
            if now - t > _NEVER:
                return None
            obstacles = [obstacle for trip, fork in ahead if (obstacle := trip.rear(now, size, fork))]
            speed = driver.next_speed(s, speed, now, obstacles)
            s += speed * STEP_S
            now += STEP_S
            places.append(s)
        return Trip(track_id, kind, route, t, places, offset)


def _last_of_each_route(trips: Sequence[Trip]) -> list[Trip]:
    return list({trip.route: trip for trip in trips}.values())


def _in_the_way(trip: Trip, event: Disturbance) -> bool:
    """True if an event blocks this trip, which then never begins."""
    if event.closed:
        return trip.start < event.end and event.start < trip.end
    if event.blocked_at is None or not trip.start <= event.start < trip.end:
        return False
    return abs(trip.place(event.start)[0] - event.blocked_at) < _TAKEN_M


def _fork(a: Path, b: Path) -> float:
    """Metres along at which two ways are a lane apart; infinite if they never are."""
    s = 0.0
    while s < min(a.length, b.length):
        if math.dist(a.at(s)[:2], b.at(s)[:2]) > 2.6:
            return s
        s += 1.0
    return math.inf
