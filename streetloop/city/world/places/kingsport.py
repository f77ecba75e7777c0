"""Kingsport: two streets cross at signals. Traffic keeps right."""

from streetloop.city.world.camera_model import Mast
from streetloop.city.world.ground import Ground
from streetloop.city.world.place import Head, Lamp, Place, Solid, Spots, Tree
from streetloop.city.world.rng import draw
from streetloop.city.world.roads import Path, Signal, Stream, Walk, bend, polyline, straight

_LANE = 3.4
_WIDE, _NARROW = 4 * _LANE, 2 * _LANE  # the avenue runs east-west, the street north-south
_FAR = 130.0
_CORNER = 9.0  # from the middle to where turning begins

AVENUE = Signal(76, (0, 26))
STREET = Signal(76, (31, 48))
GREEN_MAN = Signal(76, (53, 59), amber_s=0)
_AVENUE_STOP, _STREET_STOP = 10.5, 13.5

_KINDS = {"hatchback": 5, "saloon": 5, "suv": 4, "van": 2, "truck": 1.2, "bus": 0.8,
          "motorcycle": 2.2}  # fmt: skip


def _avenue(name: str, east: bool, offset: float, turns: bool) -> Stream:
    sign = 1 if east else -1
    ahead = straight((-sign * _FAR, -sign * offset), (sign * _FAR, -sign * offset))
    routes = [(ahead, 0.8 if turns else 1.0)]
    slow = {}
    if turns:  # right, into the street
        x = -sign * _LANE / 2
        arc = bend((-sign * _CORNER, -sign * offset), (x, -sign * offset), (x, -sign * 14.0))
        routes.append((polyline([(-sign * _FAR, -sign * offset)], arc, [(x, -sign * _FAR)]), 0.2))
        slow = {1: (_FAR - _CORNER, _FAR + 4, 5.0)}
    return Stream(name, tuple(routes), 13.0, 6.5, _KINDS, AVENUE, _FAR - _AVENUE_STOP, slow=slow)


def _street(name: str, north: bool) -> Stream:
    sign = 1 if north else -1
    x = sign * _LANE / 2
    y = -sign * 1.5 * _LANE
    ahead = straight((x, -sign * _FAR), (x, sign * _FAR))
    arc = bend((x, -sign * 13.0), (x, y), (sign * 9.5, y))
    right = polyline([(x, -sign * _FAR)], arc, [(sign * _FAR, y)])
    return Stream(
        name,
        ((ahead, 0.7), (right, 0.3)),
        11.0,
        9.0,
        {**_KINDS, "bicycle": 2.5},
        STREET,
        _FAR - _STREET_STOP,
        slow={1: (_FAR - 13.0, _FAR - 2, 4.5)},
    )


_STREAMS = (
    _avenue("avenue-east-1", True, _LANE / 2, False),
    _avenue("avenue-east-2", True, 1.5 * _LANE, True),
    _avenue("avenue-west-1", False, _LANE / 2, False),
    _avenue("avenue-west-2", False, 1.5 * _LANE, True),
    _street("street-north", True),
    _street("street-south", False),
)


def _walks() -> tuple[Walk, ...]:
    walks = []
    for side, y in (("south", -9.4), ("north", 9.4)):
        along = straight((-80.0, y), (80.0, y))
        walks += [
            Walk(f"{side}-east", along, 19.0, GREEN_MAN, 80.0 - 4.4),
            Walk(f"{side}-west", along.reversed(), 19.0, GREEN_MAN, 80.0 - 4.4),
        ]
    for side, x in (("west", -6.4), ("east", 6.4)):
        along = straight((x, -70.0), (x, 70.0))
        walks += [
            Walk(f"{side}-north", along, 24.0, GREEN_MAN, 70.0 - 7.6),
            Walk(f"{side}-south", along.reversed(), 24.0, GREEN_MAN, 70.0 - 7.6),
        ]
    return tuple(walks)


def _paint(ground: Ground) -> None:
    avenue, street = straight((-400, 0), (400, 0)), straight((0, -400), (0, 400))
    ground.strip(avenue, _WIDE + 9.0, "paving")
    ground.strip(street, _NARROW + 8.0, "paving")
    for road, width in ((avenue, _WIDE), (street, _NARROW)):
        ground.strip(road, width + 0.5, "kerb")
    for road, width in ((avenue, _WIDE), (street, _NARROW)):
        ground.strip(road, width, "asphalt")
    for sx, sy in ((1, 1), (1, -1), (-1, 1), (-1, -1)):  # rounded corners
        x, y = sx * _NARROW / 2, sy * _WIDE / 2
        ground.area([(x, y), (x + sx * 3, y), (x + sx, y + sy), (x, y + sy * 3)], "asphalt")
    for half in (-1, 1):
        way = straight((half * _AVENUE_STOP, 0), (half * 400.0, 0))
        ground.line(way, -0.12, 0.12, surface="yellow")
        ground.line(way, 0.12, 0.12, surface="yellow")
        for offset in (-_LANE, _LANE):
            ground.line(way, offset, dash=(3.0, 4.5))
        ground.across(way, 0.0, *((0.0, -_WIDE / 2) if half < 0 else (_WIDE / 2, 0.0)), 0.45)
        ground.zebra(way, -5.6, _WIDE / 2, -_WIDE / 2)
        for s in (5.0, 26.0):
            ground.arrow(way.reversed(), way.length - s, -_LANE / 2)
            ground.arrow(way.reversed(), way.length - s, -1.5 * _LANE, -0.9)
        way = straight((0, half * _STREET_STOP), (0, half * 400.0))
        ground.line(way, 0.0, 0.12, surface="yellow")
        ground.across(way, 0.0, *((_NARROW / 2, 0.0) if half > 0 else (0.0, -_NARROW / 2)), 0.45)
        ground.zebra(way, -5.4, _NARROW / 2, -_NARROW / 2)


