"""Pictures as another world would show them: what stands behind each cause of drift.

Each alteration is drawn with random parameters, so that what is fitted on them fits a family and
not one setting.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from drift.causes import BRIGHT, COMPRESSION, DIRTY, FOG, GREY, MOVED, NIGHT, NOISE, OCCLUSION, OTHER, RAIN
from streetloop.types import Image

Rng: TypeAlias = np.random.Generator
Alter: TypeAlias = Callable[[Image], Image]


@dataclass(frozen=True, slots=True)
class Alteration:
    """An alteration.

    Attributes:
        causes: What it is; of several each is right, and both are there.
        draw: Draws its parameters; what it returns alters one picture after the other.
    """

    causes: tuple[str, ...]
    draw: Callable[[Rng], Alter]


def _clipped(values: np.typing.NDArray[np.floating]) -> Image:
    return np.clip(values, 0, 255).astype(np.uint8)


def _linear(gain: float, offset: float, noise: float, rng: Rng) -> Alter:
    return lambda i: _clipped(i * np.float32(gain) + offset + _grain(i, noise, rng))


def _grain(image: Image, noise: float, rng: Rng) -> np.typing.NDArray[np.float32]:
    if noise <= 0:
        return np.zeros(1, np.float32)
    return noise * rng.standard_normal(image.shape, np.float32)


def night(rng: Rng) -> Alter:
    return _linear(rng.uniform(0.15, 0.6), 0, rng.choice([0.0, rng.uniform(1, 12)]), rng)


def overexposed(rng: Rng) -> Alter:
    return _linear(rng.uniform(1.25, 2.0), rng.uniform(15, 70), 0, rng)


def noise(rng: Rng) -> Alter:
    return _linear(1, 0, rng.uniform(8, 35), rng)


def fog(rng: Rng) -> Alter:
    share, white, slope = rng.uniform(0.35, 0.8), rng.uniform(185, 235), rng.choice([0.0, 0.35])

    def alter(image: Image) -> Image:
        depth = np.linspace(1 + slope, 1 - slope, image.shape[0], dtype=np.float32)[:, None, None]
        veil = np.clip(share * depth, 0, 0.95)
        return _clipped(image * (1 - veil) + white * veil)

    return alter


def rain(rng: Rng) -> Alter:
    """Dimmer, paler and streaked."""
    veil, dim, count = rng.uniform(0.15, 0.4), rng.uniform(0.65, 0.9), int(rng.uniform(150, 500))

    def alter(image: Image) -> Image:
        height, width = image.shape[:2]
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        pale = (image * 0.45 + grey * 0.55) * (1 - veil) + 130 * veil
        streaks = np.zeros((height, width), np.uint8)
        for x, y in zip(rng.integers(0, width, count), rng.integers(0, height, count), strict=True):
            end = (int(x + 0.01 * width), int(y + 0.06 * height))
            cv2.line(streaks, (int(x), int(y)), end, int(rng.integers(40, 110)), 1)
        return _clipped(pale * dim + streaks[..., None])

    return alter


def blur(rng: Rng) -> Alter:
    sigma = rng.uniform(1.2, 6.0)
    return lambda i: np.asarray(cv2.GaussianBlur(i, (0, 0), sigma), np.uint8)


def jpeg(rng: Rng) -> Alter:
    options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(5, 21))]
    return lambda i: np.asarray(cv2.imdecode(cv2.imencode(".jpg", i, options)[1], cv2.IMREAD_COLOR), np.uint8)


def grey(_: Rng) -> Alter:
    return lambda i: np.asarray(
        cv2.cvtColor(cv2.cvtColor(i, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8
    )


def infrared(rng: Rng) -> Alter:
    dark, colourless = night(rng), grey(rng)
    return lambda i: dark(colourless(i))


def moved(rng: Rng) -> Alter:
    """Shifted, rolled or zoomed, or all of it a little, with some perspective."""
    way = rng.integers(4)
    roll = rng.choice([-1, 1]) * rng.uniform(1.8, 8) if way in {1, 3} else 0.0
    zoom = rng.choice([rng.uniform(0.88, 0.95), rng.uniform(1.05, 1.15)]) if way == 2 else 1.0
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.017, 0.12) if way in {0, 3} else 0.0
    tilt = rng.uniform(-0.08, 0.08, 2) if way == 3 else np.zeros(2)

    def alter(image: Image) -> Image:
        height, width = image.shape[:2]
        turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), roll, zoom), [0, 0, 1]])
        shift = np.array(
            [[1, 0, far * width * np.cos(angle)], [0, 1, far * width * np.sin(angle)], [0, 0, 1]]
        )
        lean = np.array([[1, 0, 0], [0, 1, 0], [tilt[0] / width, tilt[1] / height, 1]])
        border = cv2.BORDER_REFLECT
        return np.asarray(
            cv2.warpPerspective(image, lean @ shift @ turn, (width, height), borderMode=border), np.uint8
        )

    return alter


def flipped(rng: Rng) -> Alter:
    axis = int(rng.choice([1, 1, 0, -1]))
    return lambda i: np.ascontiguousarray(cv2.flip(i, axis), np.uint8)


def covered(rng: Rng) -> Alter:
    """Something opaque before a part of the view, from one side or in its middle."""
    share, side, value = rng.uniform(0.2, 0.65), rng.integers(5), float(rng.choice([0, rng.uniform(0, 200)]))

    def alter(image: Image) -> Image:
        out = image.astype(np.float32)
        height, width = image.shape[:2]
        rows, columns = int(share * height), int(share * width)
        part = [
            np.s_[:, :columns],
            np.s_[:, width - columns :],
            np.s_[:rows],
            np.s_[height - rows :],
            np.s_[height // 4 : height // 4 + rows, width // 4 : width // 4 + columns],
        ][side]
        out[part] = value
        return _clipped(out)

    return alter


def smeared(rng: Rng) -> Alter:
    """A smear or an insect on the lens: out of focus, hardly transparent."""
    x, y, radius = rng.uniform(0.25, 0.75), rng.uniform(0.25, 0.75), rng.uniform(0.14, 0.3)
    opacity, value = rng.uniform(0.6, 0.95), rng.uniform(30, 170)

    def alter(image: Image) -> Image:
        height, width = image.shape[:2]
        mask = np.zeros((height, width), np.float32)
        cv2.circle(mask, (int(x * width), int(y * height)), int(radius * height), 1.0, -1)
        mask = opacity * np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.05 * height), np.float32)[..., None]
        return _clipped(image * (1 - mask) + value * mask)

    return alter


def tinted(rng: Rng) -> Alter:
    """Another white balance: no cause that has a name."""
    gains = rng.uniform(0.55, 1.3, 3).astype(np.float32)
    return lambda i: _clipped(i * gains)


def unaltered(_: Rng) -> Alter:
    return lambda i: i


FAMILIES: dict[str, Alteration] = {
    "unaltered": Alteration((OTHER,), unaltered),
    "blur": Alteration((DIRTY,), blur),
    "dark": Alteration((NIGHT,), night),
    "bright": Alteration((BRIGHT,), overexposed),
    "fog": Alteration((FOG,), fog),
    "rain": Alteration((RAIN,), rain),
    "moved": Alteration((MOVED,), moved),
    "flipped": Alteration((MOVED,), flipped),
    "grey": Alteration((GREY,), grey),
    "infrared": Alteration((NIGHT, GREY), infrared),
    "jpeg": Alteration((COMPRESSION,), jpeg),
    "covered": Alteration((OCCLUSION,), covered),
    "smeared": Alteration((DIRTY, OCCLUSION), smeared),
    "noise": Alteration((NOISE,), noise),
    "tinted": Alteration((OTHER,), tinted),
}
"""Every family of alterations by its name."""
