"""From light to a camera's picture: rain in the air, the lens, the sensor, the link."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from streetloop.city.world.conditions import STEPS, Look
from streetloop.city.world.rng import draw, draw_arrays
from streetloop.images import decode_image, encode_jpeg
from streetloop.types import Image

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
"""The simulated second 0 of a city whose hours pass."""
NOON = MIDNIGHT + timedelta(hours=12)

_MARGIN = 64


class Sensor:
    """Finishes the pictures of one camera.

    Args:
        size: Width and height.
        title: What is written into the picture.
        names: Names this camera's dirt, drops and noise among all that could be.
    """

    def __init__(self, size: tuple[int, int], title: str, names: tuple[object, ...]) -> None:
        self._size = size
        self._title = title
        self._names = names
        self._noise = lru_cache(maxsize=3)(self._noise_of)
        self._grain = lru_cache(maxsize=1)(self._grain_of)
        self._streaks = lru_cache(maxsize=3)(self._streaks_of)
        self._dirt = lru_cache(maxsize=3)(self._dirt_of)
        self._drops = lru_cache(maxsize=3)(self._drops_of)
        self._stamp = lru_cache(maxsize=3)(self._stamp_of)
        self._glare = lru_cache(maxsize=3)(self._glare_of)

    def expose(
        self, image: MatLike, look: Look, frame: int, clock: datetime, sun: tuple[float, float] | None
    ) -> Image:
        """What leaves the camera.

        Args:
            image: The scene; written over.
            look: Weather and lens.
            frame: Number of the frame; rain and noise depend on it.
            clock: The time to be written into the picture.
            sun: Where a low sun is in the image, in pixels, even outside of it.
        """
        rng = draw(*self._names, "frame", frame)
        if look.rain:
            self._add(image, self._streaks(look.rain, look.darkness), rng)
        if look.low_sun and sun is not None:
            cv2.add(image, self._glare(look.low_sun, sun), dst=image)
        if look.wet:
            image = self._through_drops(image, look.wet)
        if look.dirt:
            keep, add = self._dirt(look.dirt, look.darkness)
            image = cv2.add(cv2.multiply(image, keep, scale=1 / 255), add)
        image = cv2.GaussianBlur(image, (3, 3), 0.55 + 0.35 * look.strength("rain"))
        plus, minus = self._noise(look.darkness)
        self._add(image, plus, rng)
        self._add(image, minus, rng, cv2.subtract)
        self._write(image, clock)
        if look.compression:
            image = _squeeze(image, look.strength("compression"))
        return np.asarray(image, np.uint8)

    def _add(
        self, image: MatLike, layer: MatLike, rng: random.Random, how: Callable[..., MatLike] = cv2.add
    ) -> None:
        """Lay a larger layer over the image at a random offset."""
        width, height = self._size
        x, y = rng.randrange(_MARGIN), rng.randrange(_MARGIN)
        how(image, layer[y : y + height, x : x + width], dst=image)

    def _layer(self) -> tuple[int, int]:
        return self._size[1] + _MARGIN, self._size[0] + _MARGIN

    def _noise_of(self, darkness: int) -> tuple[Image, Image]:
        """Shot and read noise, as what it adds and what it takes; a dark image is amplified."""
        noise = np.round(self._grain() * (2.0 + 0.30 * darkness))
        if darkness in {0, STEPS}:  # it stays as it is for long
            self._grain.cache_clear()
        return (np.clip(noise, 0, 255).astype(np.uint8), np.clip(-noise, 0, 255).astype(np.uint8))

    def _grain_of(self) -> NDArray[np.float64]:
        """(rows, columns, 3) noise of no strength yet; kept while it gets dark, or light."""
        grain = draw_arrays(*self._names, "noise").normal(0, 1, (*self._layer(), 1))
        tint = draw_arrays(*self._names, "tint").normal(0, 0.45, (*self._layer(), 3))
        return grain * 0.8 + tint

    def _streaks_of(self, rain: int, darkness: int) -> MatLike:
        """Drops on their way down, as streaks."""
        rows, columns = self._layer()
        layer = np.zeros((rows, columns), np.uint8)
        rng = draw(*self._names, "rain")
        bright = 62 - 1.3 * darkness
        for _ in range(round(rows * columns / 620 * rain / 24)):
            x, y = rng.uniform(0, columns), rng.uniform(0, rows)
            near = rng.random() ** 2
            length = rows * (0.02 + 0.06 * near)
            start = (round(x * 8), round(y * 8))
            end = (round((x - 0.16 * length) * 8), round((y + length) * 8))
            cv2.line(layer, start, end, bright * (0.35 + 0.65 * near), 1, cv2.LINE_AA, 3)
        return cv2.merge([layer] * 3)

    def _dirt_of(self, dirt: int, darkness: int) -> tuple[MatLike, MatLike]:
        """What dirt lets through, and the light that it scatters."""
        width, height = self._size
        rng = draw_arrays(*self._names, "dirt")
        coarse = rng.integers(0, 256, (6, 10), dtype=np.uint8)
        fine = rng.integers(0, 256, (24, 40), dtype=np.uint8)
        cloud = [
            cv2.resize(c, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
            for c in (coarse, fine)
        ]
        sensor = np.clip((cloud[0] * 0.65 + cloud[1] * 0.35 - 105) / 80, 0, 1)
        spots = np.zeros((height, width), np.uint8)
        place = draw(*self._names, "spots")
        for _ in range(26):
            centre = (place.randrange(width), place.randrange(height))
            cv2.circle(spots, centre, max(1, round(width * place.uniform(0.003, 0.022))), 255, -1)
        spots_soft = cv2.GaussianBlur(spots, (0, 0), width * 0.006).astype(np.float32) / 255
        cover = np.clip(0.72 * sensor + 0.6 * spots_soft, 0, 0.9) * (dirt / 24)
        keep = np.round(255 * (1 - cover)).astype(np.uint8)
        grey = 92.0 - 3.0 * darkness
        colour = np.stack([cover * grey * f for f in (0.86, 0.96, 1.04)], axis=-1)
        return cv2.merge([keep] * 3), np.round(colour).astype(np.uint8)

    def _drops_of(self, wet: int) -> tuple[MatLike, MatLike, MatLike]:
        """How drops on the glass bend the image: a map for `cv2.remap`, and where they are."""
        width, height = self._size
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        inside = np.zeros((height, width), np.uint8)
        rng = draw(*self._names, "drops")
        for k in range(round(90 * wet / 24)):
            r = width * rng.uniform(0.006, 0.030 if k % 4 else 0.055)
            cx, cy = rng.uniform(0, width), rng.uniform(0, height)
            u, v = (x - np.float32(cx)) / np.float32(r), (y - np.float32(cy)) / np.float32(r * 1.15)
            hit = u * u + v * v < 1
            # A drop is a short lens: it shows a wide piece of the scene upside down.
            x[hit] = np.float32(cx) - u[hit] * np.float32(3.2 * r)
            y[hit] = np.float32(cy) - v[hit] * np.float32(3.2 * r)
            inside[hit] = 255
        maps = cv2.convertMaps(x, y, cv2.CV_16SC2)
        return maps[0], maps[1], cv2.GaussianBlur(inside, (5, 5), 0)

    def _through_drops(self, image: MatLike, wet: int) -> MatLike:
        coordinates, fractions, inside = self._drops(wet)
        bent = cv2.remap(image, coordinates, fractions, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        soft = cv2.blur(bent, (5, 5))
        cv2.copyTo(soft, inside, bent)
        return bent

    def _glare_of(self, low_sun: int, sun: tuple[float, float]) -> Image:
        """Light of a low sun that the lens spreads over the picture."""
        width, height = self._size
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        away = np.sqrt((x - np.float32(sun[0])) ** 2 + (y - np.float32(sun[1])) ** 2)
        near = away / np.float32(width)
        veil = 165 / (1 + (near * 3.2) ** 2) + 90 * np.clip(1 - near * 6, 0, 1) ** 2
        veil *= np.float32(low_sun / 24)
        warm = np.stack([veil * 0.62, veil * 0.86, veil], axis=-1)
        return np.round(np.clip(warm, 0, 255)).astype(np.uint8)

    def _write(self, image: MatLike, clock: datetime) -> None:
        keep, letters = self._stamp(clock.strftime("%Y-%m-%d  %H:%M"))
        top = image[: len(keep)]
        cv2.add(cv2.multiply(top, keep, scale=1 / 255), letters, dst=top)

    def _stamp_of(self, when: str) -> tuple[MatLike, MatLike]:
        """The line at the top: how much of the picture stays, and what is added."""
        width, height = self._size
        scale = height / 360 * 0.42
        rows = round(height / 360 * 20)
        mask = np.full((rows, width), 128, np.uint8)
        base = round(rows * 0.72)
        font, line = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(height / 400))
        (right, _), _ = cv2.getTextSize(when, font, scale, line)
        for text, x in ((self._title, 8), (when, width - right - 8)):
            cv2.putText(mask, text, (x + 1, base + 1), font, scale, 0, line + 1)
            cv2.putText(mask, text, (x, base), font, scale, 255, line)
        keep = np.where(mask == 255, 0, np.where(mask == 0, 128, 255)).astype(np.uint8)
        return cv2.merge([keep] * 3), cv2.merge([np.where(mask == 255, mask, 0)] * 3)


def _squeeze(image: MatLike, strength: float) -> MatLike:
    """What a link of few bits leaves of a picture."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (max(width // 2, 2), max(height // 2, 2)), interpolation=cv2.INTER_AREA)
    mixed = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    image = cv2.addWeighted(image, 1 - 0.6 * strength, mixed, 0.6 * strength, 0)
    quality = round(60 - 42 * strength)
    return decode_image(encode_jpeg(np.asarray(image, np.uint8), quality))
