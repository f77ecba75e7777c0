from collections.abc import Iterator

import numpy as np
import pytest

from streetloop.city.truth import Happening, Truth
from streetloop.city.world.city_events import EVENTS, CityEvent, disturbances, parse_events
from streetloop.city.world.city_events import happening as what_happens
from streetloop.city.world.places import PLACES
from streetloop.city.world.traffic import Actor, Lane
from streetloop.errors import ConfigError
from tests.support.samples.city import touch, view

_SHOWN = ("stalled-vehicle", "wrong-way-driver", "pedestrian-on-carriageway", "object-on-road")
"""Events that put something onto the street."""

_EVERYWHERE = [(city, name) for city in PLACES for name in EVENTS]
_START, _LENGTH = 30.0, 20.0
_KINDS = {"stalled-vehicle": "van", "wrong-way-driver": "hatchback", "pedestrian-on-carriageway": "person"}


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_written_by_its_name_and_lasts_a_minute_unless_told(name: str) -> None:
    assert parse_events(name) == (CityEvent(0.0, 60.0, name),)
    assert parse_events(f"{name}@20") == (CityEvent(20.0, 60.0, name),)
    assert parse_events(f"{name}@20:0.5") == (CityEvent(20.0, 0.5, name),)


def test_events_are_put_in_the_order_in_which_they_begin() -> None:
    names = [event.name for event in parse_events("stalled-vehicle@20, congestion@5:9")]

    assert names == ["congestion", "stalled-vehicle"]


def test_an_unknown_event_is_named_with_all_that_exist() -> None:
    with pytest.raises(ConfigError, match="unknown event 'earthquake'") as caught:
        parse_events("congestion,earthquake@4")
    assert all(name in str(caught.value) for name in EVENTS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "congestion,",
        "congestion@",
        "congestion@5:",
        "congestion@-5",
        "congestion:5",
        "congestion@x",
        "congestion@1e3",
        "congestion@nan",
    ],
)
def test_what_is_malformed_is_quoted_and_the_form_is_shown(text: str) -> None:
    with pytest.raises(ConfigError, match="is not understood; write congestion@60:120"):
        parse_events(text)


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="no such number"):
        parse_events("congestion@1.2.3")


@pytest.mark.parametrize("length", ["0", "0.0", "3601", "9" * 400])
def test_an_event_lasts_up_to_an_hour(length: str) -> None:
    with pytest.raises(ConfigError, match="must last up to 3600 seconds"):
        parse_events(f"congestion@5:{length}")


def test_an_event_that_never_begins_in_any_city_is_refused() -> None:
    with pytest.raises(ConfigError):
        parse_events("stalled-vehicle@" + "9" * 400)


def test_an_event_is_on_from_its_start_until_just_before_its_end() -> None:
    event = CityEvent(20.0, 60.0, "congestion")

    assert event.end == 80.0
    assert [event.is_on(t) for t in (19.99, 20.0, 79.99, 80.0)] == [False, True, True, False]


# In the truth


def _truths(city: str, event: str, seconds: tuple[float, ...], cameras: int = 1) -> Iterator[Truth]:
    for camera in list(PLACES[city].cameras)[:cameras]:
        options = [f"event={event}@{_START}:{_LENGTH}", "traffic=light"]
        if (city, cameras) == ("larkfield", 4):  # far away
            options.append("size=320x180")
        seen = view(f"{city}/{camera}", *options)
        yield from (seen.truth(round(10 * t)) for t in seconds)


@pytest.mark.parametrize(("city", "name"), _EVERYWHERE)
def test_an_event_is_in_the_truth_while_it_lasts_and_at_no_other_time(city: str, name: str) -> None:
    for truth in _truths(city, name, (30.0, 49.9)):
        (happening,) = truth.happening
        assert (happening.name, happening.start, happening.length) == (name, _START, _LENGTH)
    for truth in _truths(city, name, (29.9, 50.0)):
        assert truth.happening == ()


