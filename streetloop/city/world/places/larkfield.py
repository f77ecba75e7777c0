"""Larkfield: a dual carriageway in a long bend between fields. Traffic keeps right."""

import math

from streetloop.city.world.ground import Ground
from streetloop.city.world.place import Lamp, Place, Solid, Spots, Tree, mast_beside
from streetloop.city.world.rng import draw
from streetloop.city.world.roads import Path, Stream, curve

_LANE = 3.6
_INNER = 2.4  # from the middle to the first lane
_SHOULDER = 2.8
_EDGE = _INNER + 3 * _LANE
_REST = 640.0  # radius of the bend

MIDDLE = curve((0.0, -_REST), _REST, 107.0, 73.0)
_LONG = curve((0.0, -_REST), _REST, 130.0, 50.0, step_m=12.0)

_SLOW = {"hatchback": 3, "saloon": 3, "suv": 2, "van": 3, "truck": 5, "bus": 0.8, "motorcycle": 0.3}
_MIDDLE = {"hatchback": 5, "saloon": 5, "suv": 4, "van": 3, "truck": 1.2, "bus": 0.5,
           "motorcycle": 1.4}  # fmt: skip
_FAST = {"hatchback": 4, "saloon": 6, "suv": 4, "van": 1.2, "motorcycle": 2.0}


_FAR_HOUSES = (
    (-190, 70, 44, 9, "concrete"), (-120, 130, 30, 12, "brick"), (150, 120, 60, 10, "concrete"),
    (210, -90, 34, 26, "office"), (60, 210, 40, 30, "office"), (-60, -150, 50, 8, "concrete"),
    (260, 20, 30, 38, "office"), (-300, -60, 30, 34, "office"),
)  # fmt: skip


def _streams() -> tuple[Stream, ...]:
    streams = []
    for lane, (speed, headway, kinds) in enumerate(
        ((27.0, 6.5, _FAST), (24.5, 4.6, _MIDDLE), (21.5, 5.2, _SLOW))
    ):
        offset = _INNER + (lane + 0.5) * _LANE
        east = MIDDLE.shifted(-offset)
        west = MIDDLE.shifted(offset).reversed()
        for name, path in (("east", east), ("west", west)):
            streams.append(Stream(f"{name}-{lane + 1}", ((path, 1.0),), speed, headway, kinds))
    return tuple(streams)


def _paint(ground: Ground) -> None:
    ground.strip(_LONG, 74.0, "earth")
    ground.strip(_LONG, 60.0, "grass")
    ground.strip(_LONG, 2 * (_EDGE + _SHOULDER), "asphalt")
    ground.strip(_LONG, 2 * _INNER - 1.0, "worn")
    for side in (1, -1):
        ground.line(_LONG, side * (_INNER - 0.2), 0.18, surface="yellow")
        ground.line(_LONG, side * (_EDGE + 0.15), 0.2)
        for lane in (1, 2):
            ground.line(_LONG, side * (_INNER + lane * _LANE), 0.15, dash=(3.0, 9.0))
        way = MIDDLE if side < 0 else MIDDLE.reversed()
        for s in (120.0, 260.0):
            ground.arrow(way, s, -(_INNER + 2.5 * _LANE))
    for k in range(-6, 7):  # furrows of the fields
        for side in (1, -1):
            ground.strip(_LONG.shifted(side * (46.0 + 9 * abs(k))), 3.0, "grass")


def _beside(
    s: float,
    offset: float,
    length: float,
    width: float,
    top: float,
    look: str,
    bottom: float = 0.0,
    turn: float = 0.0,
) -> Solid:
    pose = MIDDLE.at(s, offset)
    heading = math.degrees(pose.heading) + turn
    return Solid(pose.x, pose.y, length, width, top, look, heading, bottom)


def _furniture() -> tuple[Solid, ...]:
    solids = []
    s = 0.0
    while s < MIDDLE.length:
        solids.append(_beside(s + 5, 0.0, 10.2, 0.45, 0.95, "concrete"))
        for side in (1, -1):
            solids.append(
                _beside(s + 5, side * (_EDGE + _SHOULDER + 0.7), 10.2, 0.1, 0.8, "rail", bottom=0.45)
            )
        s += 10.0
    for s, side in ((255.0, -1), (95.0, 1)):
        for offset in (0.0, side * (_EDGE + _SHOULDER + 1.4)):
            solids.append(_beside(s, offset, 0.4, 0.4, 7.4, "steel"))
        middle = side * (_EDGE + _SHOULDER + 1.4) / 2
        solids.append(_beside(s, middle, 0.4, abs(2 * middle), 7.5, "steel", bottom=7.05))
        for offset in (side * (_INNER + 1.1 * _LANE), side * (_INNER + 2.7 * _LANE)):
            solids.append(_beside(s, offset, 0.2, 4.6, 8.6, "sign", bottom=5.9))
    for x, y, length, top, look in _FAR_HOUSES:
        solids.append(Solid(x, y, length, 22, top, look, tint=(0.96, 0.98, 1.0)))
    return tuple(solids)


def _trees() -> tuple[Tree, ...]:
    trees = []
    rng = draw("larkfield", "trees")
    for side in (1, -1):
        s = 4.0
        while s < MIDDLE.length:
            pose = MIDDLE.at(s, side * rng.uniform(25.0, 40.0))
            trees.append(Tree(pose.x, pose.y, rng.uniform(6, 11), rng.uniform(2.2, 3.6)))
            s += rng.uniform(9, 24)
    return tuple(trees)


def _lamps() -> tuple[Lamp, ...]:
    lamps = []
    for k in range(8):
        post = MIDDLE.at(24.0 + 44.0 * k)
        for side in (1, -1):
            light = MIDDLE.at(24.0 + 44.0 * k, side * 2.6)
            lamps.append(Lamp(light.x, light.y, 11.0, post.x, post.y))
    return tuple(lamps)


LARKFIELD = Place(
    name="larkfield",
    base="grass",
    paint=_paint,
    streams=_streams(),
    walks=(),
    cameras={
        "overbridge": mast_beside(MIDDLE, 60.0, -7.0, 9.0, 0.0, 13.5, 56.0, distortion=-0.02),
        "verge-west": mast_beside(MIDDLE, 100.0, -19.5, 9.5, -17.0, 14.0, 56.0),
        "verge-east": mast_beside(MIDDLE, 300.0, 20.0, 10.5, 196.0 - 30.0, 15.0, 60.0, roll=0.8),
        "gantry": mast_beside(MIDDLE, 210.0, -9.0, 7.6, 183.0, 15.0, 62.0, distortion=-0.09),
    },
    spots=Spots(
        stalled=("east-3", 215.0),
        wrong_way="east-1",
        object=("east-2", 195.0, 1.2),
        pedestrian=Path(tuple(MIDDLE.at(s, -_EDGE - 0.6)[:2] for s in (140.0, 180.0, 220.0, 260.0, 290.0))),
        congestion=("east-1", "east-2", "east-3"),
    ),
    sun=(205.0, 42.0),
    low_sun=(84.0, 8.0),
    bus=(0.62, 0.60, 0.58),
    solids=_furniture(),
    trees=_trees(),
    lamps=_lamps(),
)
