import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streetloop.city.world.places import PLACES
from streetloop.city.world.roads import Signal, Stream, straight
from streetloop.city.world.traffic import LENGTHS, Actor, Disturbance, Lane, Trip
from tests.support.samples.city import touch

_LANES = [(city, k) for city, place in PLACES.items() for k in range(len(place.streams))]
_SIGNALLED = [(city, k) for city, k in _LANES if PLACES[city].streams[k].signal]
_BUSY = 1.7

# A lane of our own: 300 m, straight, with a light halfway.
_LIGHT = Signal(60, (0, 30))
_FREE = Stream("own", ((straight((0, 0), (300, 0)), 1.0),), 12.0, 6.0, {"saloon": 3, "bus": 1})
_LIT = Stream("lit", _FREE.routes, 12.0, 6.0, {"saloon": 3, "bus": 1}, _LIGHT, 150.0)

_Names = tuple[str, int]


@cache
def _lane(which: _Names, seed: int = 0, density: float = 1.0) -> tuple[Stream, Lane]:
    return _fresh(which, seed, density)


def _fresh(which: _Names, seed: int = 0, density: float = 1.0) -> tuple[Stream, Lane]:
    city, k = which
    streams = PLACES[city].streams
    return streams[k], Lane(streams[k], k, len(streams), (city, seed), density)


def _own(*events: Disturbance, stream: Stream = _FREE, seed: int = 0, density: float = 1.0) -> Lane:
    return Lane(stream, 0, 1, ("own", seed), density, events)


def _seconds(start: float, end: float, step: float = 0.5) -> Iterator[float]:
    return (start + k * step for k in range(round((end - start) / step)))


def _watch(lane: Lane, seconds: Iterable[float]) -> list[tuple[float, dict[int, Actor]]]:
    return [(t, {a.track_id: a for a in lane.actors(t)}) for t in seconds]


def _front(actor: Actor) -> float:
    return actor.walked + LENGTHS[actor.kind] / 2


def _rear(actor: Actor) -> float:
    return actor.walked - LENGTHS[actor.kind] / 2


def _routes(stream: Stream, actor: Actor) -> frozenset[int]:
    """The routes on which a vehicle can be, by where it is."""
    here = (actor.x, actor.y)
    return frozenset(
        k for k, (path, _) in enumerate(stream.routes) if math.dist(path.at(actor.walked)[:2], here) < 0.3
    )


def _least_gap(stream: Stream, actors: Iterable[Actor]) -> float:
    """Metres between the bodies of the two vehicles that are nearest, on any one route."""
    groups = defaultdict(list)
    for actor in actors:
        groups[_routes(stream, actor)].append(actor)
    gaps = [math.inf]
    for group in groups.values():
        group.sort(key=lambda a: a.walked)
        gaps += [_rear(ahead) - _front(behind) for behind, ahead in pairwise(group)]
    return min(gaps)


# One behind the other


@pytest.mark.parametrize("which", _LANES, ids=str)
def test_vehicles_on_one_way_keep_apart(which: _Names) -> None:
    for seed in range(4):
        stream, lane = _lane(which, seed, _BUSY)
        for t in _seconds(137.0 * seed, 137.0 * seed + 160, 4.0):
            assert _least_gap(stream, lane.actors(t)) > 0, f"seed {seed}, second {t}"


@pytest.mark.parametrize("which", _LANES, ids=str)
def test_bodies_never_overlap_even_where_ways_part(which: _Names) -> None:
    for seed in range(2):
        _, lane = _lane(which, seed, _BUSY)
        for t in _seconds(137.0 * seed, 137.0 * seed + 160, 4.0):
            touching = [(a, b) for a, b in combinations(lane.actors(t), 2) if touch(a, b)]
            assert not touching, f"seed {seed}, second {t}"


