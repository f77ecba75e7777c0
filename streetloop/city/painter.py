"""Draws what moves onto the still scene, the farthest first."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

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
_FINE_PX = 18  # below this height small parts are left out
_LEAST_PX = 2.5  # below this height nothing is drawn
_FACE_LIMIT = 1 << 14
_GLOW_PX = 10  # how far lamps shine beyond what carries them
_MOST_GLOW = 40
_ASIDE = 0.12  # cosine under which a lamp that looks aside is not seen
_HEAD_TINT, _TAIL_TINT = (0.92, 0.98, 1.0), (0.10, 0.12, 1.0)

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
        self._nearest = _Nearest(self._solid)

    def arrange(self, actors: Sequence[Actor], light: Light, towards_sun: F64) -> Cast:
        """Work out where everything is in the image and what it looks like there."""
        crowd = _Crowd(self._in_view(actors), self._optics)
        if not crowd.actors:
            return _EMPTY
        rank = np.empty(len(crowd.actors), np.intp)
        order = np.argsort(-crowd.depth, kind="stable")
        rank[order] = np.arange(len(order))
        faces = crowd.visible_faces()
        owner = rank[faces.owner]
        # Within a thing what is on top comes later, and of the rest what is nearer.
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

    def _in_view(self, actors: Sequence[Actor]) -> list[Actor]:
        if not actors:
            return []
        points = np.array([(a.x, a.y, 0.8) for a in actors])
        pixels, depth = self._optics.project(points)
        reach = 9.0 * self._optics.focal / np.maximum(depth, 1.0)
        inside = (depth > 3.0) & (depth < 1.5 * self._optics.focal / _LEAST_PX)
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

    def _shaded(self, crowd: "_Crowd", faces: "_Faces", light: Light, towards: F64) -> F32:
        """(M, 3) what each face shows, 0 to 255."""
        owner = faces.owner
        palette = np.stack([self._colours(a.kind, a.track_id) for a in crowd.actors])
        albedo = palette[owner, faces.material]
        cos, sin = crowd.cos[owner], crowd.sin[owner]
        n = faces.normal
        sun = ((cos * towards[0] + sin * towards[1]) * n[:, 0]
               + (cos * towards[1] - sin * towards[0]) * n[:, 1] + towards[2] * n[:, 2])  # fmt: skip
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

    def _switch_on(self, colour: F32, crowd: "_Crowd", faces: "_Faces", light: Light) -> None:
        """Lamps that are on shine by themselves."""
        on = light.dark > 0.3 or light.wet > 0.4 or light.fog_per_m > 0.01
        state = np.array([(a.lamps and on, a.braking, a.hazard) for a in crowd.actors])[faces.owner]
        head, tail = (faces.material == m for m in (Material.HEAD_LAMP, Material.TAIL_LAMP))
        colour[head & state[:, 0]] = (0.95, 1.0, 1.0)
        colour[tail & state[:, 0]] = (0.05, 0.05, 0.5)
        colour[tail & state[:, 1]] = (0.05, 0.05, 0.95)
        colour[(head | tail) & state[:, 2]] = (0.0, 0.55, 1.0)

    def paint(self, image: Image, still: Image, cast: Cast, lamps: "LampPainter | None") -> None:
        """Draw the cast onto ``image``; ``still`` shows what stands in front of it."""
        faces, colours, fill = list(cast.faces), cast.colours.tolist(), cv2.fillConvexPoly
        first = cast.first.tolist()
        glows = lamps.plan(cast) if lamps is not None else {}
        margins = [_GLOW_PX if k in glows else 2 for k in range(len(cast.actors))]
        hidden = self._nearest.hides(cast, margins)
        for k in range(len(cast.actors)):
            for m in range(first[k], first[k + 1]):
                fill(image, faces[m], colours[m], cv2.LINE_AA, _SHIFT)
            if k in glows and lamps is not None:
                lamps.shine(image, glows[k])
            if hidden[k]:
                self._restore(image, still, cast.boxes[k], float(cast.depth[k]), margins[k])

    def _restore(self, image: Image, still: Image, box: F64, depth: float, margin: int) -> None:
        """Put back what stands between the camera and something just drawn."""
        window = clipped(box, self._optics, margin=margin)
        if window is not None:
            hidden = (self._solid[window] < depth).astype(np.uint8)
            cv2.copyTo(still[window], hidden, image[window])

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
        hidden = self._nearest.hides(cast, [1] * len(cast.actors))
        for k in range(len(cast.actors)):
            faces = cast.faces[cast.first[k] : cast.first[k + 1]]
            whole[k] = _area(faces, cast.boxes[k])
            for face in faces:
                cv2.fillConvexPoly(owner, face, k + 1, cv2.LINE_8, _SHIFT)
            window = clipped(cast.boxes[k], self._optics, margin=1)
            if window is not None and hidden[k]:
                mine = owner[window]
                mine[(self._solid[window] < cast.depth[k]) & (mine == k + 1)] = 0
        return owner, whole


@dataclass(frozen=True)
class _Faces:
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


class _Crowd:
    """Everything in view in one set of arrays; a frame costs few calls, however many there are."""

    def __init__(self, actors: Sequence[Actor], optics: Optics) -> None:
        self.actors = actors
        if not actors:
            return
        self.shapes = [SHAPES[shape_name(a.kind, a.walked)] for a in actors]
        self.cos = np.array([math.cos(a.heading) for a in actors])
        self.sin = np.array([math.sin(a.heading) for a in actors])
        self._x, self._y = np.array([a.x for a in actors]), np.array([a.y for a in actors])
        self._eye = optics.eye
        self.sizes = np.array([s.size for s in self.shapes])
        self._counts = np.array([len(s.points) for s in self.shapes])
        self._starts = np.concatenate([[0], np.cumsum(self._counts)[:-1]])
        owner = np.repeat(np.arange(len(actors)), self._counts)
        p = np.concatenate([s.points for s in self.shapes])
        cos, sin = self.cos[owner], self.sin[owner]
        world = np.stack([self._x[owner] + cos * p[:, 0] - sin * p[:, 1],
                          self._y[owner] + sin * p[:, 0] + cos * p[:, 1], p[:, 2]], axis=-1)  # fmt: skip
        self._pixels, depth = optics.project(world)
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

    def visible_faces(self) -> _Faces:
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
        solids = np.array([len(s.middles) for s in shapes])
        belongs = np.repeat(who, solids)
        middles = np.concatenate([s.middles for s in shapes])
        away = ((eye[0][belongs] - middles[:, 0]) ** 2 + (eye[1][belongs] - middles[:, 1]) ** 2
                + (self._eye[2] - middles[:, 2]) ** 2)  # fmt: skip
        first = np.cumsum(solids) - solids
        owner = owner[kept]
        part = np.concatenate([s.parts for s in shapes])[kept] + first[owner]
        corners = np.concatenate([s.faces for s in shapes])[kept] + self._starts[owner][:, None]
        return _Faces(
            owner,
            np.concatenate([s.materials for s in shapes])[kept],
            np.concatenate([s.layers for s in shapes])[kept],
            normal[kept],
            away[part],
            self._pixels[corners],
        )


_EMPTY = Cast(
    [], np.zeros(0), np.zeros((0, 4)), np.zeros((0, 8, 2), np.int32),
    np.zeros((0, 3), np.float32), np.zeros(1, np.intp), np.zeros((0, 4, 2)), np.zeros(0),
)  # fmt: skip


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


class _Nearest:
    """Says quickly of many boxes whether anything solid in them may be nearer.

    Args:
        depth: (height, width) metres to what stands there.
    """

    _CELL = 4

    def __init__(self, depth: F32) -> None:
        rows, columns = (-(-n // self._CELL) * self._CELL for n in depth.shape)
        padded = np.full((rows, columns), np.float32(1e9))
        padded[: depth.shape[0], : depth.shape[1]] = depth
        cells = padded.reshape(rows // self._CELL, self._CELL, columns // self._CELL, self._CELL)
        self._levels = [cells.min(axis=(1, 3))]
        while max(self._levels[-1].shape) > 1:  # each level holds the nearest of four cells below
            last = self._levels[-1]
            even = np.pad(last, [(0, n % 2) for n in last.shape], constant_values=1e9)
            self._levels.append(np.minimum.reduce([even[a::2, b::2] for a in (0, 1) for b in (0, 1)]))

    def hides(self, cast: Cast, margins: Sequence[int]) -> list[bool]:
        """For each actor whether something may stand in front of it, or within a margin of it."""
        wider = np.array(margins)[:, None]
        low = np.maximum(cast.boxes[:, :2] - wider, 0)
        high = np.maximum(cast.boxes[:, 2:] + wider + 1, 0)
        # A level whose cells are about a third of the box: few cells, yet close to its outline.
        span = np.maximum((high - low).max(axis=1) / (3 * self._CELL), 1)
        level = np.minimum(np.ceil(np.log2(span)), len(self._levels) - 1).astype(int)
        size = (self._CELL << level)[:, None]
        cells = np.concatenate([low // size, high // size + 1], axis=1).astype(int).tolist()
        found = []
        for k, depth in enumerate(cast.depth.tolist()):
            x0, y0, x1, y1 = cells[k]
            part = self._levels[level[k]][y0:y1, x0:x1]
            found.append(bool(part.size) and float(part.min()) < depth)
        return found


class _Glow(NamedTuple):
    x: float
    y: float
    radius: int
    tint: tuple[float, float, float]
    strength: float
    tall: int = 1


class LampPainter:
    """Head and tail lamps as they dazzle a camera in the dark.

    Args:
        optics: The camera.
        strength: 0 by day to 1 at night.
        smear: How far the wet road draws the lights towards the camera, 0 to 1.
    """

    def __init__(self, optics: Optics, strength: float, smear: float) -> None:
        self._optics, self._strength, self._smear = optics, strength, smear

    def plan(self, cast: Cast) -> dict[int, list[_Glow]]:
        """The glows of each actor's lamps, by its place in the cast."""
        owners, places, facing = [], [], []
        for k, actor in enumerate(cast.actors):
            shape = SHAPES.get(actor.kind)
            if shape is None or not actor.lamps:
                continue
            cos, sin = math.cos(actor.heading), math.sin(actor.heading)
            dx, dy = self._optics.mast.x - actor.x, self._optics.mast.y - actor.y
            ahead = (dx * cos + dy * sin) / max(math.hypot(dx, dy), 1e-6)
            if abs(ahead) < _ASIDE:
                continue
            for x, y, z in (shape.head_lamps if ahead > 0 else shape.tail_lamps).tolist():
                owners.append(k)
                places.append((actor.x + cos * x - sin * y, actor.y + sin * x + cos * y, z))
                facing.append(ahead)
        glows: dict[int, list[_Glow]] = {}
        if not owners:
            return glows
        pixels, depth = self._optics.project(np.array(places))
        rows = zip(owners, pixels.tolist(), depth.tolist(), facing, strict=True)
        for k, (x, y), d, ahead in rows:
            if d > 3:
                glows.setdefault(k, []).extend(self._glows(cast.actors[k], x, y, d, ahead))
        return glows

    def _glows(self, actor: Actor, x: float, y: float, depth: float, ahead: float) -> list[_Glow]:
        focal = self._optics.focal
        tint = _HEAD_TINT if ahead > 0 else _TAIL_TINT
        power = 1.7 if ahead > 0 else (0.85 if actor.braking else 0.55)
        radius = power * abs(ahead) * (0.55 * focal / depth + 4.0)
        found = [_Glow(x, y, round(radius * 0.9), tint, self._strength)]
        if self._smear and depth > 6:
            drop = focal * 1.3 / depth
            found.append(_Glow(x, y + drop, round(radius * 0.8), tint, 0.45 * self._smear, tall=3))
        return found

    def shine(self, image: Image, glows: Sequence[_Glow]) -> None:
        """Add glows to an image."""
        for glow in glows:
            radius = min(max(glow.radius, 2), _MOST_GLOW)
            sprite = _glow_sprite(radius, glow.tint, round(glow.strength, 3), glow.tall)
            rows, columns = sprite.shape[:2]
            left, top = round(glow.x) - columns // 2, round(glow.y) - rows // 2
            x0, y0 = max(left, 0), max(top, 0)
            x1 = min(left + columns, self._optics.width)
            y1 = min(top + rows, self._optics.height)
            if x0 < x1 and y0 < y1:
                target = image[y0:y1, x0:x1]
                cv2.add(target, sprite[y0 - top : y1 - top, x0 - left : x1 - left], dst=target)


@lru_cache(maxsize=1024)
def _glow_sprite(radius: int, tint: tuple[float, float, float], strength: float, tall: int) -> Image:
    sprite = _sprite(radius)
    if tall > 1:
        sprite = cv2.resize(sprite, (max(sprite.shape[1] // 2, 1), sprite.shape[0] * tall // 2))
    return cv2.merge([cv2.convertScaleAbs(sprite, alpha=strength * part) for part in tint])


def _sprite(radius: int) -> Image:
    """A round glow with a bright core, (2r + 1, 2r + 1)."""
    axis = np.arange(-radius, radius + 1, dtype=np.float32) / np.float32(radius)
    distance = axis[:, None] ** 2 + axis[None] ** 2
    halo = np.clip(1 - distance, 0, 1) ** 3 * np.float32(0.55)
    core = np.clip(1 - distance * 9, 0, 1) * np.float32(0.9)
    return np.round(np.clip(halo + core, 0, 1) * 255).astype(np.uint8)
