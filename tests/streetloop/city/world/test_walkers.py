import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streetloop.city.world.places import PLACES
from streetloop.city.world.roads import Signal, Walk, straight
from streetloop.city.world.walkers import Pavement

_WALKS = [(city, k) for city, place in PLACES.items() for k in range(len(place.walks))]
_CROSSINGS = [(city, k) for city, k in _WALKS if PLACES[city].walks[k].signal]
_SLOWEST, _FASTEST = 0.9, 1.7
_WIDTHS = {
    **{("kingsport", k): 6.8 if k < 4 else 13.6 for k in range(8)},
    ("millbrook", 4): 8.8,
    ("millbrook", 5): 8.8,
}
"""Metres of carriageway that each crossing leads over."""
_OWN = Walk("own", straight((0, 0), (60, 0)), 5.0, Signal(60, (20, 30), 0), 30.0)

_Names = tuple[str, int]


def _pavement(which: _Names, seed: int = 0, density: float = 1.7) -> tuple[Walk, Pavement]:
    city, k = which
    walks = PLACES[city].walks
    return walks[k], Pavement(walks[k], k, len(walks), (city, seed), density)


def _seconds(start: float, end: float, step: float) -> Iterator[float]:
    return (start + k * step for k in range(round((end - start) / step)))


@pytest.mark.parametrize("which", _CROSSINGS, ids=str)
def test_nobody_steps_onto_the_crossing_unless_the_man_is_green(which: _Names) -> None:
    walk, people = _pavement(which)
    assert walk.signal is not None
    before: dict[int, float] = {}
    started = 0
    for t in _seconds(0, 600, 0.5):
        now = {a.track_id: a.walked for a in people.actors(t)}
        for track_id, s in now.items():
            if before.get(track_id, math.inf) <= walk.hold_at < s:
                started += 1
                assert walk.signal.colour(t - 0.5 - 0.75) == "green" or (walk.signal.colour(t) == "green"), (
                    f"second {t}"
                )
        before = now
    assert started > 3


@pytest.mark.parametrize("which", _CROSSINGS, ids=str)
def test_who_comes_at_red_stands_at_the_kerb_and_goes_when_it_is_green(which: _Names) -> None:
    walk, people = _pavement(which)
    assert walk.signal is not None
    cycle, (green, _) = walk.signal.cycle_s, walk.signal.green
    just_before = [green - 0.1 + cycle * k for k in range(2, 12)]
    waiting = [(t, a) for t in just_before for a in people.actors(t) if a.speed == 0]

    assert len(waiting) > 3
    for t, actor in waiting:
        assert walk.hold_at - 1.3 <= actor.walked <= walk.hold_at
        later = {a.track_id: a for a in people.actors(t + 3.0)}[actor.track_id]
        assert later.walked > actor.walked
        assert later.speed > 0


@pytest.mark.parametrize("which", _CROSSINGS, ids=str)
def test_nobody_is_on_the_carriageway_once_the_vehicles_have_been_green_for_a_moment(which: _Names) -> None:
    walk, people = _pavement(which)
    kerb = walk.hold_at + 0.7
    for signal in {s.signal for s in PLACES[which[0]].streams if s.signal}:
        for k in range(8):
            t = signal.cycle_s * k + signal.green[0] + 2.0
            over = [a for a in people.actors(t) if kerb < a.walked < kerb + _WIDTHS[which]]
            assert not over, f"second {t}"


@pytest.mark.parametrize("which", _WALKS, ids=str)
def test_nobody_jumps(which: _Names) -> None:
    walk, people = _pavement(which, seed=3)
    before: dict[int, float] = {}
    for t in _seconds(0, 120, 0.5):
        now = {a.track_id: a.walked for a in people.actors(t)}
        for track_id in now.keys() & before.keys():
            assert -1e-9 <= now[track_id] - before[track_id] <= _FASTEST * 0.5 + 1e-9
        if before:
            assert all(now[new] < 1.0 for new in now.keys() - before.keys())
            length = walk.path.length
            assert all(before[gone] > length - 1.0 for gone in before.keys() - now.keys())
        before = now


@pytest.mark.parametrize("city", [city for city, place in PLACES.items() if place.walks])
def test_everybody_has_a_track_id_of_their_own(city: str) -> None:
    ways = [_pavement((city, k))[1] for k in range(len(PLACES[city].walks))]
    for t in _seconds(0, 300, 10):
        ids = [actor.track_id for way in ways for actor in way.actors(t)]
        assert len(ids) == len(set(ids))


@settings(max_examples=25)
@given(st.integers(0, 100), st.lists(st.floats(0, 5000), min_size=2, max_size=6))
def test_the_order_of_questions_does_not_matter(seed: int, seconds: list[float]) -> None:
    first, second = (Pavement(_OWN, 0, 1, seed, 1.0) for _ in range(2))

    there = [list(first.actors(t)) for t in seconds]
    assert [list(second.actors(t)) for t in reversed(seconds)][::-1] == there


@given(st.integers(0, 50), st.floats(0, 3000))
def test_people_walk_at_a_human_pace_on_their_side_of_the_way(seed: int, t: float) -> None:
    for actor in Pavement(_OWN, 0, 1, seed, 1.0).actors(t):
        assert actor.kind == "person"
        assert actor.speed == 0 or _SLOWEST <= actor.speed <= _FASTEST
        assert 0 <= actor.walked <= 60
        assert abs(actor.y) <= _OWN.width / 2


def test_a_busy_place_has_more_people_than_a_light_one() -> None:
    counts = [
        sum(len(list(Pavement(_OWN, 0, 1, 0, density).actors(t))) for t in _seconds(0, 900, 20))
        for density in (0.4, 1.0, 1.7)
    ]

    assert counts == sorted(counts)
    assert counts[2] > 2 * counts[0]


def test_without_a_signal_nobody_waits() -> None:
    walk = Walk("free", straight((0, 0), (60, 0)), 5.0)
    people = Pavement(walk, 0, 1, 0, 1.0)

    assert all(a.speed >= _SLOWEST for t in _seconds(0, 300, 5) for a in people.actors(t))
