"""From what is there to what is seen: sun, dusk, street lamps, fog and haze.

Light is linear; a picture shows its square root, which is near to what displays do and rounds
alike on every machine.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from streetloop.city.render.backdrop import Backdrop
from streetloop.city.world.conditions import Look
from streetloop.types import Image

F32: TypeAlias = NDArray[np.floating[Any]]
_BGR: TypeAlias = tuple[float, float, float]

# (darkness, value) at noon, dusk and night, blue first
_SKY_LIGHT: tuple[_BGR, ...] = ((0.62, 0.54, 0.48), (0.215, 0.155, 0.14), (0.030, 0.019, 0.015))
_ZENITH: tuple[_BGR, ...] = ((0.72, 0.50, 0.33), (0.26, 0.15, 0.11), (0.022, 0.012, 0.008))
_HORIZON: tuple[_BGR, ...] = ((0.86, 0.80, 0.74), (0.30, 0.36, 0.55), (0.050, 0.042, 0.045))
_CLOUD: tuple[_BGR, ...] = ((0.90, 0.90, 0.90), (0.27, 0.23, 0.27), (0.034, 0.026, 0.026))
_SUN: _BGR = (0.80, 0.90, 0.98)
_LOW_SUN: _BGR = (0.42, 0.86, 1.35)
_LAMP: _BGR = (0.115, 0.225, 0.335)
_EXPOSURE = (1.0, 1.25, 1.55)


@dataclass(frozen=True, eq=False)
class Light:
    """The light of one `Look`, for anything in the scene."""

    sky: F32
    sun: F32
    sun_name: str
    lamps: F32
    fog: F32
    fog_per_m: float
    exposure: float
    wet: float
    dark: float

    def shade(self, albedo: F32, sky: F32, sun: F32, lamps: F32) -> F32:
        """Linear light that surfaces reflect.

        Args:
            albedo: (..., 3) reflectance, 0 to 1.
            sky: (...) share of the sky that a surface sees, 0 to 1.
            sun: (...) share of the sun's light that arrives, 0 to 1.
            lamps: (...) light of street lamps that arrives.
        """
        arriving = sky[..., None] * self.sky + sun[..., None] * self.sun
        leaving: F32 = albedo * (arriving + lamps[..., None] * self.lamps)
        return leaving

    def through_air(self, colour: F32, depth: F32) -> F32:
        """Linear light that remains behind fog and haze.

        Args:
            colour: (..., 3) linear light.
            depth: (...) metres of air.
        """
        clear = np.exp(depth * np.float32(-self.fog_per_m)).astype(np.float32)[..., None]
        arriving: F32 = colour * clear + self.fog * (1 - clear)
        return arriving

    def show(self, colour: F32) -> F32:
        """Linear light as displayed, 0 to 255.

        Args:
            colour: (..., 3) linear light.
        """
        return np.sqrt(np.clip(colour * np.float32(self.exposure), 0, 1)) * np.float32(255)


def light_of(look: Look) -> Light:
    """The light that a look brings.

    Args:
        look: The conditions.
    """
    dark, rain, fog = (look.strength(name) for name in ("darkness", "rain", "fog"))
    low = look.strength("low_sun")
    day = max(0.0, 1 - 2 * dark)
    covered = max(rain, fog)
    sky = _between(_SKY_LIGHT, dark) * np.float32(1 - 0.18 * rain + 0.1 * fog)
    direct = day * (1 - 0.97 * covered)
    low_direct = low * (1 - 0.97 * covered) * max(0.0, 1 - 1.6 * dark)
    sun = _colour(_SUN) * np.float32(direct * (1 - low)) + _colour(_LOW_SUN) * np.float32(low_direct)
    haze = _between(_HORIZON, dark)
    lamps = _colour(_LAMP) * np.float32(min(max(2.2 * dark - 0.5, 0.0), 1.0))
    veil = haze * np.float32(1 - 0.25 * rain) + lamps * np.float32(0.10 * fog)
    if low:
        veil = veil * np.array([0.75, 0.95, 1.1], np.float32)
    per_m = 1 / 2200 + rain * (1 / 190) + fog * (1 / 34) + low * (1 / 500)
    exposure = float(np.interp(dark, (0, 0.5, 1), _EXPOSURE))
    return Light(
        sky * np.float32(1 - 0.45 * low),
        sun,
        "low_sun" if low > 0.5 else "sun",
        lamps,
        veil.astype(np.float32),
        per_m,
        exposure,
        rain,
        dark,
    )


def lit(backdrop: Backdrop, light: Light, shadow: bool = False) -> Image:
    """Render the still scene in a light, as (height, width, 3) uint8.

    Args:
        backdrop: The still scene.
        light: The light.
        shadow: Leave out the sun: the scene as it looks in the shadow of a vehicle.
    """
    sun = backdrop.low_sun if light.sun_name == "low_sun" else backdrop.sun
    sun = sun * np.float32(0.0 if shadow else 1.0)
    albedo = backdrop.albedo
    if light.wet:
        damp = np.where(backdrop.road, np.float32(1 - 0.5 * light.wet), np.float32(1))
        albedo = albedo * damp[..., None]
    colour = light.shade(albedo, backdrop.sky, sun, backdrop.lamps)
    colour += backdrop.lamp_image * np.float32(min(1.0, max(0.0, 2 * light.dark - 0.4)))
    if light.wet:
        colour += _mirror(backdrop, light, colour)
    colour = light.through_air(colour, backdrop.depth)
    above = backdrop.is_sky[backdrop.skyline]
    sky = _sky(backdrop, light)
    colour[backdrop.skyline] = colour[backdrop.skyline] * (1 - above)[..., None] + sky * above[..., None]
    return np.round(light.show(colour)).astype(np.uint8)


def _mirror(backdrop: Backdrop, light: Light, colour: F32) -> F32:
    """What a wet road mirrors of the scene above it, smeared downwards; more of it far away."""
    tall = max(3, backdrop.depth.shape[0] // 6) | 1
    upper = colour.copy()
    rows = backdrop.skyline
    upper[rows] += _sky(backdrop, light) * backdrop.is_sky[rows][..., None]
    upper[backdrop.road] = 0
    smeared = cv2.blur(upper, (5, tall), anchor=(2, tall - 1))
    smeared = cv2.blur(smeared, (5, tall), anchor=(2, tall - 1))
    grazing = np.clip(backdrop.depth / 55, 0.06, 0.75) * np.float32(0.8 * light.wet)
    sky = light.sky * np.float32(0.10)
    return np.where(backdrop.road[..., None], (smeared + sky) * grazing[..., None], np.float32(0))


def _sky(backdrop: Backdrop, light: Light) -> F32:
    """The sky in the rows that have any."""
    dark, rows = light.dark, backdrop.skyline
    rise = np.clip(backdrop.height[rows] * 2.2, 0, 1)[..., None]
    clear = _between(_HORIZON, dark) * (1 - rise) + _between(_ZENITH, dark) * rise
    covered = max(light.wet, min(1.0, light.fog_per_m * 30))
    clouds = np.clip(backdrop.clouds[rows] + np.float32(covered), 0, 1)[..., None]
    sky = clear * (1 - clouds) + _between(_CLOUD, dark) * clouds * np.float32(1 - 0.3 * light.wet)
    if light.sun_name == "low_sun":
        sky = sky * np.array([0.7, 1.0, 1.25], np.float32)
    thick = np.float32(min(1.0, light.fog_per_m * 34))
    seen: F32 = sky * (1 - thick) + light.fog * thick
    return seen


def _between(stops: tuple[_BGR, ...], dark: float) -> F32:
    k = min(int(dark * 2), 1)
    share = np.float32(dark * 2 - k)
    mixed: F32 = _colour(stops[k]) * (1 - share) + _colour(stops[k + 1]) * share
    return mixed


def _colour(values: _BGR) -> F32:
    return np.array(values, np.float32)
