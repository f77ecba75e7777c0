"""Draws what moves onto the still scene, the farthest first."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from streetloop.city.backdrop import Backdrop, Maps
from streetloop.city.chance import draw
from streetloop.city.lighting import Light
from streetloop.city.optics import Optics
from streetloop.city.shapes import SHAPES, Material, Shape, shape_name
from streetloop.city.traffic import Actor
from streetloop.types import Image

F32: TypeAlias = NDArray[np.float32]
F64: TypeAlias = NDArray[np.float64]

_SHIFT = 3
_FINE_PX = 13  # below this height small parts are left out
_FACE_LIMIT = 1 << 14

_PAINTS = ((0.90, 0.90, 0.90), (0.72, 0.73, 0.74), (0.16, 0.16, 0.17), (0.34, 0.34, 0.35),
           (0.10, 0.12, 0.58), (0.55, 0.26, 0.10), (0.20, 0.24, 0.10), (0.22, 0.45, 0.62),
           (0.42, 0.38, 0.34))  # fmt: skip
_CLOTHES = ((0.12, 0.12, 0.14), (0.34, 0.22, 0.16), (0.24, 0.26, 0.30), (0.42, 0.46, 0.52),
            (0.18, 0.18, 0.48), (0.22, 0.32, 0.24), (0.20, 0.44, 0.60), (0.40, 0.28, 0.34),
            (0.72, 0.72, 0.70))  # fmt: skip
_FIXED = {
    Material.GLASS: (0.24, 0.21, 0.19),
    Material.TYRE: (0.10, 0.10, 0.10),
    Material.HUB: (0.46, 0.46, 0.47),
    Material.HEAD_LAMP: (0.86, 0.88, 0.88),
    Material.TAIL_LAMP: (0.12, 0.12, 0.52),
    Material.TRIM: (0.14, 0.14, 0.14),
    Material.SKIN: (0.42, 0.52, 0.68),
    Material.PLATE: (0.55, 0.80, 0.82),
    Material.HAIR: (0.12, 0.14, 0.18),
}


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
    """

    actors: Sequence[Actor]
    depth: F64
    boxes: F64
    faces: NDArray[np.int32]
    colours: F32
    first: NDArray[np.intp]


