"""The shapes of vehicles and people."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial

import numpy as np

from streetloop.city.render.mesh import Material, MeshBuilder, Shape
from streetloop.city.render.mesh import ProfilePoint as Point


def _car(
    length: float,
    half: float,
    waist: float,
    top: float,
    roof: tuple[float, float],
    screen: float,
    back: float,
) -> Shape:
    """A car: ``roof`` from x to x, ``screen`` and ``back`` where its windows begin."""
    b = MeshBuilder()
    end = length / 2
    nose, tail = waist - 0.2, waist - 0.06
    lower = [
        Point(-end + 0.06, 0.26, half - 0.04), Point(end - 0.05, 0.26, half - 0.06),
        Point(end, 0.5, half - 0.04), Point(end - 0.12, nose, half - 0.06),
        Point(screen, waist, half - 0.02), Point(back, waist, half - 0.02),
        Point(-end + 0.06, tail, half - 0.05), Point(-end, 0.55, half - 0.03),
    ]  # fmt: skip
    body = b.profile(
        lower, [Material.TRIM, Material.TRIM, *[Material.BODY] * 5, Material.TRIM], Material.BODY
    )
    b.wheels((-end + 0.85, end - 0.85), 0.33, half - 0.02, body)
    b.lamps(end + 0.01, -end - 0.01, half - 0.06, 0.62, body)
    cabin = [
        Point(screen, waist - 0.02, half - 0.08), Point(roof[1], top, half - 0.26),
        Point(roof[0], top, half - 0.26), Point(back, waist - 0.02, half - 0.08),
    ]  # fmt: skip
    part = b.profile(cabin, [Material.GLASS, Material.BODY, Material.GLASS], Material.GLASS, layer=2)
    for sign in (1, -1):  # the pillar between the doors
        x = (roof[0] + roof[1]) / 2
        low, high = sign * (half - 0.07), sign * (half - 0.25)
        corners = [
            (x - 0.06, low, waist),
            (x + 0.06, low, waist),
            (x + 0.06, high, top),
            (x - 0.06, high, top),
        ]
        b.face(corners, Material.BODY, 3, part, True, (0.0, sign, 0.3))
    z = 0.66
    return b.build(
        (length, 2 * half, top),
        [(end, half - 0.25, z), (end, 0.25 - half, z)],
        [(-end, half - 0.2, z + 0.1), (-end, 0.2 - half, z + 0.1)],
    )


def _van() -> Shape:
    b = MeshBuilder()
    box = b.profile(
        [Point(-2.75, 0.35, 0.97), Point(1.7, 0.35, 0.97), Point(1.95, 1.25, 0.97),
         Point(1.25, 2.3, 0.88), Point(-2.7, 2.35, 0.88)],
        [Material.TRIM, Material.BODY, Material.GLASS, Material.BODY, Material.BODY],
        Material.BODY, layer=1,
    )  # fmt: skip
    nose = b.profile(
        [Point(1.5, 0.35, 0.96), Point(2.72, 0.35, 0.94), Point(2.75, 0.8, 0.94),
         Point(2.5, 1.08, 0.92), Point(1.9, 1.28, 0.95), Point(1.5, 1.28, 0.95)],
        [Material.TRIM, Material.TRIM, Material.BODY, Material.BODY, Material.BODY],
        Material.BODY, layer=1,
    )  # fmt: skip
    for sign in (1, -1):
        low, high = sign * 0.98, sign * 0.92
        window = [(0.45, low, 1.25), (1.7, low, 1.25), (1.15, high, 2.05), (0.45, high, 2.05)]
        b.face(window, Material.GLASS, 2, box, False, (0, sign, 0))
    b.wheels((-1.75, 1.75), 0.36, 0.96, box)
    for row in range(len(b.rows) - 8, len(b.rows)):
        b.rows[row] = (*b.rows[row][:1], 2, *b.rows[row][2:])
    b.lamps(2.77, -2.77, 0.9, 0.75, nose)
    for row in range(len(b.rows) - 5, len(b.rows)):
        b.rows[row] = (*b.rows[row][:1], 2, *b.rows[row][2:])
    return b.build((5.5, 1.95, 2.35), [(2.75, 0.7, 0.75), (2.75, -0.7, 0.75)],
                   [(-2.75, 0.8, 1.0), (-2.75, -0.8, 1.0)])  # fmt: skip


def _truck() -> Shape:
    b = MeshBuilder()
    frame = b.box((-4.2, 4.0), (-1.05, 1.05), (0.5, 1.0), Material.TRIM)
    b.wheels((-3.0, -1.9, 2.9), 0.48, 1.15, frame)
    b.box((-4.3, 1.95), (-1.25, 1.25), (1.0, 3.55), Material.SECOND, layer=2)
    cab = b.profile(
        [Point(2.15, 0.55, 1.2), Point(4.2, 0.55, 1.2), Point(4.3, 1.5, 1.2),
         Point(4.05, 2.75, 1.1), Point(2.15, 2.9, 1.12)],
        [Material.TRIM, Material.BODY, Material.GLASS, Material.BODY, Material.BODY],
        Material.BODY, layer=2,
    )  # fmt: skip
    for sign in (1, -1):
        b.face([(2.9, sign * 1.21, 1.6), (4.1, sign * 1.21, 1.6), (3.95, sign * 1.13, 2.45),
                (2.9, sign * 1.13, 2.45)], Material.GLASS, 3, cab, False, (0, sign, 0))  # fmt: skip
    b.lamps(4.32, -4.32, 1.1, 0.85, cab)
    return b.build((8.6, 2.5, 3.55), [(4.3, 0.9, 0.85), (4.3, -0.9, 0.85)],
                   [(-4.3, 1.0, 1.0), (-4.3, -1.0, 1.0)])  # fmt: skip


def _bus() -> Shape:
    b = MeshBuilder()
    body = b.profile(
        [Point(-5.8, 0.35, 1.27), Point(5.7, 0.35, 1.27), Point(5.8, 1.1, 1.27),
         Point(5.65, 3.0, 1.2), Point(-5.8, 3.05, 1.2)],
        [Material.TRIM, Material.BODY, Material.GLASS, Material.SECOND, Material.BODY],
        Material.BODY,
    )  # fmt: skip
    b.wheels((-3.4, 3.4), 0.48, 1.27, body)
    for sign in (1, -1):
        for x in np.arange(-5.4, 5.0, 1.5):
            b.patch(
                (float(x), float(x) + 1.32),
                (sign * 1.275, sign * 1.225),
                (1.45, 2.5),
                Material.GLASS,
                body,
                (0, sign, 0),
                fine=False,
            )
        b.patch((-5.8, 5.7), (sign * 1.28, sign * 1.275), (0.95, 1.15), Material.SECOND, body, (0, sign, 0))
    b.patch(-5.81, (-0.95, 0.95), (1.7, 2.6), Material.GLASS, body, (-1, 0, 0), fine=False)
    b.lamps(5.82, -5.82, 1.15, 0.8, body)
    return b.build((11.6, 2.54, 3.05), [(5.8, 0.95, 0.8), (5.8, -0.95, 0.8)],
                   [(-5.8, 1.05, 1.0), (-5.8, -1.05, 1.0)])  # fmt: skip


def _rider(b: MeshBuilder, seat: float, lean: float) -> None:
    """Somebody who sits on what has two wheels."""
    b.box((-0.35, 0.2), (-0.17, 0.17), (seat - 0.5, seat), Material.SECOND, layer=1)
    torso = b.part(lean / 2, 0.0, seat + 0.3)
    low, high = (-0.32, 0.0), (lean - 0.16, lean + 0.14)
    for sign in (1, -1):
        b.face([(low[0], sign * 0.19, seat), (low[1], sign * 0.19, seat),
                (high[1], sign * 0.23, seat + 0.6), (high[0], sign * 0.23, seat + 0.6)],
               Material.BODY, 2, torso, False, (0, sign, 0))  # fmt: skip
    for k, towards in ((0, (-1.0, 0, 0.2)), (1, (1.0, 0, 0.2))):
        b.face([(low[k], 0.19, seat), (low[k], -0.19, seat), (high[k], -0.23, seat + 0.6),
                (high[k], 0.23, seat + 0.6)], Material.BODY, 2, torso, False, towards)  # fmt: skip
    b.face([(high[0], 0.23, seat + 0.6), (high[1], 0.23, seat + 0.6), (high[1], -0.23, seat + 0.6),
            (high[0], -0.23, seat + 0.6)], Material.BODY, 2, torso, False, (0, 0, 1))  # fmt: skip
    b.box(
        (lean - 0.1, lean + 0.14),
        (-0.11, 0.11),
        (seat + 0.6, seat + 0.86),
        Material.HAIR,
        layer=3,
        shrink=0.75,
    )


def _two_wheels(length: float, motor: bool) -> Shape:
    b = MeshBuilder()
    end, radius = length / 2, 0.32 if motor else 0.34
    middle = b.part(0.0, 0.0, radius)
    for x in (-end + radius, end - radius):
        for sign in (1, -1):
            y = sign * (0.07 if motor else 0.03)
            ring = [
                (x + radius * math.cos(a), y, radius + radius * math.sin(a))
                for a in np.arange(0, math.tau, math.tau / 8)
            ]
            b.face(ring, Material.TYRE, 0, middle, False, (0.0, sign, 0.0))
            if not motor:
                inner = [(x + (p[0] - x) * 0.7, p[1] * 1.1, radius + (p[2] - radius) * 0.7) for p in ring]
                b.face(inner, Material.HUB, 1, middle, True, (0.0, sign, 0.0))
    half = 0.16 if motor else 0.05
    b.box((-end + 0.3, end - 0.35), (-half, half), (0.42, 0.86 if motor else 0.62), Material.TRIM, layer=1)
    b.box((end - 0.55, end - 0.4), (-0.3, 0.3), (0.92, 1.02), Material.TRIM, layer=1)
    _rider(b, 0.82 if motor else 0.95, 0.12 if motor else 0.22)
    z = 0.85
    return b.build((length, 0.62, 1.7 if motor else 1.8), [(end, 0.0, z)], [(-end, 0.0, z - 0.1)])


def _person(swing: float) -> Shape:
    """Somebody on foot, one leg ``swing`` metres ahead of the other."""
    b = MeshBuilder()
    for sign in (1, -1):
        x = sign * swing / 2
        b.box((x - 0.09, x + 0.11), (sign * 0.1 - 0.085, sign * 0.1 + 0.085), (0.0, 0.86), Material.SECOND)
        arm = -x * 0.6
        b.box(
            (arm - 0.06, arm + 0.07),
            (sign * 0.3 - 0.06, sign * 0.3 + 0.06),
            (0.8, 1.38),
            Material.BODY,
            layer=1,
            fine=True,
        )
    b.box((-0.13, 0.14), (-0.2, 0.2), (0.8, 1.45), Material.BODY, layer=2, shrink=1.12)
    b.box((-0.1, 0.12), (-0.1, 0.1), (1.47, 1.74), Material.SKIN, layer=3, shrink=0.85)
    b.box((-0.12, 0.1), (-0.105, 0.105), (1.62, 1.77), Material.HAIR, layer=4, shrink=0.8, fine=True)
    return b.build((0.5, 0.72, 1.77))


def _lost_load() -> Shape:
    b = MeshBuilder()
    b.box((-0.55, 0.55), (-0.4, 0.4), (0.0, 0.62), Material.SECOND, shrink=0.94)
    return b.build((1.1, 0.8, 0.62))


STRIDES = ("person0", "person1", "person2", "person3")
"""The shapes that somebody goes through while walking, one step from the first to the last."""

_STRIDE_M = 0.75

_MAKERS: dict[str, Callable[[], Shape]] = {
    "hatchback": partial(_car, 4.0, 0.88, 0.92, 1.48, (-1.35, 0.3), 0.98, -1.85),
    "saloon": partial(_car, 4.7, 0.91, 0.93, 1.44, (-0.95, 0.35), 1.05, -1.6),
    "suv": partial(_car, 4.6, 0.95, 1.06, 1.72, (-1.75, 0.3), 0.95, -2.15),
    "van": _van,
    "truck": _truck,
    "bus": _bus,
    "motorcycle": partial(_two_wheels, 2.1, motor=True),
    "bicycle": partial(_two_wheels, 1.8, motor=False),
    "person0": partial(_person, 0.05),
    "person1": partial(_person, 0.34),
    "person2": partial(_person, 0.05),
    "person3": partial(_person, -0.34),
    "lost load": _lost_load,
}


class _MadeOnUse(Mapping[str, Shape]):
    """All shapes take a quarter of a second, and whoever only names a class needs none."""

    @cache  # noqa: B019 - the one instance lives as long as the process
    def __getitem__(self, name: str) -> Shape:
        return _MAKERS[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(_MAKERS)

    def __len__(self) -> int:
        return len(_MAKERS)

    __hash__ = object.__hash__


SHAPES: Mapping[str, Shape] = _MadeOnUse()
"""The shape of each kind, and of each stride of a person."""

CLASSES = ("person", "cycle", "car", "truck", "bus")
"""The classes of this world; a cycle is a bicycle or motorcycle with its rider."""

CLASS_OF: dict[str, str | None] = {
    "hatchback": "car",
    "saloon": "car",
    "suv": "car",
    "van": "truck",
    "truck": "truck",
    "bus": "bus",
    "motorcycle": "cycle",
    "bicycle": "cycle",
    "person": "person",
    "lost load": None,
}
"""The class of each kind; None for what no detector is asked about."""


def shape_name(kind: str, walked: float) -> str:
    """The name of an object's shape.

    >>> shape_name("person", 0.8), shape_name("van", 3.0)
    ('person2', 'van')

    Args:
        kind: The kind.
        walked: Metres; a person's stride depends on it.
    """
    if kind != "person":
        return kind
    return STRIDES[int(walked / _STRIDE_M * 2) % len(STRIDES)]
