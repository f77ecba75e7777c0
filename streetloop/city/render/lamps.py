"""Head and tail lamps as they dazzle a camera in the dark."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from cv2.typing import MatLike

from streetloop.city.render.shapes import SHAPES
from streetloop.city.world.camera_model import CameraModel
from streetloop.city.world.traffic import Actor

HALO_PX = 10
"""How far lamps shine beyond what carries them."""

_MAX_HALO_PX = 40
_ASIDE = 0.12  # cosine under which a lamp that looks aside is not seen
_HEAD_TINT, _TAIL_TINT = (0.92, 0.98, 1.0), (0.10, 0.12, 1.0)


class LampImage(NamedTuple):
    """One round light in the image; ``tall`` stretches it downwards."""

    x: float
    y: float
    radius: int
    tint: tuple[float, float, float]
    strength: float
    tall: int = 1


class LampPainter:
    """Head and tail lamps as they dazzle a camera in the dark.

    Args:
        camera_model: The camera.
        strength: 0 by day to 1 at night.
        smear: How far the wet road draws the lights towards the camera, 0 to 1.
    """

    def __init__(self, camera_model: CameraModel, strength: float, smear: float) -> None:
        self._camera_model, self._strength, self._smear = camera_model, strength, smear

    def plan(self, actors: Sequence[Actor]) -> dict[int, list[LampImage]]:
        """The lamp images of each actor, by its index in the cast.

        Args:
            actors: In the order of the cast; those that show no lamp to the camera are left out.
        """
        owners, places, facing = [], [], []
        for k, actor in enumerate(actors):
            shape = SHAPES.get(actor.kind)
            if shape is None or not actor.lamps:
                continue
            cos, sin = math.cos(actor.heading), math.sin(actor.heading)
            dx, dy = self._camera_model.mast.x - actor.x, self._camera_model.mast.y - actor.y
            ahead = (dx * cos + dy * sin) / max(math.hypot(dx, dy), 1e-6)
            if abs(ahead) < _ASIDE:
                continue
            for x, y, z in (shape.head_lamps if ahead > 0 else shape.tail_lamps).tolist():
                owners.append(k)
                places.append((actor.x + cos * x - sin * y, actor.y + sin * x + cos * y, z))
                facing.append(ahead)
        lamp_images: dict[int, list[LampImage]] = {}
        if not owners:
            return lamp_images
        pixels, depth = self._camera_model.project(np.array(places))
        rows = zip(owners, pixels.tolist(), depth.tolist(), facing, strict=True)
        for k, (x, y), d, ahead in rows:
            if d > 3:
                lamp_images.setdefault(k, []).extend(self._lamp_images(actors[k], x, y, d, ahead))
        return lamp_images

    def _lamp_images(self, actor: Actor, x: float, y: float, depth: float, ahead: float) -> list[LampImage]:
        focal = self._camera_model.focal
        tint = _HEAD_TINT if ahead > 0 else _TAIL_TINT
        power = 1.7 if ahead > 0 else (0.85 if actor.braking else 0.55)
        radius = power * abs(ahead) * (0.55 * focal / depth + 4.0)
        found = [LampImage(x, y, round(radius * 0.9), tint, self._strength)]
        if self._smear and depth > 6:
            drop = focal * 1.3 / depth
            found.append(LampImage(x, y + drop, round(radius * 0.8), tint, 0.45 * self._smear, tall=3))
        return found

    def shine(self, image: MatLike, lamp_images: Sequence[LampImage]) -> None:
        """Add lamp images to an image.

        Args:
            image: (height, width, 3) uint8, changed in place.
            lamp_images: Those of one actor.
        """
        for lamp_image in lamp_images:
            radius = min(max(lamp_image.radius, 2), _MAX_HALO_PX)
            sprite = _halo_sprite(radius, lamp_image.tint, round(lamp_image.strength, 3), lamp_image.tall)
            rows, columns = sprite.shape[:2]
            left, top = round(lamp_image.x) - columns // 2, round(lamp_image.y) - rows // 2
            x0, y0 = max(left, 0), max(top, 0)
            x1 = min(left + columns, self._camera_model.width)
            y1 = min(top + rows, self._camera_model.height)
            if x0 < x1 and y0 < y1:
                target = image[y0:y1, x0:x1]
                cv2.add(target, sprite[y0 - top : y1 - top, x0 - left : x1 - left], dst=target)


@lru_cache(maxsize=1024)
def _halo_sprite(radius: int, tint: tuple[float, float, float], strength: float, tall: int) -> MatLike:
    sprite = _sprite(radius)
    if tall > 1:
        sprite = cv2.resize(sprite, (max(sprite.shape[1] // 2, 1), sprite.shape[0] * tall // 2))
    return cv2.merge([cv2.convertScaleAbs(sprite, alpha=strength * part) for part in tint])


def _sprite(radius: int) -> MatLike:
    """A round lamp image with a bright core, (2r + 1, 2r + 1)."""
    axis = np.arange(-radius, radius + 1, dtype=np.float32) / np.float32(radius)
    distance = axis[:, None] ** 2 + axis[None] ** 2
    halo = np.clip(1 - distance, 0, 1) ** 3 * np.float32(0.55)
    core = np.clip(1 - distance * 9, 0, 1) * np.float32(0.9)
    return np.round(np.clip(halo + core, 0, 1) * 255).astype(np.uint8)
