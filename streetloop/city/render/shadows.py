"""The light that moving objects change on the road: shadows and the beams of head lamps."""

import math
from typing import TypeAlias

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from streetloop.city.render.backdrop import Backdrop
from streetloop.city.render.lighting import Light
from streetloop.city.render.painter import Cast, clipped
from streetloop.city.render.shapes import SHAPES
from streetloop.city.world.camera_model import CameraModel

F64: TypeAlias = NDArray[np.float64]

_SHIFT = 3
_SHARE_BELOW = 0.62  # of the height; a car's roof is smaller than its floor
_QUARTER = 4
_BEAM = ((0.5, 0.75), (7.0, 1.6), (17.0, 3.0), (17.0, -3.0), (7.0, -1.6), (0.5, -0.75))


def cast_shadows(
    image: MatLike, shaded: MatLike, cast: Cast, camera_model: CameraModel, light: Light, towards: F64
) -> None:
    """Darken the road under and beside what moves.

    Args:
        image: The still scene; written over.
        shaded: The same scene as if the sun reached nothing.
        cast: What moves.
        camera_model: The camera.
        light: The light.
        towards: Unit vector to the sun.
    """
    if not len(cast.actors):
        return
    feet = cast.feet
    mask = np.zeros(image.shape[:2], np.uint8)
    if light.sun.any():
        for hull in _shadow_hulls(cast, camera_model, towards):
            cv2.fillConvexPoly(mask, hull, 255, cv2.LINE_AA, _SHIFT)
        cv2.copyTo(shaded, mask, image)
        mask[:] = 0
    corners, _ = camera_model.project(np.concatenate([feet, np.zeros((*feet.shape[:2], 1))], axis=-1))
    for under in _fixed(corners):
        cv2.fillConvexPoly(mask, under, 120, cv2.LINE_AA, _SHIFT)
    window = _union(cast, camera_model)
    if window is not None:
        soft = cv2.blur(mask[window], (5, 3))
        dark = cv2.multiply(image[window], cv2.merge([255 - soft] * 3), scale=1 / 255)
        image[window] = dark


def _shadow_hulls(cast: Cast, camera_model: CameraModel, towards: F64) -> list[NDArray[np.int32]]:
    feet, tall = cast.feet, cast.tall
    shift = -towards[:2] / towards[2]
    middle = feet.mean(axis=1, keepdims=True)
    roofs = middle + (feet - middle) * 0.82 + (tall * 0.95)[:, None, None] * shift
    waists = feet + (tall * _SHARE_BELOW)[:, None, None] * shift
    flat = np.concatenate([feet, waists, roofs], axis=1)
    pixels, _ = camera_model.project(np.concatenate([flat, np.zeros((*flat.shape[:2], 1))], axis=-1))
    return [cv2.convexHull(points) for points in _fixed(pixels)]


def _fixed(pixels: F64) -> NDArray[np.int32]:
    limited = np.clip(pixels - 0.5, -(1 << 14), 1 << 14)
    return np.round(limited * (1 << _SHIFT)).astype(np.int32)


def _union(cast: Cast, camera_model: CameraModel) -> tuple[slice, slice] | None:
    """The part of the image that holds everything that moves."""
    low, high = cast.boxes[:, :2].min(axis=0), cast.boxes[:, 2:].max(axis=0)
    return clipped(np.concatenate([low, high]), camera_model, margin=4)


def throw_beams(image: MatLike, still: Backdrop, cast: Cast, camera_model: CameraModel, light: Light) -> None:
    """Head lamps light the road ahead of each vehicle.

    Args:
        image: The still scene; written over.
        still: Its colours.
        cast: What moves.
        camera_model: The camera.
        light: The light; nothing happens by day.
    """
    strength = min(max(light.dark * 1.4 - 0.5, 0.0), 1.0)
    movers = [a for a in cast.actors if a.lamps and len(SHAPES.get(a.kind, _NOTHING).head_lamps)]
    if strength <= 0 or not movers:
        return
    points = []
    for actor in movers:
        cos, sin = math.cos(actor.heading), math.sin(actor.heading)
        front = SHAPES[actor.kind].size[0] / 2
        x, y = actor.x + cos * front, actor.y + sin * front
        points.append([(x + cos * u - sin * v, y + sin * u + cos * v, 0.0) for u, v in _BEAM])
    pixels, depth = camera_model.project(np.array(points))
    small = np.zeros((-(-camera_model.height // _QUARTER), -(-camera_model.width // _QUARTER)), np.uint8)
    for near, outline in zip(depth.min(axis=1) > 2, _fixed(pixels / _QUARTER), strict=True):
        if near:
            cv2.fillPoly(small, [outline], 110, cv2.LINE_AA, _SHIFT)
    pool = cv2.resize(
        cv2.blur(small, (5, 3)), (camera_model.width, camera_model.height), interpolation=cv2.INTER_LINEAR
    )
    lit = cv2.multiply(still.shown, cv2.merge([pool] * 3), scale=strength / 255)
    cv2.add(image, lit, dst=image)


_NOTHING = SHAPES["person0"]