def test_a_slow_vehicle_is_not_driven_through_once_the_one_between_has_turned_off() -> None:
    # One who turns off keeps those behind from seeing the bus that waits for a bicycle ahead.
    stream, lane = _lane(("kingsport", 5), 3, 1.0)
    for t in _seconds(725.0, 750.0):
        assert _least_gap(stream, lane.actors(t)) > 0, f"second {t}"


@pytest.mark.parametrize("which", _LANES, ids=str)
def test_nothing_jumps(which: _Names) -> None:
    for seed in range(2):
        stream, lane = _lane(which, seed, _BUSY)
        fastest = stream.speed * 1.1 + 0.01
        for (_, before), (_, after) in pairwise(_watch(lane, _seconds(137.0 * seed, 137.0 * seed + 60, 0.3))):
            for track_id in before.keys() & after.keys():
                a, b = before[track_id], after[track_id]
                assert 0 <= b.walked - a.walked <= fastest * 0.3
                assert math.dist((a.x, a.y), (b.x, b.y)) <= fastest * 0.3 * 1.2
                turned = abs((b.heading - a.heading + math.pi) % math.tau - math.pi)
                assert turned < 1.0
                assert a.kind == b.kind


@pytest.mark.parametrize("which", _LANES, ids=str)
def test_vehicles_come_in_at_the_start_and_leave_at_the_end(which: _Names) -> None:
    stream, lane = _lane(which)
    lengths = [path.length for path, _ in stream.routes]
    _assert_no_one_appears_from_nowhere(lane, lengths, 0.0, 500.0)


def _assert_no_one_appears_from_nowhere(
    lane: Lane, lengths: Sequence[float], start: float, end: float
) -> None:
    for (_, before), (t, after) in pairwise(_watch(lane, _seconds(start, end))):
        for new in after.keys() - before.keys():
            assert after[new].walked < 16, f"somebody is suddenly there at {t}"
        for gone in before.keys() - after.keys():
            last = before[gone].walked
            assert any(length - 16 < last for length in lengths), f"somebody vanishes at {t}"


@pytest.mark.parametrize("city", PLACES)
def test_track_ids_are_nobody_elses(city: str) -> None:
    lanes = [_lane((city, k), 5)[1] for k in range(len(PLACES[city].streams))]
    for t in _seconds(0.0, 900.0, 15.0):
        ids = [actor.track_id for lane in lanes for actor in lane.actors(t)]
        assert len(ids) == len(set(ids))
        assert all(0 <= track_id < 2**63 for track_id in ids)


def test_a_track_id_does_not_come_back() -> None:
    seen: dict[int, float] = {}
    for t, actors in _watch(_own(density=_BUSY), _seconds(0.0, 1500.0, 2.0)):
        for track_id in actors:
            assert t - seen.get(track_id, t) <= 2.0
            seen[track_id] = t
    assert len(seen) > 200


# Any second without the seconds before


@settings(max_examples=10)
@given(st.sampled_from(_LANES), st.integers(0, 50), st.lists(st.floats(0, 5000), min_size=2, max_size=5))
def test_the_order_of_questions_does_not_matter(which: _Names, seed: int, seconds: list[float]) -> None:
    there = [list(_fresh(which, seed)[1].actors(t)) for t in seconds]
    _, lane = _fresh(which, seed)
    back = [list(lane.actors(t)) for t in reversed(seconds)]

    assert there == back[::-1]


