"""Stonebridge: a street with cycle lanes crosses the river. Traffic keeps right."""

from streetloop.city.world.camera_model import Mast
from streetloop.city.world.ground import Ground
from streetloop.city.world.place import Lamp, Place, Solid, Spots, Tree
from streetloop.city.world.rng import draw
from streetloop.city.world.roads import Path, Stream, Walk, straight

_LANE = 3.4
_CYCLE = 1.8
_ROAD = 2 * (_LANE + _CYCLE)
_PARAPET = 9.4
_BANK = 62.0  # where the bridge ends, either way
_FAR = 140.0

_KINDS = {"hatchback": 5, "saloon": 4, "suv": 4, "van": 2, "truck": 1, "bus": 1.6, "motorcycle": 1.6}


def _streams() -> tuple[Stream, ...]:
    streams = []
    for name, sign in (("east", 1), ("west", -1)):
        y = -sign * _LANE / 2
        lane = straight((-sign * _FAR, y), (sign * _FAR, y))
        streams.append(Stream(name, ((lane, 1.0),), 11.5, 5.0, _KINDS))
        y = -sign * (_LANE + _CYCLE / 2)
        lane = straight((-sign * _FAR, y), (sign * _FAR, y))
        streams.append(Stream(f"cycles-{name}", ((lane, 1.0),), 5.2, 11.0, {"bicycle": 1.0}))
    return tuple(streams)


def _walks() -> tuple[Walk, ...]:
    walks = []
    for side, y in (("south", -7.3), ("north", 7.3)):
        way = straight((-95.0, y), (95.0, y))
        walks.append(Walk(f"{side}-east", way, 11.0, width=2.2))
        walks.append(Walk(f"{side}-west", way.reversed(), 11.0, width=2.2))
    return tuple(walks)


def _paint(ground: Ground) -> None:
    ground.area([(-_BANK, -400), (_BANK, -400), (_BANK, 400), (-_BANK, 400)], "water")
    for side in (1, -1):  # quays
        ground.strip(straight((side * (_BANK + 3), -400), (side * (_BANK + 3), 400)), 8.0, "buff")
        ground.strip(straight((side * (_BANK + 12), -400), (side * (_BANK + 12), 400)), 9.0, "worn")
    road = straight((-400, 0), (400, 0))
    ground.strip(road, 2 * _PARAPET, "paving")
    ground.strip(road, _ROAD + 0.5, "kerb")
    ground.strip(road, _ROAD, "asphalt")
    for side in (1, -1):
        ground.strip(road, _CYCLE, "cycleway", side * (_LANE + _CYCLE / 2))
        ground.line(road, side * _LANE, 0.16, dash=(2.0, 1.2))
    ground.line(road, 0.0, 0.14, dash=(3.0, 3.0))


def _solids() -> tuple[Solid, ...]:
    solids = []
    for side in (1, -1):
        for k in range(-6, 6):
            solids.append(Solid(k * 10.4 + 5.2, side * _PARAPET, 10.5, 0.35, 1.05, "wall"))
            solids.append(Solid(k * 10.4, side * _PARAPET, 0.7, 0.7, 1.35, "wall"))
        for end in (1, -1):  # a pylon at each corner
            solids.append(Solid(end * _BANK, side * (_PARAPET + 0.9), 2.6, 2.6, 8.5, "wall"))
            solids.append(Solid(end * _BANK, side * (_PARAPET + 0.9), 3.2, 3.2, 9.2, "wall", bottom=8.5))
    for end in (1, -1):
        for side in (1, -1):
            rng = draw("stonebridge", "houses", end, side)
            y = 14.0
            while y < 210:
                width = rng.uniform(13, 26)
                look = rng.choice(("stone", "plaster", "brick", "office"))
                top = rng.uniform(11, 24)
                tint = (rng.uniform(0.84, 1.0), rng.uniform(0.9, 1.0), rng.uniform(0.96, 1.06))
                solids.append(
                    Solid(
                        end * (_BANK + 26.0), side * (y + width / 2), 18.0, width - 0.3, top, look, tint=tint
                    )
                )
                y += width
    for x, y, top in ((130, 40, 44), (150, -60, 58), (-140, 70, 50), (-170, -30, 40), (120, 150, 62)):
        solids.append(Solid(x, y, 24, 24, top, "office", tint=(1.0, 0.98, 0.96)))
    return tuple(solids)


STONEBRIDGE = Place(
    name="stonebridge",
    base="paving",
    paint=_paint,
    streams=_streams(),
    walks=_walks(),
    cameras={
        "west-tower": Mast(-48.0, -8.8, 9.0, 78.0, 16.0, 58.0),
        "middle": Mast(4.0, 8.8, 7.2, 112.0, 17.0, 66.0, distortion=-0.1),
        "east-tower": Mast(40.0, 8.6, 9.5, 258.0, 16.5, 56.0, roll=1.0),
        "quay": Mast(-57.0, 8.4, 11.0, 106.0, 15.0, 44.0, distortion=-0.02),
    },
    spots=Spots(
        stalled=("east", 140.0),
        wrong_way="west",
        object=("west", 125.0, 1.3),
        pedestrian=Path(((-40.0, -2.0), (-12.0, -2.6), (6.0, 0.2), (40.0, 0.3))),
        congestion=("east", "west"),
    ),
    sun=(222.0, 38.0),
    low_sun=(70.0, 10.0),
    bus=(0.14, 0.12, 0.62),
    solids=_solids(),
    trees=tuple(
        Tree(end * (_BANK + 5.5), side * y, 6.0 + k % 3, 2.2)
        for end in (1, -1)
        for side in (1, -1)
        for k, y in enumerate((24.0, 38.0, 54.0, 72.0, 96.0, 124.0))
    ),
    lamps=tuple(
        Lamp(x, side * 7.2, 6.2, x, side * 8.7)
        for x in (-52.0, -31.2, -10.4, 10.4, 31.2, 52.0, 78.0, -78.0)
        for side in (1, -1)
    ),
)