@pytest.mark.parametrize(("city", "name"), [e for e in _EVERYWHERE if e[1] in _SHOWN])
def test_what_an_event_puts_on_the_street_is_seen_by_some_camera(city: str, name: str) -> None:
    seconds = tuple(_START + k for k in range(0, 20, 4))
    shown: list[tuple[Truth, Happening]] = []
    for truth in _truths(city, name, seconds, 4):  # camera by camera; one that sees it will do
        shown += [(truth, happening) for happening in truth.happening if happening.xyxy]
        if len(shown) == 2:
            break

    assert shown
    for truth, happening in shown:
        assert happening.xyxy is not None
        left, top, right, bottom = happening.xyxy
        assert 0 <= left < right <= 320
        assert 0 <= top < bottom <= 180
        things = [thing for thing in truth.seen if thing.track_id == happening.track_id]
        assert [(t.kind, t.xyxy) for t in things] == (
            [(_KINDS[name], happening.xyxy)] if name in _KINDS else []
        )


@pytest.mark.parametrize(("city", "name"), [e for e in _EVERYWHERE if e[1] in _SHOWN])
def test_what_an_event_puts_on_the_street_is_gone_outside_of_its_time(city: str, name: str) -> None:
    events = (CityEvent(_START, _LENGTH, name),)

    assert what_happens(PLACES[city], events, _START - 0.01) == []
    assert what_happens(PLACES[city], events, _START + _LENGTH) == []
    ((event, actor),) = what_happens(PLACES[city], events, _START + 1.0)
    assert event == events[0]
    assert 1 << 51 <= actor.track_id < 1 << 53


def test_what_is_lost_on_the_road_can_be_seen_in_the_picture() -> None:
    camera, options = "stonebridge/middle", ("seed=5", "traffic=light")
    with_it = view(camera, f"event=object-on-road@{_START}:{_LENGTH}", *options)
    without = view(camera, *options)
    marked = [h.xyxy for h in with_it.truth(350).happening if h.xyxy]
    if not marked:
        pytest.fail("the camera does not see it")
    left, top, right, bottom = (int(v) for v in marked[0])
    box = (slice(top, bottom), slice(left, right))

    difference = with_it.render(350)[box].astype(int) - without.render(350)[box]
    assert np.abs(difference).mean() > 8


@pytest.mark.parametrize("city", PLACES)
def test_several_events_each_have_their_own_track(city: str) -> None:
    names = ",".join(f"{name}@{_START + k}:{_LENGTH}" for k, name in enumerate(_SHOWN))
    camera = next(iter(PLACES[city].cameras))
    happening = view(f"{city}/{camera}", f"event={names}", "traffic=light").truth(350).happening

    assert [h.name for h in happening] == list(_SHOWN)
    assert len({h.track_id for h in happening}) == len(_SHOWN)


@pytest.mark.parametrize("city", PLACES)
def test_all_events_may_begin_at_the_same_second(city: str) -> None:
    names = ",".join(f"{name}@{_START}:{_LENGTH}" for name in EVENTS)
    camera = next(iter(PLACES[city].cameras))

    assert len(view(f"{city}/{camera}", f"event={names}", "traffic=light").truth(350).happening) == len(
        EVENTS
    )


def test_two_of_one_kind_at_the_same_time_are_two() -> None:
    twice = f"event=object-on-road@{_START}:{_LENGTH},object-on-road@{_START}:{_LENGTH}"
    happening = view("stonebridge/middle", twice).truth(350).happening

    assert len({h.track_id for h in happening}) == 2


# On the street


def _lanes(city: str, event: str, seed: int = 2) -> dict[str, tuple[Lane, Lane]]:
    """Each lane that an event touches, with the event and without."""
    place = PLACES[city]
    happens = disturbances(place, parse_events(event))
    return {
        stream.name: (
            Lane(stream, k, len(place.streams), seed, 1.7, happens[stream.name]),
            Lane(stream, k, len(place.streams), seed, 1.7),
        )
        for k, stream in enumerate(place.streams)
        if stream.name in happens
    }


def _speed(lane: Lane, seconds: Iterator[float] | range) -> float:
    speeds = [actor.speed for t in seconds for actor in lane.actors(t)]
    return sum(speeds) / max(len(speeds), 1)


