"""Views of the simulated city that are built once, and an empty plain to try things on."""

import hashlib
import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from streetloop.city.address import parse_address
from streetloop.city.render.backdrop import build_backdrop
from streetloop.city.render.lighting import light_of, lit
from streetloop.city.render.maps import Maps
from streetloop.city.render.painter import Cast, Painter
from streetloop.city.render.shapes import SHAPES
from streetloop.city.truth import Truth, truth_of
from streetloop.city.view import View
from streetloop.city.world.camera_model import CameraModel, Mast
from streetloop.city.world.conditions import Look
from streetloop.city.world.place import Place, Solid, Spots
from streetloop.city.world.places import PLACES
from streetloop.city.world.roads import straight
from streetloop.city.world.traffic import Actor
from streetloop.types import Image

SMALL = "size=160x90"
CAMERAS = [(city, camera) for city, place in PLACES.items() for camera in place.cameras]
NORTH = np.pi / 2

_SUN = np.array([0.3, -0.5, 0.81])


@cache
def view(camera: str, *options: str) -> View:
    """The view of ``city/camera`` with small pictures; what a test run has asked for it keeps."""
    return View(parse_address(f"sim://{camera}?{'&'.join((SMALL, *options))}"))


def digest(image: Image) -> str:
    """Names a picture by its pixels."""
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()


def plain_place(*solids: Solid) -> Place:
    """A place of asphalt without anything on it but ``solids``."""
    way = straight((0.0, 0.0), (0.0, 100.0))
    return Place(
        name="plain",
        base="asphalt",
        paint=lambda _: None,
        streams=(),
        walks=(),
        cameras={},
        spots=Spots(("none", 0.0), "none", ("none", 0.0, 0.0), way, ()),
        sun=(150.0, 46.0),
        low_sun=(62.0, 9.0),
        bus=(0.1, 0.1, 0.6),
        solids=solids,
    )


class Stage:
    """An empty plain and a camera 8 m above its origin that looks north.

    Args:
        solids: What stands on the plain.
        look: The light.
        mast: The camera.
        size: Of the picture.
    """

    def __init__(
        self,
        *solids: Solid,
        look: Look = Look(),  # noqa: B008  (frozen)
        mast: Mast = Mast(0.0, 0.0, 8.0, 0.0, 14.0, 60.0),  # noqa: B008
        size: tuple[int, int] = (320, 180),
    ) -> None:
        place = plain_place(*solids)
        self.camera_model = CameraModel(mast, *size)
        maps = Maps(place)
        self.backdrop = build_backdrop(place, self.camera_model, maps)
        self.painter = Painter(self.camera_model, maps, self.backdrop, place.bus)
        self.light = light_of(look)
        self.still = lit(self.backdrop, self.light)

    def cast(self, actors: Sequence[Actor]) -> Cast:
        """The actors as the camera sees them."""
        return self.painter.arrange(actors, self.light, _SUN)

    def truth(self, *actors: Actor) -> Truth:
        """What is really in the picture."""
        return truth_of(self.painter, self.cast(actors), 0, 0.0, [])

    def picture(self, *actors: Actor) -> Image:
        """The picture, without shadows."""
        image = self.still.copy()
        self.painter.paint(image, self.still, self.cast(actors), None)
        return image

    def changed(self, *actors: Actor, by: int = 12) -> NDArray[np.bool_]:
        """The pixels that the actors change clearly."""
        difference = np.abs(self.picture(*actors).astype(int) - self.still.astype(int))
        return np.asarray(difference.max(axis=-1) > by)


def standing(kind: str, x: float, y: float, heading: float = NORTH, track_id: int = 1) -> Actor:
    """Something that stands still at a place on the plain."""
    return Actor(track_id, kind, x, y, heading)


def touch(a: Actor, b: Actor) -> bool:
    """Whether two bodies overlap: no side of either parts them."""
    if math.dist((a.x, a.y), (b.x, b.y)) > 13:
        return False
    corners = [_corners(a), _corners(b)]
    for angle in (a.heading, a.heading + math.pi / 2, b.heading, b.heading + math.pi / 2):
        spans = [[x * math.cos(angle) + y * math.sin(angle) for x, y in c] for c in corners]
        if max(spans[0]) <= min(spans[1]) or max(spans[1]) <= min(spans[0]):
            return False
    return True


def _corners(a: Actor) -> list[tuple[float, float]]:
    length, width = (size / 2 - 0.05 for size in SHAPES[a.kind].size[:2])
    c, s = math.cos(a.heading), math.sin(a.heading)
    return [
        (a.x + c * u * length - s * v * width, a.y + s * u * length + c * v * width)
        for u, v in ((1, 1), (1, -1), (-1, -1), (-1, 1))
    ]
