"""Light and shade on the ground of a place, for any camera in it."""

import math
from typing import Any, TypeAlias

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from streetloop.city.world.ground import Ground, look_up
from streetloop.city.world.place import Place, Solid, Tree
from streetloop.city.world.rng import draw

Values: TypeAlias = NDArray[np.floating[Any]]

_FAR_MAP = (420.0, 0.35)
_LIGHT_MAP = (200.0, 0.4)


class Maps:
    """Light and shade on the ground of a place, for any camera in it."""

    def __init__(self, place: Place) -> None:
        self.far = Ground(*_FAR_MAP, place.base)
        place.paint(self.far)
        self.light = Ground(*_LIGHT_MAP, place.base)
        self.sun = self._shade(place, *place.sun)
        self.low_sun = self._shade(place, *place.low_sun)
        self.lamps = self._lamp_light(place)
        self.sky = self._openness(place)

    def sample(self, values: Values, x: Values, y: Values) -> Values:
        """A light map at places on the ground.

        Args:
            values: One of the light maps.
            x: Metres to the east.
            y: Metres to the north, in the shape of ``x``.
        """
        return look_up(values, *self.light.coordinates(x, y))

    def _shade(self, place: Place, azimuth: float, height: float) -> Values:
        """1 where the sun arrives, 0 in shadows."""
        lit = np.full(self.light.colour.shape[:2], 255, np.uint8)
        towards = sun_direction(azimuth, height)
        for solid in place.solids:
            self._shadow(lit, corners_of(solid), towards)
        for tree in place.trees:
            for x, y, z, r in crown_of(tree):
                angles = np.arange(0, math.tau, math.tau / 8)
                ring = [
                    (x + r * math.cos(a), y + r * math.sin(a), z + dz)
                    for a in angles
                    for dz in (-r * 0.6, r * 0.6)
                ]
                self._shadow(lit, np.array(ring), towards)
        soft = cv2.GaussianBlur(lit, (3, 3), 0)
        return soft.astype(np.float32) / np.float32(255)

    def _shadow(self, lit: MatLike, points: NDArray[np.float64], towards: NDArray[np.float64]) -> None:
        along = np.maximum(points[:, 2:], 0.0) / towards[2]
        flat = points[:, :2] - along * towards[:2]
        hull = cv2.convexHull(flat.astype(np.float32))[:, 0]
        cv2.fillConvexPoly(lit, self.light.pixels(hull.tolist()), 0, cv2.LINE_AA, 4)

    def _lamp_light(self, place: Place) -> Values:
        side = self.light.colour.shape[0]
        light = np.zeros((side, side), np.float32)
        axis = (np.arange(side, dtype=np.float32) + 0.5) * _LIGHT_MAP[1] - _LIGHT_MAP[0]
        for lamp in place.lamps:
            dx, dy = axis - np.float32(lamp.x), -axis - np.float32(lamp.y)
            span = dx[None] ** 2 + dy[:, None] ** 2 + np.float32(lamp.height**2)
            light += np.float32(lamp.height**3) / (span * np.sqrt(span))
        return light

    def _openness(self, place: Place) -> Values:
        built = np.full(self.light.colour.shape[:2], 255, np.uint8)
        for solid in place.solids:
            if solid.bottom < 1 and min(solid.length, solid.width) > 2:
                corners = corners_of(solid)[:4, :2]
                cv2.fillConvexPoly(built, self.light.pixels(corners.tolist()), 0, cv2.LINE_AA, 4)
        for tree in place.trees:
            x, y = self.light.coordinates(np.array([tree.x]), np.array([tree.y]))
            cv2.circle(
                built, (round(float(x[0])), round(float(y[0]))), round(tree.radius / _LIGHT_MAP[1]), 110, -1
            )
        wide = cv2.GaussianBlur(built, (0, 0), 7.0).astype(np.float32)
        tight = cv2.GaussianBlur(built, (0, 0), 1.6).astype(np.float32)
        share: Values = (0.55 * wide + 0.45 * tight) / 255 * 0.75 + 0.25
        return np.clip(share, 0, 1)


def sun_direction(azimuth: float, height: float) -> NDArray[np.float64]:
    """Unit vector towards the sun.

    Args:
        azimuth: Degrees clockwise from north.
        height: Degrees above the horizon.
    """
    a, h = math.radians(azimuth), math.radians(height)
    return np.array([math.sin(a) * math.cos(h), math.cos(a) * math.cos(h), math.sin(h)])


def crown_of(tree: Tree) -> list[tuple[float, float, float, float]]:
    """The balls (x, y, z, radius) that a tree's crown is made of."""
    rng = draw("tree", tree.x, tree.y)
    balls = [(tree.x, tree.y, tree.height - tree.radius, tree.radius * 0.8)]
    for k in range(7):
        angle = math.tau * (k + rng.random() * 0.5) / 7
        out = tree.radius * rng.uniform(0.45, 0.7)
        rise = rng.uniform(-0.75, 0.45) * tree.radius
        x, y = tree.x + out * math.cos(angle), tree.y + out * math.sin(angle)
        z = tree.height - tree.radius + rise
        balls.append((x, y, z, tree.radius * rng.uniform(0.42, 0.6)))
    return balls


def corners_of(solid: Solid) -> NDArray[np.float64]:
    """(8, 3) corners, the lower four first, in order round the box."""
    c, s = math.cos(math.radians(solid.heading)), math.sin(math.radians(solid.heading))
    signs = ((1, 1), (-1, 1), (-1, -1), (1, -1))
    flat = [(a * solid.length / 2, b * solid.width / 2) for a, b in signs]
    return np.array(
        [
            (solid.x + c * u - s * v, solid.y + s * u + c * v, z)
            for z in (solid.bottom, solid.top)
            for u, v in flat
        ]
    )
