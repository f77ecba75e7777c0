"""Millbrook: a shopping street with parked cars and a crossing with lights. Traffic keeps left."""

import itertools
import math

from streetloop.city.world.ground import Ground
from streetloop.city.world.place import Head, Lamp, Parked, Place, Solid, Spots, Tree, mast_beside
from streetloop.city.world.rng import draw
from streetloop.city.world.roads import Path, Signal, Stream, Walk, curve, polyline, straight

_LANE = 3.3
_BAY = 2.2  # for parking, on the right of the way north
_WEST_KERB, _EAST_KERB = _LANE, -_LANE - _BAY
_WALK = 4.4

VEHICLES = Signal(64, (0, 34))
GREEN_MAN = Signal(64, (41, 47), amber_s=0)

MIDDLE = curve((300.0, 0.0), 300.0, 205.0, 155.0)
_LONG = curve((300.0, 0.0), 300.0, 240.0, 120.0, step_m=10.0)
_HALF = MIDDLE.length / 2

_KINDS = {"hatchback": 6, "saloon": 4, "suv": 4, "van": 2.4, "truck": 0.8, "bus": 1.8,
          "motorcycle": 1.8, "bicycle": 1.6}  # fmt: skip


def _streams() -> tuple[Stream, ...]:
    north, south = MIDDLE.shifted(_LANE / 2), MIDDLE.shifted(-_LANE / 2).reversed()
    return (
        Stream("north", ((north, 1.0),), 10.5, 6.5, _KINDS, VEHICLES, north.length / 2 - 4.6),
        Stream("south", ((south, 1.0),), 10.5, 7.0, _KINDS, VEHICLES, south.length / 2 - 4.6),
    )


def _walks() -> tuple[Walk, ...]:
    west, east = MIDDLE.shifted(_WEST_KERB + 2.2), MIDDLE.shifted(_EAST_KERB - 2.2)
    walks = [
        Walk("west-north", west, 17.0, width=3.0),
        Walk("west-south", west.reversed(), 19.0, width=3.0),
        Walk("east-north", east, 18.0, width=3.0),
        Walk("east-south", east.reversed(), 17.0, width=3.0),
    ]
    left, right = _WEST_KERB + 1.6, _EAST_KERB - 1.6
    for name, start, end, way in (("over-east", left, right, 1), ("over-west", right, left, -1)):
        there = [MIDDLE.at(_HALF - way * s, start)[:2] for s in (46.0, 30.0, 15.0, 0.0)]
        back = [MIDDLE.at(_HALF + way * s, end)[:2] for s in (0.0, 15.0, 30.0, 46.0)]
        path = polyline(there, back)
        hold = sum(math.dist(a, b) for a, b in itertools.pairwise(there)) + 0.9
        walks.append(Walk(name, path, 13.0, GREEN_MAN, hold, width=2.2))
    return tuple(walks)


def _paint(ground: Ground) -> None:
    ground.strip(_LONG, _LANE * 2 + _BAY + 2 * _WALK + 2, "paving", -_BAY / 2)
    ground.strip(_LONG, _LANE * 2 + _BAY + 0.5, "kerb", -_BAY / 2)
    ground.strip(_LONG, _LANE * 2 + _BAY, "asphalt", -_BAY / 2)
    ground.strip(_LONG, _BAY, "worn", -_LANE - _BAY / 2)
    for start, end in ((0.0, _HALF - 14.0), (_HALF + 14.0, MIDDLE.length)):
        ground.line(MIDDLE, 0.0, 0.12, dash=(2.0, 4.0), stretch=(start, end))
        ground.line(MIDDLE, _WEST_KERB - 0.25, 0.1, surface="yellow", stretch=(start, end))
        ground.line(MIDDLE, _WEST_KERB - 0.45, 0.1, surface="yellow", stretch=(start, end))
        ground.line(MIDDLE, -_LANE - 0.05, 0.1, dash=(1.0, 1.0), stretch=(start, end))
        s = start
        while s < end:
            ground.across(MIDDLE, s, -_LANE, _EAST_KERB, 0.1)
            s += 5.6
    ground.zebra(MIDDLE, _HALF - 1.7, _WEST_KERB, _EAST_KERB, 3.4)
    ground.across(MIDDLE, _HALF - 4.4, _WEST_KERB, 0.0, 0.35)
    ground.across(MIDDLE, _HALF + 4.4, 0.0, -_LANE, 0.35)
    for side in (1, -1):  # the zigzag before a crossing
        for offset in (_WEST_KERB - 0.4, -_LANE + 0.3):
            for k in range(4):
                s = _HALF + side * (5.6 + 2.2 * k)
                a = MIDDLE.at(s, offset - 0.15 * (-1) ** k)
                b = MIDDLE.at(s + side * 2.2, offset + 0.15 * (-1) ** k)
                ground.strip(straight((a.x, a.y), (b.x, b.y)), 0.1, "white")


