"""People on foot: each walks at an own pace and waits for the green man."""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from streetloop.city.world.rng import draw
from streetloop.city.world.roads import Walk
from streetloop.city.world.traffic import Actor

_SLOWEST = 0.9  # m/s
_FASTEST = 1.7
_PEOPLE = 1 << 50


class _Walker(NamedTuple):
    start: float
    pace: float
    offset: float
    resumes: float  # the second at which it may leave the place where it holds
    hold_at: float
    end: float
    track_id: int


class Pavement:
    """The people of one `Walk`; at most one sets out in each slot of time, each by itself.

    Args:
        walk: The way.
        index: Its number among ``of`` ways; keeps track ids apart.
        of: How many ways there are.
        seed: Names these people among all that could be.
        density: Multiplies their number.
    """

    def __init__(self, walk: Walk, index: int, of: int, seed: object, density: float) -> None:
        self._walk = walk
        self._index, self._of = index, of
        self._seed = seed
        self._slot_s = walk.headway_s / density
        wait = walk.signal.cycle_s + 3.0 if walk.signal else 0.0
        self._longest_s = walk.path.length / _SLOWEST + wait
        self._walker = lru_cache(maxsize=4096)(self._set_out)

    def actors(self, t: float) -> Iterator[Actor]:
        """The people on the way at a moment.

        Args:
            t: Second of the city.
        """
        first = math.floor((t - self._longest_s) / self._slot_s)
        for slot in range(first, math.floor(t / self._slot_s) + 1):
            walker = self._walker(slot)
            if walker is None or not walker.start <= t < walker.end:
                continue
            s = walker.pace * (t - walker.start)
            speed = walker.pace
            if s > walker.hold_at:
                late = max(t - walker.resumes, 0.0)
                s = walker.hold_at + late * walker.pace
                speed = walker.pace if late > 0 else 0.0
            x, y, heading = self._walk.path.at(s, walker.offset)
            yield Actor(walker.track_id, "person", x, y, heading, speed, s)

    def _set_out(self, slot: int) -> _Walker | None:
        walk = self._walk
        rng = draw(self._seed, walk.name, "slot", slot)
        if rng.random() > 0.85:
            return None
        start = (slot + rng.random()) * self._slot_s
        pace = rng.uniform(_SLOWEST, _FASTEST)
        offset = rng.uniform(-0.5, 0.5) * walk.width
        hold_at, resumes = math.inf, 0.0
        end = start + walk.path.length / pace
        if walk.signal:
            hold_at = walk.hold_at - rng.uniform(0.0, 1.2)
            arrives = start + hold_at / pace
            resumes = walk.signal.next_green(arrives)
            if resumes > arrives:
                resumes += rng.uniform(0.2, 1.8)
            end += resumes - arrives
        track_id = _PEOPLE + (slot * self._of + self._index)
        return _Walker(start, pace, offset, resumes, hold_at, end, track_id)
