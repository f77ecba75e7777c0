"""What goes wrong on the street, on a script: ``stalled@20:60`` begins at second 20, lasts 60."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from streetloop.city.world.driver import Disturbance
from streetloop.city.world.place import Place
from streetloop.city.world.script import entries
from streetloop.city.world.traffic import Actor
from streetloop.errors import ConfigError

EVENTS = (
    "stalled-vehicle",
    "wrong-way-driver",
    "pedestrian-on-carriageway",
    "congestion",
    "object-on-road",
    "camera-outage",
)
"""Every event by its name."""

_MAX_EVENT_S = 3600.0
_LATEST_S = 1e9
_DEFAULT_S = 60.0
_WRONG_WAY_SPEED = 9.0
_WALKING = 1.2
_EVENT_TRACKS = 1 << 51


@dataclass(frozen=True, slots=True, order=True)
class CityEvent:
    """One event: from second ``start`` for ``length`` seconds."""

    start: float
    length: float
    name: str

    @property
    def end(self) -> float:
        """The second at which it is over."""
        return self.start + self.length

    def is_on(self, t: float) -> bool:
        """True while the event lasts.

        Args:
            t: Second of the city.
        """
        return self.start <= t < self.end


def parse_events(text: str) -> tuple[CityEvent, ...]:
    """Events as they are written in a URI, in the order in which they begin.

    >>> parse_events("stalled-vehicle@20:60,congestion@5")[1].name
    'stalled-vehicle'

    Args:
        text: Entries ``name@start:length`` in seconds, separated by commas; the numbers may be left
            out.

    Raises:
        ConfigError: An event is unknown or malformed; the message lists those that exist.
    """
    example = "write congestion@60:120 for one that begins at second 60 and lasts 120 seconds"
    found = []
    for name, start, length in entries(text, "event", EVENTS, example):
        event = CityEvent(start or 0.0, _DEFAULT_S if length is None else length, name)
        if event.start > _LATEST_S:
            raise ConfigError(f"event {name!r} must begin within {_LATEST_S:g} seconds")
        if not 0 < event.length <= _MAX_EVENT_S:
            raise ConfigError(f"event {name!r} must last up to {_MAX_EVENT_S:g} seconds")
        found.append(event)
    return tuple(sorted(found))


def disturbances(place: Place, events: Sequence[CityEvent]) -> dict[str, list[Disturbance]]:
    """What events do to the traffic, by lane.

    Args:
        place: Where; its spots say which lanes an event concerns.
        events: The events.
    """
    lanes: dict[str, list[Disturbance]] = {}
    spots = place.spots
    for event in events:
        window = (event.start, event.end)
        if event.name == "stalled-vehicle":
            lane, at = spots.stalled
            lanes.setdefault(lane, []).append(Disturbance(*window, blocked_at=at - 4.0))
        elif event.name == "wrong-way-driver":
            lanes.setdefault(spots.wrong_way, []).append(Disturbance(*window, closed=True))
        elif event.name == "object-on-road":
            lane = spots.object[0]
            lanes.setdefault(lane, []).append(Disturbance(*window, speed_factor=0.55))
        elif event.name == "congestion":
            for lane in spots.congestion:
                lanes.setdefault(lane, []).append(Disturbance(*window, speed_factor=0.12))
    return lanes


def happening(place: Place, events: Sequence[CityEvent], t: float) -> list[tuple[CityEvent, Actor | None]]:
    """Ongoing events, each with the object that it adds to the street.

    Args:
        place: Where.
        events: All events of the camera.
        t: Second of the city.
    """
    return [
        (event, _extra(place, event, t, _EVENT_TRACKS + number))
        for number, event in enumerate(events)
        if event.is_on(t)
    ]


def _extra(place: Place, event: CityEvent, t: float, track_id: int) -> Actor | None:
    spots = place.spots
    paths = {stream.name: stream.routes[0][0] for stream in place.streams}
    since = t - event.start
    if event.name == "stalled-vehicle":
        lane, at = spots.stalled
        return Actor(track_id, "van", *paths[lane].at(at), hazard=since % 0.8 < 0.4)
    if event.name == "object-on-road":
        lane, at, offset = spots.object
        pose = paths[lane].at(at, offset)
        return Actor(track_id, "lost load", pose.x, pose.y, pose.heading + 0.5)
    if event.name == "wrong-way-driver":
        path = paths[spots.wrong_way]
        s = path.length * 0.85 - since * _WRONG_WAY_SPEED
        if s < 0:
            return None
        pose = path.at(s)
        return Actor(
            track_id,
            "hatchback",
            pose.x,
            pose.y,
            pose.heading + math.pi,
            _WRONG_WAY_SPEED,
            since * _WRONG_WAY_SPEED,
        )
    if event.name == "pedestrian-on-carriageway":
        walked = since * _WALKING
        if walked >= spots.pedestrian.length:
            return None
        return Actor(track_id, "person", *spots.pedestrian.at(walked), _WALKING, walked)
    return None
