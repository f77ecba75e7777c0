"""What a place in a city is made of."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from streetloop.city.world.camera_model import Mast
from streetloop.city.world.ground import Ground
from streetloop.city.world.roads import Path, Signal, Stream, Walk


def mast_beside(
    way: Path, s: float, offset: float, height: float, turn: float, tilt: float, fov: float, **lens: float
) -> Mast:
    """A camera beside a way.

    Args:
        way: The road that it stands at.
        s: Metres along the way.
        offset: Metres to the left of the way.
        height: Of the camera in metres.
        turn: Degrees to the right of the way's direction.
        tilt: Degrees below the horizon.
        fov: Horizontal field of view in degrees.
        **lens: Other attributes of `Mast`.
    """
    pose = way.at(s, offset)
    bearing = 90.0 - math.degrees(pose.heading) + turn
    return Mast(pose.x, pose.y, height, bearing, tilt, fov, **lens)


@dataclass(frozen=True)
class Solid:
    """An upright box.

    Attributes:
        x: Metres east of its middle.
        y: Metres north of its middle.
        length: Metres along its heading.
        width: Metres across.
        top: Metres above the street.
        look: What its sides are, a key of `backdrop.FACES`.
        heading: Degrees counter-clockwise from east.
        bottom: Metres above the street.
        tint: Multiplies its colour, blue first.
    """

    x: float
    y: float
    length: float
    width: float
    top: float
    look: str
    heading: float = 0.0
    bottom: float = 0.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Tree:
    """A tree; ``height`` and ``radius`` of its crown in metres."""

    x: float
    y: float
    height: float = 8.0
    radius: float = 2.6


@dataclass(frozen=True)
class Lamp:
    """A street lamp: where its light hangs, and where its post stands."""

    x: float
    y: float
    height: float
    post_x: float
    post_y: float


@dataclass(frozen=True)
class Head:
    """A signal head over the stop line; ``facing`` in degrees counter-clockwise from east."""

    x: float
    y: float
    height: float
    facing: float
    signal: Signal


@dataclass(frozen=True)
class Parked:
    """A vehicle that stands at the kerb."""

    x: float
    y: float
    heading: float
    kind: str


@dataclass(frozen=True)
class Spots:
    """Where the events of a place happen.

    Attributes:
        stalled: Lane, and metres along, where a vehicle breaks down.
        wrong_way: Lane along which somebody drives the wrong way.
        object: Lane, metres along and offset of something lost on the road.
        pedestrian: Way of somebody who walks on the carriageway.
        congestion: Lanes that clog.
    """

    stalled: tuple[str, float]
    wrong_way: str
    object: tuple[str, float, float]
    pedestrian: Path
    congestion: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """One city: its street, who uses it, and the cameras that watch.

    Attributes:
        name: As in ``sim://<name>/<camera>``.
        base: Surface of the ground where nothing else is painted.
        paint: Paints the ground.
        streams: Lanes.
        walks: Ways on foot.
        cameras: Camera by name.
        spots: Where events happen.
        sun: Azimuth (degrees clockwise from north) and height (degrees) by day.
        low_sun: The same when it stands low.
        bus: Colour of its buses, blue first, 0 to 1.
    """

    name: str
    base: str
    paint: Callable[[Ground], None]
    streams: tuple[Stream, ...]
    walks: tuple[Walk, ...]
    cameras: Mapping[str, Mast]
    spots: Spots
    sun: tuple[float, float]
    low_sun: tuple[float, float]
    bus: tuple[float, float, float]
    solids: tuple[Solid, ...] = ()
    trees: tuple[Tree, ...] = ()
    lamps: tuple[Lamp, ...] = ()
    heads: tuple[Head, ...] = ()
    parked: tuple[Parked, ...] = ()