@pytest.mark.parametrize("city", PLACES)
def test_congestion_slows_the_lanes_that_clog(city: str) -> None:
    lanes = _lanes(city, "congestion@300:90")

    assert set(lanes) == set(PLACES[city].spots.congestion)
    for clogged, free in lanes.values():
        assert _speed(clogged, range(320, 390, 5)) < 0.4 * _speed(free, range(320, 390, 5))


@pytest.mark.parametrize("city", PLACES)
def test_congestion_fills_the_street(city: str) -> None:
    lanes = _lanes(city, "congestion@300:90").values()
    clogged, free = (
        sum(len(list(pair[k].actors(t))) for pair in lanes for t in (370, 380, 389)) for k in (0, 1)
    )

    assert clogged > 1.1 * free


@pytest.mark.parametrize("city", PLACES)
def test_nobody_meets_the_one_who_drives_the_wrong_way(city: str) -> None:
    lanes = _lanes(city, "wrong-way-driver@300:30")

    assert set(lanes) == {PLACES[city].spots.wrong_way}
    ((lane, _),) = lanes.values()
    assert not [a for t in range(300, 330) for a in lane.actors(t)]


@pytest.mark.parametrize("city", PLACES)
def test_who_drives_the_wrong_way_goes_against_the_lane(city: str) -> None:
    place = PLACES[city]
    path = next(s.routes[0][0] for s in place.streams if s.name == place.spots.wrong_way)
    events = parse_events("wrong-way-driver@0:60")
    first, later = (_actor(what_happens(place, events, t)) for t in (1.0, 2.0))

    heading = path.at(path.length * 0.85 - 9.0).heading
    assert np.cos(first.heading - heading) < -0.95
    moved = np.subtract((later.x, later.y), (first.x, first.y))
    assert moved @ (np.cos(heading), np.sin(heading)) == pytest.approx(-9.0, abs=0.5)


def _actor(found: list[tuple[CityEvent, Actor]]) -> Actor:
    ((_, actor),) = found
    return actor


@pytest.mark.parametrize("city", PLACES)
def test_a_stalled_vehicle_stands_and_flashes_and_others_queue_behind_it(city: str) -> None:
    place, event = PLACES[city], "stalled-vehicle@300:90"
    standing = [_actor(what_happens(place, parse_events(event), 300 + k * 0.3)) for k in range(10)]
    assert {actor.hazard for actor in standing} == {True, False}
    assert len({(actor.x, actor.y, actor.heading) for actor in standing}) == 1

    name, at = place.spots.stalled
    lane, _ = _lanes(city, event)[name]
    assert [a for a in lane.actors(385.0) if a.speed < 0.1 and at - 40 < a.walked < at]


@pytest.mark.parametrize("city", PLACES)
def test_nobody_drives_through_a_stalled_vehicle(city: str) -> None:
    place, events = PLACES[city], parse_events("stalled-vehicle@300:60")
    happens = disturbances(place, events)
    stalled = _actor(what_happens(place, events, 301.0))
    for seed in range(2):
        lanes = [
            Lane(stream, k, len(place.streams), (city, seed), 1.7, happens.get(stream.name, ()))
            for k, stream in enumerate(place.streams)
        ]
        for t in range(305, 360, 2):  # whoever was just there has had time to get away
            through = [a for lane in lanes for a in lane.actors(t) if touch(a, stalled)]
            assert not through, f"seed {seed}, second {t}"


@pytest.mark.parametrize("city", PLACES)
def test_something_on_the_road_makes_drivers_slow_down(city: str) -> None:
    lanes = _lanes(city, "object-on-road@300:90")

    ((slowed, free),) = lanes.values()
    assert _speed(slowed, range(320, 390, 5)) < 0.9 * _speed(free, range(320, 390, 5))


@pytest.mark.parametrize("name", ["camera-outage", "pedestrian-on-carriageway"])
def test_some_events_leave_the_traffic_alone(name: str) -> None:
    for place in PLACES.values():
        assert disturbances(place, parse_events(name)) == {}