def test_a_moment_costs_what_was_before_it_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    driven = []
    drive = Lane._drive

    def counting(self: Lane, *args: Any) -> Trip | None:
        driven.append(drive(self, *args))
        return driven[-1]

    monkeypatch.setattr(Lane, "_drive", counting)
    lane = _own()
    for t in _seconds(0, 900, 30):
        here = {actor.track_id for actor in lane.actors(t)}
        before = [trip for trip in driven if trip is not None and trip.start <= t]
        assert here <= {trip.track_id for trip in before}
        # Of each block that was begun one more, which begins later, and one that never entered.
        assert len(driven) - len(before) <= 2 * (t // 300 + 2), t


def test_another_seed_is_another_day() -> None:
    assert list(_own(seed=1).actors(100.0)) != list(_own(seed=2).actors(100.0))


def test_busy_streets_have_more_than_light_ones() -> None:
    counts = []
    for density in (0.4, 1.0, _BUSY):
        lanes = [_own(seed=seed, density=density) for seed in range(4)]
        counts.append(sum(len(list(lane.actors(t))) for lane in lanes for t in _seconds(0, 600, 20)))

    assert counts[0] < 0.6 * counts[1]
    assert counts[1] < 0.8 * counts[2]


def test_the_street_never_empties_for_long() -> None:
    for which in _LANES[:2]:
        _, lane = _lane(which)
        empty = [t for t in _seconds(0, 2000, 5) if not list(lane.actors(t))]
        assert len(empty) < 0.35 * 400


@pytest.mark.parametrize("which", _LANES, ids=str)
def test_traffic_is_what_its_lane_is_for(which: _Names) -> None:
    stream, lane = _lane(which, 1, _BUSY)
    kinds = {actor.kind for t in _seconds(0, 300, 10) for actor in lane.actors(t)}

    assert kinds
    assert kinds <= set(stream.kinds)


# Signals


def _crossings(
    stream: Stream, lane: Lane, start: float, end: float, step: float = 0.2
) -> Iterator[tuple[float, Actor]]:
    """When each vehicle comes to the stop line, and how it was just before."""
    for (_, before), (t, after) in pairwise(_watch(lane, _seconds(start, end, step))):
        for track_id in before.keys() & after.keys():
            if _front(before[track_id]) < stream.stop_at <= _front(after[track_id]):
                yield t, before[track_id]


def _since_red(signal: Signal, t: float) -> float:
    return (t - signal.green[1] - signal.amber_s) % signal.cycle_s


@pytest.mark.parametrize("which", _SIGNALLED, ids=str)
def test_nobody_passes_a_light_that_has_been_red_for_longer_than_a_moment(which: _Names) -> None:
    for seed in range(3):
        stream, lane = _lane(which, seed, _BUSY)
        assert stream.signal is not None
        passed = list(_crossings(stream, lane, 137.0 * seed, 137.0 * seed + 160))
        assert passed
        late = [_since_red(stream.signal, t) for t, _ in passed if stream.signal.colour(t) == "red"]
        assert max(late, default=0.0) < 2.5, f"seed {seed}"


@pytest.mark.parametrize("which", _SIGNALLED, ids=str)
def test_only_who_could_not_have_stopped_at_amber_passes_at_red(which: _Names) -> None:
    comfortable = 2.0  # m/s2
    for seed in range(3):
        stream, lane = _lane(which, seed, _BUSY)
        assert stream.signal is not None
        for t, actor in _crossings(stream, lane, 137.0 * seed, 137.0 * seed + 160):
            if stream.signal.colour(t) != "red":
                continue
            amber = t - _since_red(stream.signal, t) - stream.signal.amber_s
            then = next(a for a in lane.actors(amber) if a.track_id == actor.track_id)
            needed = then.speed**2 / 2 / (stream.stop_at - _front(then))
            assert needed > comfortable, (
                f"seed {seed}, second {t}: passed at red, though braking with {needed:.2f} m/s2 "
                "from the beginning of amber would have done"
            )


def test_a_queue_stands_at_red_and_has_gone_after_green() -> None:
    lane = _own(stream=_LIT, density=_BUSY)
    queues = [sum(a.speed < 0.1 and a.walked < 150 for a in lane.actors(60.0 * k + 59)) for k in range(2, 6)]

    assert min(queues) >= 1
    assert not [
        a for k in range(2, 6) for a in lane.actors(60.0 * k + 28) if a.speed < 0.1 and 120 < a.walked < 150
    ]


def test_who_stands_brakes() -> None:
    lane = _own(stream=_LIT)
    standing = [a for t in _seconds(0, 300, 1) for a in lane.actors(t) if a.speed == 0]

    assert standing
    assert all(actor.braking for actor in standing)


# What events do


def test_on_a_closed_lane_is_nobody_while_it_is_closed() -> None:
    lane = _own(Disturbance(100, 160, closed=True), density=_BUSY)

    assert all(not list(lane.actors(t)) for t in _seconds(100, 160))
    assert list(lane.actors(60.0))
    assert list(lane.actors(230.0))


def test_nobody_who_could_stop_passes_a_place_that_is_blocked() -> None:
    for seed in range(5):
        lane = _own(Disturbance(100, 160, blocked_at=200.0), seed=seed, density=_BUSY)
        behind = {a.track_id for a in lane.actors(100.0) if _front(a) < 200.0 - 30.0}
        for t, actors in _watch(lane, _seconds(100, 160)):
            over = [a for k, a in actors.items() if k in behind and _front(a) > 200.3]
            assert not over, f"seed {seed}, second {t}"


def test_what_was_blocked_goes_on_afterwards() -> None:
    lane = _own(Disturbance(100, 160, blocked_at=200.0), density=_BUSY)
    waiting = [a.track_id for a in lane.actors(159.9) if a.speed < 0.1]
    after = {a.track_id: a for a in lane.actors(168.0)}

    assert len(waiting) >= 3
    assert after[waiting[0]].walked > 200


def test_behind_a_blocked_place_vehicles_keep_apart() -> None:
    for seed in range(5):
        lane = _own(Disturbance(100, 200, blocked_at=200.0), seed=seed, density=_BUSY)
        assert min(_least_gap(_FREE, lane.actors(t)) for t in _seconds(90, 260, 1)) > 0


def test_a_speed_factor_slows_everybody_down_for_its_time() -> None:
    lane = _own(Disturbance(100, 160, speed_factor=0.2), density=_BUSY)

    def fastest(t: float) -> float:
        return max(actor.speed for actor in lane.actors(t))

    assert fastest(99.0) > 8
    assert fastest(140.0) < 12 * 1.1 * 0.2 * 1.3
    assert fastest(220.0) > 8


def test_an_event_changes_nothing_long_before_it() -> None:
    with_event = _own(Disturbance(2000, 2060, closed=True))

    assert list(with_event.actors(200.0)) == list(_own().actors(200.0))


def test_events_may_begin_and_end_together() -> None:
    lane = _own(
        Disturbance(100, 160, blocked_at=200.0),
        Disturbance(100, 160, speed_factor=0.5),
        Disturbance(100, 160, closed=True),
    )

    assert not list(lane.actors(120.0))


def test_traffic_flows_on_through_one_event() -> None:
    for start in (40.0, 170.0, 290.0, 500.0):
        lane = _own(Disturbance(start, start + 60, speed_factor=0.3), density=_BUSY)
        _assert_no_one_appears_from_nowhere(lane, [300.0], 0.0, 900.0)


@pytest.mark.parametrize("apart", [150.0, 250.0, 350.0, 450.0])
def test_traffic_flows_on_through_several_events(apart: float) -> None:
    for seed in range(2):
        events = [Disturbance(100 + k * apart, 130 + k * apart, speed_factor=0.3) for k in range(3)]
        lane = _own(*events, seed=seed, density=_BUSY)
        _assert_no_one_appears_from_nowhere(lane, [300.0], 0.0, 1300.0)


@pytest.mark.parametrize("apart", [250.0, 350.0])
def test_any_second_of_several_events_can_be_asked_for_by_itself(apart: float) -> None:
    events = [Disturbance(100 + k * apart, 130 + k * apart, blocked_at=200.0) for k in range(3)]
    seconds = list(_seconds(50.0, 1200.0, 115.0))
    lane = _own(*events)
    alone = [list(_own(*events).actors(t)) for t in seconds]

    assert [list(lane.actors(t)) for t in reversed(seconds)][::-1] == alone
