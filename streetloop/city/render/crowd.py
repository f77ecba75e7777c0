"""Everything in view in one set of arrays: where it is in the image, and which faces are seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from streetloop.city.render.shapes import SHAPES, shape_name
from streetloop.city.world.camera_model import CameraModel
from streetloop.city.world.traffic import Actor

F64: TypeAlias = NDArray[np.float64]

_FINE_PX = 18  # below this height small parts are left out
_MIN_FACE_PX2 = 1.0  # smaller faces are left out


@dataclass(frozen=True)
class Faces:
    """The faces of a crowd that look at the camera; all arrays have M rows.

    Attributes:
        owner: Whose face it is.
        material: What it is made of.
        layer: What lies on top of what.
        normal: (M, 3) outwards, as its owner stands.
        away: Squared metres from the camera to the solid that it belongs to.
        corners: (M, 8, 2) pixels.
    """

    owner: NDArray[np.intp]
    material: NDArray[np.intp]
    layer: NDArray[np.intp]
    normal: F64
    away: F64
    corners: F64


class Crowd:
    """Everything in view in one set of arrays; a frame costs few calls, however many there are.

    Attributes:
        actors: N of them.
        depth: (N,) metres to each.
        boxes: (N, 4) left, top, right, bottom in pixels.
        sizes: (N, 3) length, width and height in metres.
        cos: (N,) of their headings.
        sin: (N,) of their headings.
    """

    def __init__(self, actors: Sequence[Actor], camera_model: CameraModel) -> None:
        self.actors = actors
        if not actors:
            return
        self.shapes = [SHAPES[shape_name(a.kind, a.walked)] for a in actors]
        self.cos = np.array([math.cos(a.heading) for a in actors])
        self.sin = np.array([math.sin(a.heading) for a in actors])
        self._x, self._y = np.array([a.x for a in actors]), np.array([a.y for a in actors])
        self._eye = camera_model.eye
        self.sizes = np.array([s.size for s in self.shapes])
        self._counts = np.array([len(s.points) for s in self.shapes])
        self._starts = np.concatenate([[0], np.cumsum(self._counts)[:-1]])
        owner = np.repeat(np.arange(len(actors)), self._counts)
        p = np.concatenate([s.points for s in self.shapes])
        cos, sin = self.cos[owner], self.sin[owner]
        x = self._x[owner] + cos * p[:, 0] - sin * p[:, 1]
        y = self._y[owner] + sin * p[:, 0] + cos * p[:, 1]
        world = np.stack([x, y, p[:, 2]], axis=-1)
        self._pixels, depth = camera_model.project(world)
        self.depth = np.add.reduceat(depth, self._starts) / self._counts
        low = np.minimum.reduceat(self._pixels, self._starts)
        high = np.maximum.reduceat(self._pixels, self._starts)
        self.boxes = np.concatenate([low, high], axis=1)

    def feet(self) -> F64:
        """(N, 4, 2) corners of each on the ground, in metres."""
        along, aside = self.sizes[:, 0] / 2, self.sizes[:, 1] / 2 * 0.95
        corners = []
        for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1)):
            x = self._x + self.cos * along * a - self.sin * aside * b
            y = self._y + self.sin * along * a + self.cos * aside * b
            corners.append(np.stack([x, y], axis=-1))
        return np.stack(corners, axis=1)

    def visible_faces(self) -> Faces:
        """The faces that look at the camera and are not too small to matter."""
        shapes = self.shapes
        who = np.arange(len(shapes))
        owner = np.repeat(who, [len(s.faces) for s in shapes])
        normal = np.concatenate([s.normals for s in shapes])
        ex, ey = self._eye[0] - self._x, self._eye[1] - self._y
        # The camera as each sees it.
        eye = (self.cos * ex + self.sin * ey, self.cos * ey - self.sin * ex)
        seen = eye[0][owner] * normal[:, 0] + eye[1][owner] * normal[:, 1]
        facing = seen + self._eye[2] * normal[:, 2] > np.concatenate([s.levels for s in shapes])
        tall = self.boxes[:, 3] - self.boxes[:, 1]
        facing &= (tall > _FINE_PX)[owner] | ~np.concatenate([s.fine for s in shapes])
        kept = np.flatnonzero(facing)
        outlines = np.concatenate([s.faces for s in shapes])[kept]
        outlines += self._starts[owner[kept]][:, None]
        corners = self._pixels[outlines]
        large = _areas(corners) >= _MIN_FACE_PX2
        kept, corners = kept[large], corners[large]
        solids = np.array([len(s.middles) for s in shapes])
        belongs = np.repeat(who, solids)
        middles = np.concatenate([s.middles for s in shapes])
        away = (
            (eye[0][belongs] - middles[:, 0]) ** 2
            + (eye[1][belongs] - middles[:, 1]) ** 2
            + (self._eye[2] - middles[:, 2]) ** 2
        )
        first = np.cumsum(solids) - solids
        owner = owner[kept]
        part = np.concatenate([s.parts for s in shapes])[kept] + first[owner]
        return Faces(
            owner,
            np.concatenate([s.materials for s in shapes])[kept],
            np.concatenate([s.layers for s in shapes])[kept],
            normal[kept],
            away[part],
            corners,
        )


def _areas(corners: F64) -> F64:
    """(M,) area of each of (M, 8, 2) polygons, by the shoelace formula."""
    x, y = corners[..., 0], corners[..., 1]
    twice = (x[:, :-1] * y[:, 1:] - x[:, 1:] * y[:, :-1]).sum(axis=1)
    twice += x[:, -1] * y[:, 0] - x[:, 0] * y[:, -1]
    areas: F64 = np.abs(twice) / 2
    return areas
