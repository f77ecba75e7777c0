"""How many replicas an application needs."""

from itertools import pairwise

import pytest

from serve.detector.scaling import DOWN_AFTER_S, ReplicaLimits, ReplicaLoad, replicas_wanted

LIMITS = ReplicaLimits(1, 3)
LONG_AGO = -1e6


def _loads(seconds: float, busy: tuple[float, ...], dropped: int = 0) -> list[ReplicaLoad]:
    return [ReplicaLoad(float(at), busy, 20, dropped) for at in range(0, int(seconds) + 1, 2)]


def test_frames_that_are_dropped_by_busy_replicas_bring_one_more() -> None:
    assert replicas_wanted(_loads(4, (0.95,), 5), 1, LONG_AGO, LIMITS) == 2


def test_a_moment_of_overload_is_waited_out() -> None:
    assert replicas_wanted(_loads(2, (0.95,), 5), 1, LONG_AGO, LIMITS) == 1
    calm = ReplicaLoad(2.0, (0.95,), 20, 0)
    loads = [load if load.at_s != calm.at_s else calm for load in _loads(4, (0.95,), 5)]
    assert replicas_wanted(loads, 1, LONG_AGO, LIMITS) == 1


def test_frames_that_idle_replicas_drop_are_not_for_want_of_replicas() -> None:
    assert replicas_wanted(_loads(60, (0.3,), 5), 1, LONG_AGO, LIMITS) == 1


def test_a_busy_detector_that_keeps_up_is_enough() -> None:
    assert replicas_wanted(_loads(60, (1.0,)), 1, LONG_AGO, LIMITS) == 1


def test_no_more_than_the_most() -> None:
    assert replicas_wanted(_loads(60, (1.0, 1.0, 1.0), 9), 3, LONG_AGO, LIMITS) == 3


def test_one_that_the_others_can_do_without_goes_after_a_quiet_while() -> None:
    assert replicas_wanted(_loads(DOWN_AFTER_S, (0.2, 0.2)), 2, LONG_AGO, LIMITS) == 1
    assert replicas_wanted(_loads(DOWN_AFTER_S - 2, (0.2, 0.2)), 2, LONG_AGO, LIMITS) == 2
    assert replicas_wanted(_loads(DOWN_AFTER_S, (0.4, 0.4)), 2, LONG_AGO, LIMITS) == 2


def test_no_less_than_the_least() -> None:
    assert replicas_wanted(_loads(DOWN_AFTER_S, (0.0, 0.0)), 2, LONG_AGO, ReplicaLimits(2, 3)) == 2


def test_a_replica_that_starts_is_waited_for() -> None:
    assert replicas_wanted(_loads(60, (1.0,), 9), 2, LONG_AGO, LIMITS) == 2


def test_what_was_before_a_change_does_not_count() -> None:
    loads = _loads(60, (1.0, 1.0), 9)
    assert replicas_wanted(loads, 2, 58.0, LIMITS) == 2
    assert replicas_wanted(loads, 2, 54.0, LIMITS) == 3


@pytest.mark.parametrize(("now", "wanted"), [(0, 1), (5, 3)])
def test_a_number_outside_the_limits_is_brought_within(now: int, wanted: int) -> None:
    assert replicas_wanted([], now, LONG_AGO, LIMITS) == wanted


def test_light_busy_light_goes_up_and_down_once() -> None:
    """Two replicas do what one cannot; the work of a second is 0.3, then 1.4, then 0.3."""
    now, changed_s, course = 1, LONG_AGO, [1]
    loads: list[ReplicaLoad] = []
    for at in range(0, 400, 2):
        work = 1.4 if 100 <= at < 200 else 0.3
        busy = (min(1.0, work / now),) * now
        loads.append(ReplicaLoad(float(at), busy, 20, int(20 * max(0.0, 1 - now / work))))
        wanted = replicas_wanted(loads, now, changed_s, LIMITS)
        if wanted != now:
            now, changed_s = wanted, float(at)
            course.append(now)
    assert course == [1, 2, 1]
    assert all(abs(a - b) == 1 for a, b in pairwise(course))
