"""How long calls take, in turns."""

import statistics
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

K = TypeVar("K", bound=Hashable)

_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Timing:
    """What one call takes.

    Attributes:
        seconds: Of wall clock.
        cpu_s: Seconds of processor of this process, over all its threads.
    """

    seconds: float
    cpu_s: float


def time_in_turns(
    calls: Mapping[K, Callable[[], object]], rounds: int = _ROUNDS, turn_s: float = 0.0
) -> dict[K, Timing]:
    """Time calls in rounds, so that what else runs on the machine slows all of them alike.

    Args:
        calls: What is timed, by its name. A call is made once more, untimed, before each turn.
        rounds: At least 1; each gives every call one turn. The result is the median of the turns.
            More rounds bear more disturbance.
        turn_s: A turn repeats the call for so many seconds, and at least once. Longer turns have
            less noise.
    """
    turns: dict[K, list[Timing]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            turns[name].append(_turn(call, turn_s))
    return {
        name: Timing(
            statistics.median(turn.seconds for turn in found), statistics.median(turn.cpu_s for turn in found)
        )
        for name, found in turns.items()
    }


def _turn(call: Callable[[], object], turn_s: float) -> Timing:
    call()
    count, began, cpu_began = 0, time.perf_counter(), time.process_time()
    while count == 0 or time.perf_counter() - began < turn_s:
        call()
        count += 1
    return Timing((time.perf_counter() - began) / count, (time.process_time() - cpu_began) / count)