def _houses() -> tuple[Solid, ...]:
    solids = []
    for side, edge in ((1, _WEST_KERB + _WALK), (-1, _EAST_KERB - _WALK)):
        rng = draw("millbrook", "houses", side)
        s = -60.0
        while s < MIDDLE.length + 60:
            length = rng.uniform(8, 15)
            depth = 11.0
            pose = MIDDLE.at(s + length / 2, edge + side * (depth / 2 + 0.3))
            look = rng.choice(("brick", "shop", "plaster", "stone", "brick"))
            tint = (rng.uniform(0.82, 1.02), rng.uniform(0.9, 1.02), rng.uniform(0.95, 1.1))
            if not 0 <= s + length / 2 <= MIDDLE.length:
                s += length
                continue
            top, heading = rng.uniform(6.8, 11.5), math.degrees(pose.heading)
            solids.append(Solid(pose.x, pose.y, length - 0.1, depth, top, look, heading, tint=tint))
            s += length
    for x, y, top in ((70, 170, 24), (-40, 190, 30), (90, -170, 26), (-60, -180, 34), (30, 220, 42)):
        solids.append(Solid(x, y, 24, 20, top, "brick"))
    for s, offset in ((_HALF - 4.4, _WEST_KERB + 0.5), (_HALF + 4.4, _EAST_KERB - 0.5)):
        pose = MIDDLE.at(s, offset)
        solids.append(Solid(pose.x, pose.y, 0.16, 0.16, 3.4, "steel"))
    return tuple(solids)


def _heads() -> tuple[Head, ...]:
    heads = []
    for s, offset, turn in ((_HALF - 4.4, _WEST_KERB + 0.5, 180.0), (_HALF + 4.4, _EAST_KERB - 0.5, 0.0)):
        pose = MIDDLE.at(s, offset)
        heads.append(Head(pose.x, pose.y, 3.0, math.degrees(pose.heading) + turn, VEHICLES))
    return tuple(heads)


def _parked() -> tuple[Parked, ...]:
    rng = draw("millbrook", "parked")
    found = []
    s = 6.0
    while s < MIDDLE.length - 4:
        if abs(s - _HALF) > 16 and rng.random() < 0.72:
            pose = MIDDLE.at(s + 2.8, -_LANE - _BAY / 2)
            kind = rng.choices(("hatchback", "saloon", "suv", "van"), (5, 3, 3, 1))[0]
            found.append(Parked(pose.x, pose.y, math.degrees(pose.heading) + 180.0, kind))
        s += 5.6
    return tuple(found)


MILLBROOK = Place(
    name="millbrook",
    base="earth",
    paint=_paint,
    streams=_streams(),
    walks=_walks(),
    cameras={
        "crossing": mast_beside(MIDDLE, _HALF - 21.0, _WEST_KERB + 1.0, 6.6, 16.0, 18.0, 60.0),
        "high-street": mast_beside(
            MIDDLE, _HALF - 62.0, _WEST_KERB + 0.8, 7.6, 9.0, 13.5, 46.0, distortion=-0.02
        ),
        "market": mast_beside(
            MIDDLE, _HALF + 24.0, _EAST_KERB - 0.8, 7.0, 196.0, 19.0, 68.0, distortion=-0.1
        ),
        "church-end": mast_beside(MIDDLE, _HALF + 68.0, _EAST_KERB - 0.8, 8.4, 192.0, 15.0, 52.0, roll=-1.2),
    },
    spots=Spots(
        stalled=("north", 118.0),
        wrong_way="south",
        object=("north", 122.0, 1.1),
        pedestrian=Path(
            tuple(
                MIDDLE.at(_HALF + s, o)[:2]
                for s, o in ((-40.0, 3.0), (-22.0, 0.2), (0.0, 0.0), (24.0, 0.1), (44.0, -2.0))
            )
        ),
        congestion=("north", "south"),
    ),
    sun=(196.0, 48.0),
    low_sun=(12.0, 9.0),
    bus=(0.12, 0.12, 0.66),
    solids=_houses(),
    heads=_heads(),
    parked=_parked(),
    trees=tuple(
        Tree(*MIDDLE.at(s, _WEST_KERB + 0.9)[:2], 5.6 + k % 2, 1.7)
        for k, s in enumerate((30.0, 52.0, 92.0, 168.0, 196.0, 224.0))
    ),
    lamps=tuple(
        Lamp(*MIDDLE.at(s, side - 1.6 * (1 if side > 0 else -1))[:2], 6.8, *MIDDLE.at(s, side)[:2])
        for k, s in enumerate(range(14, 256, 24))
        for side in ((_WEST_KERB + 0.7,) if k % 2 else (_EAST_KERB - 0.7,))
    ),
)
