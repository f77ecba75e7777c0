import math
from itertools import pairwise

import pytest

from streetloop.city.render.shapes import CLASS_OF
from streetloop.city.world.place import Place
from streetloop.city.world.places import PLACES
from streetloop.city.world.traffic import LENGTHS

_PLACES = pytest.mark.parametrize("place", PLACES.values(), ids=lambda place: place.name)


def test_there_are_four_cities_each_known_by_its_name() -> None:
    assert len(PLACES) == 4
    assert all(place.name == name for name, place in PLACES.items())


@_PLACES
def test_a_city_has_four_cameras_on_masts_above_the_traffic(place: Place) -> None:
    assert len(place.cameras) == 4
    for mast in place.cameras.values():
        assert 5 < mast.height < 20
        assert 0 < mast.tilt < 45
        assert 20 < mast.fov < 90
    assert len(set(place.cameras.values())) == 4


@_PLACES
def test_lanes_and_ways_have_names_of_their_own(place: Place) -> None:
    for names in ([s.name for s in place.streams], [w.name for w in place.walks]):
        assert len(names) == len(set(names))
    assert place.streams


@_PLACES
def test_the_routes_of_a_lane_begin_alike_and_share_out_its_vehicles(place: Place) -> None:
    for stream in place.streams:
        assert sum(share for _, share in stream.routes) == pytest.approx(1.0)
        starts = {path.at(0.0)[:2] for path, _ in stream.routes}
        assert len(starts) == 1
        assert set(stream.kinds) <= set(LENGTHS)
        if stream.signal:
            assert 0 < stream.stop_at < min(path.length for path, _ in stream.routes)


@_PLACES
def test_ways_have_no_sharp_corners_for_vehicles(place: Place) -> None:
    for stream in place.streams:
        for path, _ in stream.routes:
            poses = [path.at(s / 2).heading for s in range(int(path.length * 2))]
            turns = [abs((b - a + math.pi) % math.tau - math.pi) for a, b in pairwise(poses)]
            assert max(turns) < 0.35


@_PLACES
def test_events_happen_on_lanes_that_exist_and_within_them(place: Place) -> None:
    lanes = {stream.name: stream.routes[0][0].length for stream in place.streams}
    spots = place.spots

    assert {spots.wrong_way, *spots.congestion} <= set(lanes)
    for name, at in (spots.stalled, spots.object[:2]):
        assert 0 < at < lanes[name]
    assert spots.congestion
    assert spots.pedestrian.length > 20


@_PLACES
def test_the_sun_stands_higher_by_day_than_when_it_is_low(place: Place) -> None:
    assert 30 < place.sun[1] < 90
    assert 0 < place.low_sun[1] < 15


@_PLACES
def test_some_camera_looks_towards_the_low_sun(place: Place) -> None:
    apart = [abs((mast.bearing - place.low_sun[0] + 180) % 360 - 180) for mast in place.cameras.values()]

    assert min(apart) < 45


@_PLACES
def test_vehicles_do_not_wait_on_the_crossing_and_people_not_on_the_road(place: Place) -> None:
    for walk in place.walks:
        if walk.signal:
            assert 0 < walk.hold_at < walk.path.length / 2
            greens = [walk.signal, *{s.signal for s in place.streams if s.signal}]
            for second in range(round(walk.signal.cycle_s) * 2):
                assert [s.colour(second) for s in greens].count("green") <= 1


@_PLACES
def test_what_is_parked_stands_off_the_lanes(place: Place) -> None:
    for parked in place.parked:
        assert parked.kind in CLASS_OF
        for stream in place.streams:
            for path, _ in stream.routes:
                nearest = min(
                    math.dist(path.at(float(s))[:2], (parked.x, parked.y)) for s in range(int(path.length))
                )
                assert nearest > 2.2


@_PLACES
def test_no_camera_stands_inside_a_house(place: Place) -> None:
    for mast in place.cameras.values():
        for solid in place.solids:
            turn = math.radians(solid.heading)
            dx, dy = mast.x - solid.x, mast.y - solid.y
            along = dx * math.cos(turn) + dy * math.sin(turn)
            aside = dy * math.cos(turn) - dx * math.sin(turn)
            inside = abs(along) < solid.length / 2 and abs(aside) < solid.width / 2
            assert not (inside and solid.bottom < mast.height < solid.top)
