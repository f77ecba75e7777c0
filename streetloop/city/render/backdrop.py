"""What a camera sees of the city when nothing moves: colours, light and depth of each pixel.

Every pixel's ray is followed to the ground and to each box and tree that its image can hold. The
result knows nothing of the weather or the hour; `lighting` does.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from streetloop.city.render.facades import FACES, facade
from streetloop.city.render.maps import Maps, corners_of, crown_of, sun_direction
from streetloop.city.world.camera_model import CameraModel
from streetloop.city.world.ground import Ground, look_up, texture
from streetloop.city.world.place import Place, Solid
from streetloop.types import Image

F32: TypeAlias = NDArray[np.floating[Any]]

_SUPER = 2  # rays a pixel, along each side
_FAR_M = 4000.0
_NEAR_MAP = (56.0, 0.05)
_NEAR_AHEAD_M = 38.0


@dataclass(frozen=True)
class Backdrop:
    """Everything about the still scene, each (height, width) or (height, width, 3), 0 to 1.

    Attributes:
        albedo: Linear colour, blue first.
        sun: How much of the sun by day arrives.
        low_sun: How much of the low sun arrives.
        sky: How much of the sky is open above.
        lamps: Light of the street lamps, linear.
        lamp_image: Windows that are lit at night, linear.
        depth: Metres in front of the camera; `_FAR_M` for sky.
        is_sky: Share of the pixel that is sky.
        height: For sky: sine of the angle above the horizon; else 0.
        clouds: For sky: thickness of the clouds.
        road: True where the ground is.
        solid_depth: Metres to what stands there; infinite for ground and sky.
    """

    albedo: F32
    sun: F32
    low_sun: F32
    sky: F32
    lamps: F32
    lamp_image: F32
    depth: F32
    is_sky: F32
    height: F32
    clouds: F32
    road: NDArray[np.bool_]
    solid_depth: F32

    @cached_property
    def skyline(self) -> slice:
        """The rows that have any sky; what is of the sky alone is worked out for these."""
        rows = np.flatnonzero(self.is_sky.any(axis=1))
        return slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)

    @cached_property
    def shown(self) -> Image:
        """The colours in even white light, as displayed; black where no road is."""
        road = np.where(self.road[..., None], self.albedo, np.float32(0))
        shown: Image = np.round(np.sqrt(road) * 255).astype(np.uint8)
        return shown


class _Canvas:
    """The buffers while they are filled, at `_SUPER` times the size."""

    def __init__(self, camera_model: CameraModel, place: Place, maps: Maps) -> None:
        self.camera_model, self.place, self.maps = camera_model, place, maps
        self.rays = camera_model.rays(_SUPER).astype(np.float32)
        self.eye = camera_model.eye.astype(np.float32)
        shape = self.rays.shape[:2]
        self.albedo = np.zeros((*shape, 3), np.float32)
        self.depth = np.full(shape, _FAR_M, np.float32)
        self.solid = np.full(shape, np.inf, np.float32)
        self.sun = np.zeros(shape, np.float32)
        self.low_sun = np.zeros(shape, np.float32)
        self.sky = np.ones(shape, np.float32)
        self.lamps = np.zeros(shape, np.float32)
        self.lamp_image = np.zeros((*shape, 3), np.float32)
        self.towards = sun_direction(*place.sun)
        self.towards_low = sun_direction(*place.low_sun)
        self.grain = texture("grain").astype(np.float32) / 128
        self.leaves = texture("leaves", octaves=(24, 64, 128)).astype(np.float32) / 128
        self.blotches = texture("blotches", octaves=(3, 7, 13, 29)).astype(np.float32) / 128

    def noise(self, values: F32, u: F32, v: F32, metres: float) -> F32:
        """Cloud noise round 1 that repeats every ``metres``."""
        scale = np.float32(512 / metres)
        return look_up(values, np.mod(u * scale, 511), np.mod(v * scale, 511))

    def ground(self) -> None:
        down = self.rays[..., 2] < -1e-4
        t = np.where(down, -self.eye[2] / np.where(down, self.rays[..., 2], -1), _FAR_M)
        hit = down & (t < 2500)
        t = np.where(hit, t, _FAR_M).astype(np.float32)
        x, y = self.eye[0] + t * self.rays[..., 0], self.eye[1] + t * self.rays[..., 1]
        maps = self.maps
        far = cv2.remap(
            maps.far.colour, *maps.far.coordinates(x, y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        mast = self.camera_model.mast
        bearing = math.radians(mast.bearing)
        centre = (mast.x + _NEAR_AHEAD_M * math.sin(bearing), mast.y + _NEAR_AHEAD_M * math.cos(bearing))
        close = Ground(*_NEAR_MAP, self.place.base, centre)
        self.place.paint(close)
        near = cv2.remap(close.colour, *close.coordinates(x, y), cv2.INTER_LINEAR)
        reach = np.float32(_NEAR_MAP[0] - 1)
        use_near = np.maximum(np.abs(x - np.float32(centre[0])), np.abs(y - np.float32(centre[1]))) < reach
        colour = np.where(use_near[..., None], near, far)
        albedo = (colour.astype(np.float32) / 255) ** 2
        rough = 1 + (self.noise(self.grain, x, y, 6.0) - 1) * 0.3 * np.clip(1.2 - t / 60, 0, 1)
        worn = 1 + (self.noise(self.blotches, x, y, 60.0) - 1) * 0.16
        tracks = 1 + (self.noise(self.blotches, y, x, 17.0) - 1) * 0.10
        albedo *= (rough * worn * tracks)[..., None]
        self.albedo[hit] = albedo[hit]
        self.depth[hit] = t[hit]
        for name in ("sun", "low_sun", "sky", "lamps"):
            getattr(self, name)[hit] = maps.sample(getattr(maps, name), x, y)[hit]
        self.sun *= np.float32(self.towards[2])
        self.low_sun *= np.float32(self.towards_low[2])

    def window(self, points: NDArray[np.float64]) -> tuple[slice, slice] | None:
        """The part of the image that can hold something with these corners."""
        pixels, depth = self.camera_model.project(points)
        rows, columns = self.depth.shape
        if depth.max() < 0.5:
            return None
        if depth.min() < 1.0:
            return slice(0, rows), slice(0, columns)
        low = np.floor(pixels.min(axis=0) * _SUPER - 4).astype(int)
        high = np.ceil(pixels.max(axis=0) * _SUPER + 4).astype(int)
        top, bottom = max(low[1], 0), min(high[1], rows)
        left, right = max(low[0], 0), min(high[0], columns)
        return (slice(top, bottom), slice(left, right)) if top < bottom and left < right else None

    def box(self, solid: Solid) -> None:
        window = self.window(corners_of(solid))
        if window is None:
            return
        rays = self.rays[window]
        c = np.float32(math.cos(math.radians(solid.heading)))
        s = np.float32(math.sin(math.radians(solid.heading)))
        dx, dy = self.eye[0] - np.float32(solid.x), self.eye[1] - np.float32(solid.y)
        eye = (c * dx + s * dy, c * dy - s * dx, self.eye[2])
        way = (c * rays[..., 0] + s * rays[..., 1], c * rays[..., 1] - s * rays[..., 0], rays[..., 2])
        low = (-solid.length / 2, -solid.width / 2, solid.bottom)
        high = (solid.length / 2, solid.width / 2, solid.top)
        enter = np.full(rays.shape[:2], -np.inf, np.float32)
        leave = np.full(rays.shape[:2], np.inf, np.float32)
        axis = np.zeros(rays.shape[:2], np.int8)
        for k in range(3):
            step = np.where(np.abs(way[k]) < 1e-7, np.float32(1e-7), way[k])
            a, b = (np.float32(low[k]) - eye[k]) / step, (np.float32(high[k]) - eye[k]) / step
            first = np.minimum(a, b)
            axis = np.where(first > enter, np.int8(k), axis)
            enter = np.maximum(enter, first)
            leave = np.minimum(leave, np.maximum(a, b))
        hit = (enter < leave) & (enter > 0.3) & (enter < self.depth[window])
        if not hit.any():
            return
        t = enter[hit]
        local = [eye[k] + t * way[k][hit] for k in range(3)]
        side = axis[hit]
        sign = np.stack([-np.sign(way[k][hit]) for k in range(3)], axis=-1)
        normal = np.zeros((len(t), 3), np.float32)
        normal[np.arange(len(t)), side] = sign[np.arange(len(t)), side]
        world = np.stack(
            [c * normal[:, 0] - s * normal[:, 1], s * normal[:, 0] + c * normal[:, 1], normal[:, 2]], axis=-1
        )
        along = np.where(
            side == 0, local[1] + np.float32(solid.width / 2), local[0] + np.float32(solid.length / 2)
        )
        span = np.where(side == 0, np.float32(solid.width), np.float32(solid.length))
        albedo, lamp_image = facade(solid, along, span, local[2], side == 2)
        self._write(window, hit, t, albedo * self._dirt(along, local[2])[:, None], world, lamp_image)

    def _dirt(self, u: F32, v: F32) -> F32:
        noise = self.noise(self.blotches, u[None], v[None], 23.0)[0]
        fine = self.noise(self.grain, u[None], v[None], 9.0)[0]
        dirt: F32 = 1 + (noise - 1) * 0.22 + (fine - 1) * 0.12
        return dirt

    def ball(self, x: float, y: float, z: float, r: float, seed: float) -> None:
        around = np.array(
            [(x + a * r, y + b * r, z + c * r) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]
        )
        window = self.window(around)
        if window is None:
            return
        rays = self.rays[window]
        away = [self.eye[k] - np.float32(v) for k, v in enumerate((x, y, z))]
        a = rays[..., 0] ** 2 + rays[..., 1] ** 2 + rays[..., 2] ** 2
        b = rays[..., 0] * away[0] + rays[..., 1] * away[1] + rays[..., 2] * away[2]
        c = away[0] ** 2 + away[1] ** 2 + away[2] ** 2 - np.float32(r * r)
        root = b * b - a * c
        t = (-b - np.sqrt(np.maximum(root, 0))) / a
        hit = (root > 0) & (t > 0.3) & (t < self.depth[window])
        if not hit.any():
            return
        t = t[hit]
        point = [self.eye[k] + t * rays[..., k][hit] for k in range(3)]
        normal = np.stack(
            [(point[k] - np.float32(v)) / np.float32(r) for k, v in enumerate((x, y, z))], axis=-1
        )
        leaf = self.noise(
            self.leaves,
            point[0] + point[1] * np.float32(0.6) + np.float32(seed),
            point[2] + point[1] * np.float32(0.6),
            3.2,
        )
        facing = root[hit] / (a[hit] * np.float32(r * r))  # 0 at the rim
        kept = facing > 0.22 * np.clip(1.35 - leaf, 0, 2) ** 2 * 3
        index = np.flatnonzero(hit.ravel())[kept]
        mask = np.zeros(hit.size, bool)
        mask[index] = True
        shade = np.clip(leaf[kept] * 1.9 - 0.95, 0.18, 1.9)[:, None]
        green = np.array(FACES["leaf"], np.float32) ** 2 * shade
        soft = normal[kept] * np.float32(0.8) + np.array([0, 0, 0.35], np.float32)
        self._write(window, mask.reshape(hit.shape), t[kept], green, soft, None)

    def _write(
        self,
        window: tuple[slice, slice],
        hit: NDArray[np.bool_],
        t: F32,
        albedo: F32,
        normal: F32,
        lamp_image: F32 | None,
    ) -> None:
        """What was hit takes the place of what is there."""
        rays = self.rays[window][hit]
        x, y, z = (self.eye[k] + t * rays[:, k] for k in range(3))
        self.albedo[window][hit] = albedo
        self.depth[window][hit] = t
        self.solid[window][hit] = t
        for name, towards in (("sun", self.towards), ("low_sun", self.towards_low)):
            facing = sum(normal[:, k] * np.float32(towards[k]) for k in range(3))
            getattr(self, name)[window][hit] = np.maximum(facing, 0)
        open_sky = np.float32(0.55) + np.float32(0.45) * normal[:, 2]
        self.sky[window][hit] = np.clip(open_sky * (0.55 + 0.45 * np.clip(z / 6, 0, 1)), 0, 1)
        below = self.maps.sample(self.maps.lamps, x[None], y[None])[0]
        self.lamps[window][hit] = below * np.clip(1.1 - z / 9, 0, 1) * 0.7
        self.lamp_image[window][hit] = 0 if lamp_image is None else lamp_image


def build_backdrop(place: Place, camera_model: CameraModel, maps: Maps) -> Backdrop:
    """Render the still part of a view by following a ray through each pixel.

    Args:
        place: What there is.
        camera_model: The camera.
        maps: Light and shade on the ground.
    """
    canvas = _Canvas(camera_model, place, maps)
    canvas.ground()
    for solid in place.solids:
        canvas.box(solid)
    for tree in place.trees:
        trunk = tree.height - tree.radius
        canvas.box(Solid(tree.x, tree.y, 0.3, 0.3, trunk, "bark"))
        for ball in crown_of(tree):
            canvas.ball(*ball, seed=tree.x * 3 + tree.y)
    for lamp in place.lamps:
        for part in _post(lamp.x, lamp.y, lamp.height, lamp.post_x, lamp.post_y):
            canvas.box(part)
    return _reduce(canvas)


def _post(x: float, y: float, height: float, post_x: float, post_y: float) -> list[Solid]:
    arm = math.hypot(x - post_x, y - post_y)
    heading = math.degrees(math.atan2(y - post_y, x - post_x))
    return [
        Solid(post_x, post_y, 0.18, 0.18, height, "steel"),
        Solid(
            (x + post_x) / 2,
            (y + post_y) / 2,
            max(arm, 0.1),
            0.1,
            height + 0.05,
            "steel",
            heading,
            height - 0.05,
        ),
        Solid(x, y, 0.7, 0.3, height + 0.02, "steel", heading, height - 0.13),
    ]


def _reduce(canvas: _Canvas) -> Backdrop:
    """From rays to pixels."""
    size = (canvas.camera_model.width, canvas.camera_model.height)

    def mean(values: F32) -> F32:
        return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)

    is_sky = canvas.depth >= _FAR_M
    rays = canvas.rays
    length = np.sqrt(rays[..., 0] ** 2 + rays[..., 1] ** 2 + rays[..., 2] ** 2)
    rise = np.clip(rays[..., 2] / length, 0.0, 1.0)
    flat = 1 / np.maximum(rise + np.float32(0.06), 0.05)
    clouds = canvas.noise(
        canvas.blotches, rays[..., 0] / length * flat + 7, rays[..., 1] / length * flat + 3, 26.0
    )
    clouds = np.clip((clouds - 0.75) * 1.6, 0, 1).astype(np.float32)
    middle = slice(_SUPER // 2, None, _SUPER)
    autocorrelation_factor = is_sky.astype(np.float32)
    ground = ~np.isfinite(canvas.solid) & ~is_sky
    return Backdrop(
        albedo=mean(canvas.albedo * (1 - autocorrelation_factor)[..., None]),
        sun=mean(canvas.sun),
        low_sun=mean(canvas.low_sun),
        sky=mean(canvas.sky),
        lamps=mean(canvas.lamps),
        lamp_image=mean(canvas.lamp_image),
        depth=canvas.depth[middle, middle].copy(),
        is_sky=mean(autocorrelation_factor),
        height=mean((rise * autocorrelation_factor).astype(np.float32)),
        clouds=mean(clouds),
        road=ground[middle, middle].copy(),
        solid_depth=canvas.solid[middle, middle].copy(),
    )