class Painter:
    """Paints the traffic of one place as one camera sees it.

    Args:
        optics: The camera.
        maps: Light and shade on the ground.
        backdrop: What does not move.
        bus: Colour of the buses.
    """

    def __init__(
        self, optics: Optics, maps: Maps, backdrop: Backdrop, bus: tuple[float, float, float]
    ) -> None:
        self._optics, self._maps, self._backdrop = optics, maps, backdrop
        self._colours = lru_cache(maxsize=2048)(lambda kind, track: _paint(kind, track, bus))
        nearest = np.where(np.isfinite(backdrop.solid_depth), backdrop.solid_depth, 1e9)
        self._solid = nearest.astype(np.float32)
        self._hides = float(nearest.min())

    def arrange(self, actors: Sequence[Actor], light: Light, towards_sun: F64) -> Cast:
        """Work out where everything is in the image and what it looks like there."""
        seen = self._in_view(actors)
        groups: dict[str, list[int]] = {}
        for k, actor in enumerate(seen):
            groups.setdefault(shape_name(actor.kind, actor.walked), []).append(k)
        exposure = self._exposed(seen)
        depth = np.zeros(len(seen))
        boxes = np.zeros((len(seen), 4))
        parts = []
        for name, members in groups.items():
            part = self._group(SHAPES[name], [seen[k] for k in members], light, towards_sun,
                               [e[members] for e in exposure])  # fmt: skip
            depth[members], boxes[members] = part.depth, part.boxes
            parts.append((np.array(members), part))
        return _sorted(seen, depth, boxes, parts)

    def _in_view(self, actors: Sequence[Actor]) -> list[Actor]:
        if not actors:
            return []
        points = np.array([(a.x, a.y, 0.8) for a in actors])
        pixels, depth = self._optics.project(points)
        reach = 9.0 * self._optics.focal / np.maximum(depth, 1.0)
        inside = (depth > 3.0) & (depth < 400.0)
        for axis, size in ((0, self._optics.width), (1, self._optics.height)):
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

    def _group(
        self, shape: Shape, actors: Sequence[Actor], light: Light, towards: F64,
        exposure: Sequence[F32],
    ) -> "_Group":  # fmt: skip
        cos = np.array([math.cos(a.heading) for a in actors])[:, None]
        sin = np.array([math.sin(a.heading) for a in actors])[:, None]
        x = np.array([a.x for a in actors])[:, None]
        y = np.array([a.y for a in actors])[:, None]
        p = shape.points
        world = np.stack([x + cos * p[:, 0] - sin * p[:, 1], y + sin * p[:, 0] + cos * p[:, 1],
                          np.broadcast_to(p[:, 2], (len(actors), len(p)))], axis=-1)  # fmt: skip
        pixels, depths = self._optics.project(world)
        boxes = np.concatenate([pixels.min(axis=1), pixels.max(axis=1)], axis=1)
        depth = depths.mean(axis=1)
        eye = self._optics.eye
        ex, ey = eye[0] - x, eye[1] - y
        local = (cos * ex + sin * ey, cos * ey - sin * ex, np.full_like(x, eye[2]))
        n = shape.normals
        facing = local[0] * n[:, 0] + local[1] * n[:, 1] + local[2] * n[:, 2] > shape.levels
        tall = boxes[:, 3] - boxes[:, 1]
        facing &= (tall[:, None] > _FINE_PX) | ~shape.fine
        away = sum((local[k] - shape.middles[:, k]) ** 2 for k in range(3))
        sun = (cos * towards[0] + sin * towards[1], cos * towards[1] - sin * towards[0], towards[2])
        sunny = np.maximum(sun[0] * n[:, 0] + sun[1] * n[:, 1] + sun[2] * n[:, 2], 0)
        colours = self._shaded(shape, actors, light, sunny.astype(np.float32), exposure, depth)
        return _Group(shape, pixels, boxes, depth, facing, away[:, shape.parts], colours)

    def _shaded(
        self, shape: Shape, actors: Sequence[Actor], light: Light, sunny: F32,
        exposure: Sequence[F32], depth: F64,
    ) -> F32:  # fmt: skip
        """(n, F, 3) what each face shows, 0 to 255."""
        palette = np.stack([self._colours(a.kind, a.track_id) for a in actors])
        albedo = palette[:, shape.materials]
        up = shape.normals[:, 2].astype(np.float32)
        sun_here, low_here, sky_here, lamps_here = (e[:, None] for e in exposure)
        direct = low_here if light.sun_name == "low_sun" else sun_here
        sky = sky_here * (np.float32(0.62) + np.float32(0.38) * up)
        lamps = lamps_here * (np.float32(0.5) + np.float32(0.4) * np.maximum(up, 0))
        colour = light.shade(albedo, sky, sunny * direct, lamps)
        glass = shape.materials == Material.GLASS
        colour[:, glass] += light.sky * (np.float32(0.10) + np.float32(0.22) * np.maximum(up[glass], 0))[:, None]  # fmt: skip
        self._lamps(colour, shape, actors, light)
        return light.show(light.through_air(colour, depth.astype(np.float32)[:, None]))

    def _lamps(self, colour: F32, shape: Shape, actors: Sequence[Actor], light: Light) -> None:
        """Lamps that are on shine by themselves."""
        on = light.dark > 0.3 or light.wet > 0.4 or light.fog_per_m > 0.01
        head, tail = shape.materials == Material.HEAD_LAMP, shape.materials == Material.TAIL_LAMP
        for k, actor in enumerate(actors):
            if not actor.lamps:
                continue
            if on:
                colour[k, head] = (0.95, 1.0, 1.0)
            if on or actor.braking:
                colour[k, tail] = (0.05, 0.05, 0.95 if actor.braking else 0.5)
            if actor.hazard:
                colour[k, head | tail] = (0.0, 0.55, 1.0)

    def paint(self, image: Image, still: Image, cast: Cast, lamps: "LampPainter | None") -> None:
        """Draw the cast onto ``image``; ``still`` shows what stands in front of it."""
        colours = cast.colours.tolist()
        for k in range(len(cast.actors)):
            for m in range(cast.first[k], cast.first[k + 1]):
                cv2.fillConvexPoly(image, cast.faces[m], colours[m], cv2.LINE_AA, _SHIFT)
            if lamps is not None:
                lamps.shine(image, cast.actors[k])
            self._restore(image, still, cast.boxes[k], float(cast.depth[k]))

    def _restore(self, image: Image, still: Image, box: F64, depth: float) -> None:
        """Put back what stands between the camera and something just drawn."""
        if depth < self._hides:
            return
        window = clipped(box, self._optics, margin=10)
        if window is None:
            return
        hidden = self._solid[window] < depth
        if hidden.any():
            image[window][hidden] = still[window][hidden]

    def visible(self, cast: Cast) -> tuple[Image, NDArray[np.int64]]:
        """Who owns which pixel, and how many pixels each would have if nothing hid it.

        Returns:
            (height, width) with k + 1 where actor k is seen, else 0; and (N,) pixel counts, which
            include what is beyond the image's edge.
        """
        if len(cast.actors) > 60_000:
            raise OverflowError("more actors than an image of 16 bits can tell apart")
        owner = np.zeros((self._optics.height, self._optics.width), np.uint16)
        whole = np.zeros(len(cast.actors), np.int64)
        for k in range(len(cast.actors)):
            faces = cast.faces[cast.first[k] : cast.first[k + 1]]
            whole[k] = _area(faces, cast.boxes[k])
            for face in faces:
                cv2.fillConvexPoly(owner, face, k + 1, cv2.LINE_8, _SHIFT)
            window = clipped(cast.boxes[k], self._optics, margin=1)
            if window is not None and cast.depth[k] >= self._hides:
                mine = owner[window]
                mine[(self._solid[window] < cast.depth[k]) & (mine == k + 1)] = 0
        return owner, whole


