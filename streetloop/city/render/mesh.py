"""Shapes out of flat faces with a material each.

A shape stands on the ground at its own origin, x ahead, y to the left, z up, in metres.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_CORNERS = 8


class Material(IntEnum):
    """What a face is made of; the first two have a colour of their own on every vehicle."""

    BODY = 0
    SECOND = 1
    GLASS = 2
    TYRE = 3
    HUB = 4
    HEAD_LAMP = 5
    TAIL_LAMP = 6
    TRIM = 7
    SKIN = 8
    PLATE = 9
    HAIR = 10


@dataclass(frozen=True)
class Shape:
    """Faces of one kind of object.

    Attributes:
        points: (V, 3) corners.
        faces: (F, 8) indices of corners; shorter faces repeat their last.
        normals: (F, 3) unit vectors outwards.
        levels: (F,) distance of each face's plane from the origin along its normal.
        materials: (F,).
        layers: (F,) layer of each face within the object, the upper ones higher.
        parts: (F,) which solid a face belongs to.
        middles: (P, 3) middle of each solid.
        fine: (F,) True for what is too small to see from afar.
        size: Length, width and height.
        head_lamps: (L, 3) where it shines ahead.
        tail_lamps: (L, 3) where it shines back.
    """

    points: NDArray[np.float64]
    faces: NDArray[np.intp]
    normals: NDArray[np.float64]
    levels: NDArray[np.float64]
    materials: NDArray[np.intp]
    layers: NDArray[np.intp]
    parts: NDArray[np.intp]
    middles: NDArray[np.float64]
    fine: NDArray[np.bool_]
    size: tuple[float, float, float]
    head_lamps: NDArray[np.float64]
    tail_lamps: NDArray[np.float64]


class ProfilePoint(NamedTuple):
    """A corner of a profile seen from the side, and half of the width there."""

    x: float
    z: float
    half: float


class MeshBuilder:
    """Puts a `Shape` together."""

    def __init__(self) -> None:
        self.points: list[tuple[float, float, float]] = []
        self.faces: list[list[int]] = []
        self.rows: list[tuple[int, int, int, bool]] = []
        self.middles: list[tuple[float, float, float]] = []

    def part(self, x: float, y: float, z: float) -> int:
        """Begin a convex solid and return its number.

        Args:
            x: Metres ahead of the object's middle.
            y: Metres to its left.
            z: Metres above the ground.
        """
        self.middles.append((x, y, z))
        return len(self.middles) - 1

    def face(
        self,
        corners: Sequence[tuple[float, float, float]],
        material: Material,
        layer: int = 0,
        part: int = 0,
        fine: bool = False,
        outwards: tuple[float, float, float] | None = None,
    ) -> None:
        """Add a face; it looks away from its solid's middle, or towards ``outwards``.

        Args:
            corners: 3 to 8 corners (x, y, z) in metres, in either order.
            material: Its paint.
            layer: Higher layers are drawn over lower ones.
            part: Number of its solid.
            fine: Left out of objects that are small in the image.
            outwards: Direction (x, y, z) that it looks to; None for away from its solid's middle.
        """
        normal = _newell(corners)
        centre = np.mean(corners, axis=0)
        away = np.array(outwards) if outwards else centre - np.array(self.middles[part])
        if float((normal * away).sum()) < 0:
            corners = list(reversed(corners))
        start = len(self.points)
        self.points += corners
        index = [start + k for k in range(len(corners))]
        self.faces.append(index + [index[-1]] * (_CORNERS - len(index)))
        self.rows.append((int(material), layer, part, fine))

    def profile(
        self, points: Sequence[ProfilePoint], materials: Sequence[Material], side: Material, layer: int = 0
    ) -> int:
        """Extrude a profile to both sides and return the solid's number.

        Args:
            points: Outline in the plane of x and z, each with its half width.
            materials: ``materials[k]`` is for the strip from point k to the next.
            side: Material of both sides.
            layer: As of `face`.
        """
        part = self.part(sum(p.x for p in points) / len(points), 0.0, sum(p.z for p in points) / len(points))
        for sign in (1, -1):
            self.face([(p.x, sign * p.half, p.z) for p in points], side, layer, part)
        for k, material in enumerate(materials):
            a, b = points[k], points[(k + 1) % len(points)]
            self.face(
                [(a.x, a.half, a.z), (b.x, b.half, b.z), (b.x, -b.half, b.z), (a.x, -a.half, a.z)],
                material,
                layer,
                part,
            )
        return part

    def box(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        z: tuple[float, float],
        material: Material,
        layer: int = 0,
        shrink: float = 1.0,
        fine: bool = False,
    ) -> int:
        """Add an upright box and return the solid's number.

        Args:
            x: Rear and front in metres.
            y: Right and left in metres.
            z: Bottom and top in metres.
            material: Its paint.
            layer: As of `face`.
            shrink: Width of the top as a share of that of the bottom.
            fine: As of `face`.
        """
        cx, cy = sum(x) / 2, sum(y) / 2
        part = self.part(cx, cy, sum(z) / 2)
        low = [(a, b, z[0]) for a, b in ((x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1]))]
        high = [(cx + (a - cx) * shrink, cy + (b - cy) * shrink, z[1]) for a, b, _ in low]
        self.face(high, material, layer, part, fine)
        for k in range(4):
            n = (k + 1) % 4
            self.face([low[k], low[n], high[n], high[k]], material, layer, part, fine)
        return part

    def wheels(self, places: Sequence[float], radius: float, half: float, part: int) -> None:
        """Pairs of wheels at places along the vehicle.

        Args:
            places: Metres ahead of the vehicle's middle.
            radius: In metres.
            half: Half the track width in metres.
            part: Number of the solid that they belong to.
        """
        for x in places:
            for sign in (1, -1):
                for r, material, fine in (
                    (radius, Material.TYRE, False),
                    (radius * 0.58, Material.HUB, True),
                ):
                    ring = [
                        (x + r * math.cos(a), sign * (half + 0.015), radius + r * math.sin(a))
                        for a in np.arange(math.tau / 16, math.tau, math.tau / 8)
                    ]
                    self.face(ring, material, 1, part, fine, (0.0, sign, 0.0))

    def patch(
        self,
        x: float | tuple[float, float],
        y: tuple[float, float],
        z: tuple[float, float],
        material: Material,
        part: int,
        outwards: tuple[float, float, float],
        fine: bool = True,
        layer: int = 1,
    ) -> None:
        """Something flat on a face: a lamp, a plate, a window.

        Args:
            x: Metres ahead; rear and front for a patch on a side.
            y: Right and left in metres.
            z: Bottom and top in metres.
            material: Its paint.
            part: Number of its solid.
            outwards: As of `face`.
            fine: As of `face`.
            layer: As of `face`.
        """
        if isinstance(x, tuple):
            corners = [(x[0], y[0], z[0]), (x[1], y[0], z[0]), (x[1], y[1], z[1]), (x[0], y[1], z[1])]
        else:
            corners = [(x, y[0], z[0]), (x, y[1], z[0]), (x, y[1], z[1]), (x, y[0], z[1])]
        self.face(corners, material, layer, part, fine, outwards)

    def lamps(self, front: float, rear: float, half: float, z: float, part: int) -> None:
        """Head lamps, tail lamps and plates, in pairs.

        Args:
            front: Metres ahead, of the head lamps.
            rear: Metres ahead, of the tail lamps.
            half: Half the width of the vehicle in metres.
            z: Height of the lamps in metres.
            part: Number of their solid.
        """
        for sign in (1, -1):
            y = (sign * half, sign * (half - 0.34))
            self.patch(front, y, (z - 0.09, z + 0.09), Material.HEAD_LAMP, part, (1, 0, 0))
            self.patch(rear, y, (z, z + 0.2), Material.TAIL_LAMP, part, (-1, 0, 0))
        self.patch(rear - 0.01, (-0.28, 0.28), (z - 0.22, z - 0.1), Material.PLATE, part, (-1, 0, 0))

    def build(
        self,
        size: tuple[float, float, float],
        head: Sequence[tuple[float, float, float]] = (),
        tail: Sequence[tuple[float, float, float]] = (),
    ) -> Shape:
        """The shape, with its lamps.

        Args:
            size: Length, width and height in metres.
            head: Places (x, y, z) of the head lamps.
            tail: Places (x, y, z) of the tail lamps.
        """
        points = np.array(self.points, np.float64)
        normals = np.array([_newell([self.points[i] for i in face]) for face in self.faces])
        first = points[[face[0] for face in self.faces]]
        materials, layers, parts, fine = zip(*self.rows, strict=True)
        return Shape(
            points,
            np.array(self.faces, np.intp),
            normals,
            (normals * first).sum(axis=1),
            np.array(materials, np.intp),
            np.array(layers, np.intp),
            np.array(parts, np.intp),
            np.array(self.middles, np.float64),
            np.array(fine, np.bool_),
            size,
            np.array(head, np.float64).reshape(-1, 3),
            np.array(tail, np.float64).reshape(-1, 3),
        )


def _newell(corners: Sequence[tuple[float, float, float]]) -> NDArray[np.float64]:
    """Unit normal of a polygon whose corners need not be exactly in one plane."""
    total = np.zeros(3)
    for a, b in zip(corners, [*corners[1:], corners[0]], strict=True):
        total += np.cross(a, b)
    return total / math.sqrt(float((total * total).sum()))