def _houses() -> tuple[Solid, ...]:
    solids = []
    looks = ("brick", "stone", "office", "brick", "plaster")
    for sx in (-1, 1):
        for sy in (-1, 1):
            rng = draw("kingsport", "houses", sx, sy)
            x = 9.0
            while x < 110:
                length = rng.uniform(13, 24)
                solids.append(
                    Solid(
                        sx * (x + length / 2),
                        sy * (12.0 + 7.5),
                        length - 0.3,
                        15.0,
                        rng.uniform(8, 21),
                        rng.choice(looks),
                        tint=_tint(rng.random()),
                    )
                )
                x += length
            y = 30.0
            while y < 110:
                length = rng.uniform(12, 20)
                solids.append(
                    Solid(
                        sx * (8.6 + 7.0),
                        sy * (y + length / 2),
                        14.0,
                        length - 0.3,
                        rng.uniform(8, 16),
                        rng.choice(looks),
                        tint=_tint(rng.random()),
                    )
                )
                y += length
    for x, y, top in (
        (-160, 60, 42),
        (190, -40, 55),
        (150, 90, 38),
        (-40, 190, 46),
        (60, 210, 34),
        (-90, -200, 40),
        (40, -220, 52),
    ):
        solids.append(Solid(x, y, 26, 22, top, "office", tint=_tint(0.4)))
    for sx, sy in ((1, -1), (-1, 1)):  # posts of the signals
        solids.append(Solid(sx * 14.0, sy * 7.6, 0.22, 0.22, 5.6, "steel"))
        solids.append(Solid(sx * 14.0, sy * 4.6, 0.16, 6.2, 5.7, "steel", bottom=5.55))
        solids.append(Solid(-sx * 4.4, sy * 17.4, 0.22, 0.22, 4.4, "steel"))
    return tuple(solids)


def _tint(rng: float) -> tuple[float, float, float]:
    warm = 0.86 + 0.24 * rng
    return (1.02 - 0.14 * rng, 0.98, warm)


_HEADS = tuple(
    head
    for sign in (1, -1)
    for head in (
        Head(sign * 14.0, -sign * 3.4, 5.2, 180.0 if sign > 0 else 0.0, AVENUE),
        Head(-sign * 4.4, sign * 17.2, 3.6, -90.0 if sign > 0 else 90.0, STREET),
    )
)

_LAMPS = tuple(
    Lamp(x, side * 6.0, 8.5, x, side * 8.4) for x in (-96, -64, -32, 24, 56, 88) for side in (1, -1)
) + tuple(Lamp(side * 2.8, y, 7.5, side * 4.6, y) for y in (-80, -52, -26, 26, 52, 80) for side in (-1,))

_TREES = tuple(
    Tree(x, side * 10.6, 6.4 + (k % 3), 2.0 + 0.3 * (k % 2))
    for k, x in enumerate((-74, -50, -24, 30, 48, 68, 92))
    for side in (1, -1)
)

KINGSPORT = Place(
    name="kingsport",
    base="paving",
    paint=_paint,
    streams=_STREAMS,
    walks=_walks(),
    cameras={
        "crossing": Mast(-19.0, -10.2, 8.2, 62.0, 19.0, 68.0),
        "avenue-east": Mast(12.0, 8.2, 7.8, 102.0, 13.0, 50.0, distortion=-0.03),
        "street-north": Mast(7.2, -23.0, 9.0, -12.0, 20.0, 58.0),
        "corner": Mast(18.0, 11.0, 8.6, 236.0, 21.0, 74.0, roll=-1.0, distortion=-0.1),
    },
    spots=Spots(
        stalled=("avenue-east-1", 150.0),
        wrong_way="avenue-east-1",
        object=("avenue-west-1", 105.0, 1.3),
        pedestrian=Path(((2.0, 40.0), (3.0, 12.0), (12.0, -2.0), (60.0, -3.2))),
        congestion=("avenue-east-1", "avenue-east-2", "avenue-west-1", "avenue-west-2"),
    ),
    sun=(150.0, 46.0),
    low_sun=(62.0, 9.0),
    bus=(0.16, 0.42, 0.72),
    solids=_houses(),
    trees=_TREES,
    lamps=_LAMPS,
    heads=_HEADS,
)