@dataclass(frozen=True)
class _Group:
    """Actors of one shape; arrays begin with (n,) or (n, F)."""

    shape: Shape
    pixels: F64
    boxes: F64
    depth: F64
    facing: NDArray[np.bool_]
    away: F64
    colours: F32


def _sorted(
    actors: Sequence[Actor], depth: F64, boxes: F64, parts: Sequence[tuple[NDArray[np.intp], _Group]]
) -> Cast:
    """All faces in the order in which they are drawn."""
    rank = np.empty(len(actors), np.intp)
    order = np.argsort(-depth, kind="stable")
    rank[order] = np.arange(len(actors))
    owners, layers, away, faces, colours = [], [], [], [], []
    for members, part in parts:
        who, which = np.nonzero(part.facing)
        owners.append(rank[members[who]])
        layers.append(part.shape.layers[which])
        away.append(-part.away[who, which])
        faces.append(part.pixels[who[:, None], part.shape.faces[which]])
        colours.append(part.colours[who, which])
    if not parts:
        empty = np.zeros(1, np.intp)
        return Cast([], depth, boxes, np.zeros((0, 8, 2), np.int32), np.zeros((0, 3), np.float32), empty)  # fmt: skip
    owner = np.concatenate(owners)
    sequence = np.lexsort((np.concatenate(away), np.concatenate(layers), owner))
    corners = np.clip(np.concatenate(faces)[sequence], -_FACE_LIMIT, _FACE_LIMIT)
    return Cast(
        [actors[k] for k in order.tolist()],
        depth[order],
        boxes[order],
        # OpenCV's pixel (0, 0) is centred there; ours begins there.
        np.round((corners - 0.5) * (1 << _SHIFT)).astype(np.int32),
        np.concatenate(colours)[sequence],
        np.searchsorted(owner[sequence], np.arange(len(actors) + 1)),
    )


def clipped(box: F64, optics: Optics, margin: int) -> tuple[slice, slice] | None:
    """The part of the image that a box covers, None if it is outside."""
    left, top = max(int(box[0]) - margin, 0), max(int(box[1]) - margin, 0)
    right = min(int(box[2]) + margin + 1, optics.width)
    bottom = min(int(box[3]) + margin + 1, optics.height)
    return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None


def _area(faces: NDArray[np.int32], box: F64) -> int:
    """Pixels that faces cover together, inside or outside of the image."""
    origin = np.floor(box[:2]).astype(np.int32)
    wide, tall = (np.ceil(box[2:]).astype(np.int32) - origin + 2).tolist()
    if not (0 < wide < 4096 and 0 < tall < 4096):
        return 0
    mask = np.zeros((tall, wide), np.uint8)
    for face in faces - (origin << _SHIFT):
        cv2.fillConvexPoly(mask, face, 1, cv2.LINE_8, _SHIFT)
    return int(cv2.countNonZero(mask))


