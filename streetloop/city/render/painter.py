"""Draws what moves onto the still scene, the farthest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from streetloop.city.render.backdrop import Backdrop
from streetloop.city.render.crowd import Crowd, Faces
from streetloop.city.render.lamps import HALO_PX, LampPainter
from streetloop.city.render.lighting import Light
from streetloop.city.render.maps import Maps
from streetloop.city.render.mesh import Material
from streetloop.city.render.occlusion import NearestSolid
from streetloop.city.render.paints import paint_of
from streetloop.city.world.camera_model import CameraModel
from streetloop.city.world.traffic import Actor

F32: TypeAlias = NDArray[np.floating[Any]]
F64: TypeAlias = NDArray[np.float64]

_SHIFT = 3
_MIN_HEIGHT_PX = 2.5  # below this height nothing is drawn
_FACE_LIMIT = 1 << 14


@dataclass(frozen=True)
class Cast:
    """Everything that moves and can be in the image, the farthest first.

    Attributes:
        actors: N of them.
        depth: (N,) metres to each.
        boxes: (N, 4) left, top, right, bottom of each in pixels, hidden or not, not clipped.
        faces: Faces in the order of drawing: (M, 8, 2) corners in 1/8 pixels.
        colours: (M, 3) of each face, 0 to 255.
        first: (N + 1,) where each actor's faces begin.
        feet: (N, 4, 2) corners of each on the ground, in metres.
        tall: (N,) height of each in metres.
    """

    actors: Sequence[Actor]
    depth: F64
    boxes: F64
    faces: NDArray[np.int32]
    colours: F32
    first: NDArray[np.intp]
    feet: F64
    tall: F64


class Painter:
    """Paints the traffic of one place as one camera sees it.

    Args:
        camera_model: The camera.
        maps: Light and shade on the ground.
        backdrop: What does not move.
        bus: Colour of the buses.
    """

    def __init__(
        self, camera_model: CameraModel, maps: Maps, backdrop: Backdrop, bus: tuple[float, float, float]
    ) -> None:
        self._camera_model, self._maps = camera_model, maps
        self._colours = lru_cache(maxsize=2048)(lambda kind, track: paint_of(kind, track, bus))
        nearest = np.where(np.isfinite(backdrop.solid_depth), backdrop.solid_depth, 1e9)
        self._solid = nearest.astype(np.float32)
        self._nearest = NearestSolid(self._solid)

    def arrange(self, actors: Sequence[Actor], light: Light, towards_sun: F64) -> Cast:
        """Work out where everything is in the image and what it looks like there.

        Args:
            actors: In any order.
            light: The light.
            towards_sun: (3,) unit vector.
        """
        crowd = self.crowd(actors)
        if not crowd.actors:
            return _EMPTY
        rank = np.empty(len(crowd.actors), np.intp)
        order = np.argsort(-crowd.depth, kind="stable")
        rank[order] = np.arange(len(order))
        faces = crowd.visible_faces()
        owner = rank[faces.owner]
        # Within an object upper layers come later, and of the rest the nearer faces.
        sequence = np.lexsort((-faces.away, faces.layer, owner))
        corners = np.clip(faces.corners[sequence], -_FACE_LIMIT, _FACE_LIMIT)
        colours = self._shaded(crowd, faces, light, towards_sun)
        return Cast(
            [crowd.actors[k] for k in order.tolist()],
            crowd.depth[order],
            crowd.boxes[order],
            # OpenCV's pixel (0, 0) is centred there; ours begins there.
            np.round((corners - 0.5) * (1 << _SHIFT)).astype(np.int32),
            colours[sequence],
            np.searchsorted(owner[sequence], np.arange(len(order) + 1)),
            crowd.feet()[order],
            crowd.sizes[order, 2],
        )

    def crowd(self, actors: Sequence[Actor]) -> Crowd:
        """Those who can be in the image."""
        return Crowd(self._in_view(actors), self._camera_model)

    def _in_view(self, actors: Sequence[Actor]) -> list[Actor]:
        if not actors:
            return []
        points = np.array([(a.x, a.y, 0.8) for a in actors])
        pixels, depth = self._camera_model.project(points)
        reach = 9.0 * self._camera_model.focal / np.maximum(depth, 1.0)
        inside = (depth > 3.0) & (depth < 1.5 * self._camera_model.focal / _MIN_HEIGHT_PX)
        for axis, size in ((0, self._camera_model.width), (1, self._camera_model.height)):
            inside &= (pixels[:, axis] > -reach) & (pixels[:, axis] < size + reach)
        return [actor for actor, ok in zip(actors, inside.tolist(), strict=True) if ok]

    def _exposed(self, actors: Sequence[Actor]) -> list[F32]:
        """How much sun, sky and lamp light there is where each stands."""
        x = np.array([[a.x for a in actors]], np.float32)
        y = np.array([[a.y for a in actors]], np.float32)
        if not actors:
            return [np.zeros(0, np.float32)] * 4
        maps = self._maps
        return [maps.sample(m, x, y)[0] for m in (maps.sun, maps.low_sun, maps.sky, maps.lamps)]

    def _shaded(self, crowd: Crowd, faces: Faces, light: Light, towards: F64) -> F32:
        """(M, 3) what each face shows, 0 to 255."""
        owner = faces.owner
        palette = np.stack([self._colours(a.kind, a.track_id) for a in crowd.actors])
        albedo = palette[owner, faces.material]
        cos, sin = crowd.cos[owner], crowd.sin[owner]
        n = faces.normal
        # The sun as each of them sees it.
        along, aside = cos * towards[0] + sin * towards[1], cos * towards[1] - sin * towards[0]
        sun = along * n[:, 0] + aside * n[:, 1] + towards[2] * n[:, 2]
        sun_here, low_here, sky_here, lamps_here = (e[owner] for e in self._exposed(crowd.actors))
        direct = low_here if light.sun_name == "low_sun" else sun_here
        up = n[:, 2].astype(np.float32)
        sky = sky_here * (np.float32(0.62) + np.float32(0.38) * up)
        lamps = lamps_here * (np.float32(0.5) + np.float32(0.4) * np.maximum(up, 0))
        colour = light.shade(albedo, sky, np.maximum(sun, 0).astype(np.float32) * direct, lamps)
        glass = faces.material == Material.GLASS
        shine = np.float32(0.10) + np.float32(0.22) * np.maximum(up[glass], 0)
        colour[glass] += light.sky * shine[:, None]
        self._switch_on(colour, crowd, faces, light)
        return light.show(light.through_air(colour, crowd.depth[owner].astype(np.float32)))

    def _switch_on(self, colour: F32, crowd: Crowd, faces: Faces, light: Light) -> None:
        """Lamps that are on shine by themselves."""
        on = light.dark > 0.3 or light.wet > 0.4 or light.fog_per_m > 0.01
        state = np.array([(a.lamps and on, a.braking, a.hazard) for a in crowd.actors])[faces.owner]
        head, tail = (faces.material == m for m in (Material.HEAD_LAMP, Material.TAIL_LAMP))
        colour[head & state[:, 0]] = (0.95, 1.0, 1.0)
        colour[tail & state[:, 0]] = (0.05, 0.05, 0.5)
        colour[tail & state[:, 1]] = (0.05, 0.05, 0.95)
        colour[(head | tail) & state[:, 2]] = (0.0, 0.55, 1.0)

    def paint(self, image: MatLike, still: MatLike, cast: Cast, lamps: LampPainter | None) -> None:
        """Draw the cast onto an image.

        Args:
            image: (height, width, 3) uint8, changed in place.
            still: The scene without the cast; what stands in front of an actor is taken from it.
            cast: What to draw, the farthest first.
            lamps: Draws lamps at night; None by day.
        """
        faces, colours, fill = list(cast.faces), cast.colours.tolist(), cv2.fillConvexPoly
        first = cast.first.tolist()
        lamp_images = lamps.plan(cast.actors) if lamps is not None else {}
        margins = [HALO_PX if k in lamp_images else 2 for k in range(len(cast.actors))]
        hidden = self._nearest.hides(cast.boxes, cast.depth, margins)
        for k in range(len(cast.actors)):
            for m in range(first[k], first[k + 1]):
                fill(image, faces[m], colours[m], cv2.LINE_AA, _SHIFT)
            if k in lamp_images and lamps is not None:
                lamps.shine(image, lamp_images[k])
            if hidden[k]:
                self._restore(image, still, cast.boxes[k], float(cast.depth[k]), margins[k])

    def _restore(self, image: MatLike, still: MatLike, box: F64, depth: float, margin: int) -> None:
        """Put back what stands between the camera and something just drawn."""
        window = clipped(box, self._camera_model, margin=margin)
        if window is not None:
            hidden = (self._solid[window] < depth).astype(np.uint8)
            cv2.copyTo(still[window], hidden, image[window])

    def visible(self, cast: Cast) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """Who owns which pixel, and how many pixels each would have if nothing hid it.

        Returns:
            (height, width) with k + 1 where actor k is seen, else 0; and (N,) pixel counts, which
            include what is beyond the image's edge.
        """
        if len(cast.actors) > 60_000:
            raise OverflowError("more actors than an image of 16 bits can tell apart")
        owner = np.zeros((self._camera_model.height, self._camera_model.width), np.uint16)
        whole = np.zeros(len(cast.actors), np.int64)
        hidden = self._nearest.hides(cast.boxes, cast.depth, [1] * len(cast.actors))
        for k in range(len(cast.actors)):
            faces = cast.faces[cast.first[k] : cast.first[k + 1]]
            whole[k] = _area(faces, cast.boxes[k])
            for face in faces:
                cv2.fillConvexPoly(owner, face, k + 1, cv2.LINE_8, _SHIFT)
            window = clipped(cast.boxes[k], self._camera_model, margin=1)
            if window is not None and hidden[k]:
                mine = owner[window]
                mine[(self._solid[window] < cast.depth[k]) & (mine == k + 1)] = 0
        return owner, whole


_EMPTY = Cast(
    [],
    np.zeros(0),
    np.zeros((0, 4)),
    np.zeros((0, 8, 2), np.int32),
    np.zeros((0, 3), np.float32),
    np.zeros(1, np.intp),
    np.zeros((0, 4, 2)),
    np.zeros(0),
)


def clipped(box: F64, camera_model: CameraModel, margin: int) -> tuple[slice, slice] | None:
    """The rows and columns of the image that a box covers; None if it is outside.

    Args:
        box: (4,) left, top, right, bottom in pixels.
        camera_model: Knows the size of the image.
        margin: Pixels around the box that belong to it.
    """
    left, top = max(int(box[0]) - margin, 0), max(int(box[1]) - margin, 0)
    right = min(int(box[2]) + margin + 1, camera_model.width)
    bottom = min(int(box[3]) + margin + 1, camera_model.height)
    return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None


def _area(faces: NDArray[np.int32], box: F64) -> int:
    """Pixels that faces cover together, inside or outside of the image."""
    origin = np.floor(box[:2]).astype(np.int32) - 1  # faces lie half a pixel to the left
    wide, tall = (np.ceil(box[2:]).astype(np.int32) - origin + 3).tolist()
    if not (0 < wide < 4096 and 0 < tall < 4096):
        return 0
    mask = np.zeros((tall, wide), np.uint8)
    for face in faces - (origin << _SHIFT):
        cv2.fillConvexPoly(mask, face, 1, cv2.LINE_8, _SHIFT)
    return int(cv2.countNonZero(mask))