def _paint(kind: str, track_id: int, bus: tuple[float, float, float]) -> F32:
    """(materials, 3) linear colours of one thing."""
    chance = draw("paint", kind, track_id)
    body = chance.choices(_PAINTS, (5, 5, 4, 5, 2, 2, 1, 1, 2))[0]
    second = (0.82, 0.83, 0.83)
    if kind == "bus":
        body, second = bus, (0.80, 0.82, 0.82)
    elif kind == "truck":
        second = chance.choice(((0.84, 0.85, 0.85), (0.80, 0.82, 0.83), (0.60, 0.38, 0.20),
                                (0.30, 0.42, 0.66), (0.38, 0.56, 0.42)))  # fmt: skip
    elif kind == "lost load":
        second = (0.28, 0.42, 0.56)
    elif kind in {"person", "bicycle", "motorcycle"}:
        body, second = chance.choice(_CLOTHES), chance.choice(_CLOTHES[:4])
    elif kind == "van":
        body = chance.choices(_PAINTS, (9, 3, 1, 1, 1, 1, 0, 1, 0))[0]
    shade = chance.uniform(0.9, 1.06)
    palette = np.zeros((len(Material), 3), np.float32)
    palette[Material.BODY], palette[Material.SECOND] = body, second
    palette[:2] *= np.float32(shade)
    for material, colour in _FIXED.items():
        palette[material] = colour
    return palette * palette


class LampPainter:
    """Head and tail lamps as they dazzle a camera in the dark.

    Args:
        optics: The camera.
        strength: 0 by day to 1 at night.
        smear: How far the wet road draws the lights towards the camera, 0 to 1.
    """

    def __init__(self, optics: Optics, strength: float, smear: float) -> None:
        self._optics, self._strength, self._smear = optics, strength, smear
        self._sprites = [_sprite(radius) for radius in range(2, 41)]

    def shine(self, image: Image, actor: Actor) -> None:
        """Add the glow of one vehicle's lamps."""
        shape = SHAPES.get(actor.kind)
        if shape is None or not actor.lamps:
            return
        cos, sin = math.cos(actor.heading), math.sin(actor.heading)
        dx, dy = self._optics.mast.x - actor.x, self._optics.mast.y - actor.y
        away = math.hypot(dx, dy)
        ahead = (dx * cos + dy * sin) / max(away, 1e-6)
        lamps = shape.head_lamps if ahead > 0 else shape.tail_lamps
        if not len(lamps) or abs(ahead) < 0.12:
            return
        power = 1.7 if ahead > 0 else (0.85 if actor.braking else 0.55)
        tint = (0.92, 0.98, 1.0) if ahead > 0 else (0.10, 0.12, 1.0)
        world = np.array([(actor.x + cos * p[0] - sin * p[1], actor.y + sin * p[0] + cos * p[1], p[2])
                          for p in lamps.tolist()])  # fmt: skip
        pixels, depth = self._optics.project(world)
        for (x, y), d in zip(pixels.tolist(), depth.tolist(), strict=True):
            if d < 3:
                continue
            radius = power * abs(ahead) * (0.55 * self._optics.focal / d + 4.0)
            self._add(image, x, y, radius * 0.9, tint, self._strength)
            if self._smear and d > 6:
                drop = self._optics.focal * 1.3 / d
                self._add(image, x, y + drop, radius * 0.8, tint, 0.45 * self._smear, tall=3)

    def _add(
        self, image: Image, x: float, y: float, radius: float, tint: tuple[float, ...],
        strength: float, tall: int = 1,
    ) -> None:  # fmt: skip
        sprite = self._sprites[min(max(round(radius) - 2, 0), len(self._sprites) - 1)]
        if tall > 1:
            sprite = cv2.resize(sprite, (max(sprite.shape[1] // 2, 1), sprite.shape[0] * tall // 2))
        rows, columns = sprite.shape
        left, top = round(x) - columns // 2, round(y) - rows // 2
        x0, y0 = max(left, 0), max(top, 0)
        x1 = min(left + columns, self._optics.width)
        y1 = min(top + rows, self._optics.height)
        if x0 >= x1 or y0 >= y1:
            return
        piece = sprite[y0 - top : y1 - top, x0 - left : x1 - left]
        glow = cv2.merge([cv2.convertScaleAbs(piece, alpha=strength * part) for part in tint])
        target = image[y0:y1, x0:x1]
        cv2.add(target, glow, dst=target)


def _sprite(radius: int) -> Image:
    """A round glow with a bright core, (2r + 1, 2r + 1)."""
    axis = np.arange(-radius, radius + 1, dtype=np.float32) / np.float32(radius)
    distance = axis[:, None] ** 2 + axis[None] ** 2
    halo = np.clip(1 - distance, 0, 1) ** 3 * np.float32(0.55)
    core = np.clip(1 - distance * 9, 0, 1) * np.float32(0.9)
    return np.round(np.clip(halo + core, 0, 1) * 255).astype(np.uint8)
