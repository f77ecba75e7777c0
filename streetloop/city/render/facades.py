"""What the sides of boxes look like: bricks, windows, shop fronts, steel."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from streetloop.city.world.place import Solid

F32: TypeAlias = NDArray[np.float32]

FACES: dict[str, tuple[float, float, float]] = {
    "brick": (0.36, 0.42, 0.58),
    "stone": (0.62, 0.66, 0.70),
    "wall": (0.60, 0.64, 0.68),
    "plaster": (0.74, 0.80, 0.84),
    "office": (0.56, 0.57, 0.56),
    "shop": (0.44, 0.50, 0.56),
    "concrete": (0.60, 0.61, 0.62),
    "steel": (0.34, 0.35, 0.36),
    "rail": (0.55, 0.56, 0.56),
    "sign": (0.42, 0.24, 0.06),
    "hedge": (0.16, 0.34, 0.26),
    "bark": (0.20, 0.26, 0.32),
    "leaf": (0.17, 0.34, 0.27),
    "roof": (0.38, 0.38, 0.40),
    "glass": (0.32, 0.28, 0.24),
}
"""Colours as an overcast noon shows them, blue first, 0 to 1."""

# metres from window to window, window's share of it, storey height, window's share of that
_WINDOWS: dict[str, tuple[float, float, float, float]] = {
    "brick": (2.6, 0.46, 3.1, 0.52),
    "stone": (3.0, 0.42, 3.6, 0.58),
    "plaster": (2.8, 0.44, 3.2, 0.5),
    "office": (1.9, 0.82, 3.4, 0.62),
    "shop": (3.0, 0.5, 3.4, 0.5),
}
_SHOP_M = 3.6
_BOARDS = ((0.18, 0.14, 0.12), (0.42, 0.24, 0.10), (0.14, 0.14, 0.46), (0.20, 0.32, 0.12),
           (0.62, 0.66, 0.68), (0.16, 0.40, 0.58), (0.30, 0.30, 0.32))  # fmt: skip


def facade(solid: Solid, along: F32, span: F32, z: F32, top: NDArray[np.bool_]) -> tuple[F32, F32 | None]:
    """Linear colour, and what shines at night, of points on a box.

    Args:
        solid: The box.
        along: (N,) metres along the side.
        span: (N,) length of that side.
        z: (N,) metres above the street.
        top: (N,) True for points of the roof.
    """
    tint = np.array(solid.tint, np.float32)
    wall = (np.array(FACES[solid.look], np.float32) * tint) ** 2
    albedo = np.broadcast_to(wall, (len(z), 3)).copy()
    if solid.look == "sign":
        _lettering(albedo, along, span, z, solid)
    if solid.look not in _WINDOWS:
        return albedo, None
    pitch, wide, storey, tall = _WINDOWS[solid.look]
    count = np.maximum(np.floor((span - 1.2) / pitch), 1)
    position = (along - (span - count * pitch) / 2) / pitch
    level = (z - _SHOP_M) / storey
    column, row = np.floor(position), np.floor(level)
    inside = (np.abs(position - column - 0.5) < wide / 2) & (np.abs(level - row - 0.5) < tall / 2)
    inside &= (position >= 0) & (position < count) & (level >= 0) & (z < solid.top - 0.7) & ~top
    luck = _luck(column + 64 * (row + 1) + 131 * round(solid.x) + 37 * round(solid.y))
    pane = np.array(FACES["glass"], np.float32) ** 2
    albedo[inside] = pane * (0.7 + 1.2 * luck[inside])[:, None]
    lamp_image = np.zeros_like(albedo)
    lit = inside & (luck > (0.72 if solid.look != "office" else 0.8))
    warmth = np.array([0.10, 0.24, 0.38], np.float32)
    lamp_image[lit] = warmth * (0.35 + luck[lit])[:, None]
    _ground_floor(solid, albedo, lamp_image, along, z, top)
    albedo[top] = np.array(FACES["roof"], np.float32) ** 2
    cornice = (z > solid.top - 0.45) & ~top
    albedo[cornice] = wall * np.float32(0.6)
    return albedo, lamp_image


def _ground_floor(
    solid: Solid, albedo: F32, lamp_image: F32, along: F32, z: F32, top: NDArray[np.bool_]
) -> None:
    """Shop windows, and a coloured board above them."""
    shop = np.floor(along / 5.2)
    luck = _luck(shop + 17 * round(solid.x) + 29 * round(solid.y))
    low = (z < _SHOP_M) & ~top
    board = low & (z > 2.75) & (z < 3.35)
    which = (_luck(shop + 17 * round(solid.x) + 5) * len(_BOARDS)).astype(np.intp)
    colours = np.array(_BOARDS, np.float32)[which]
    albedo[board] = colours[board] ** 2
    window = low & (z > 0.5) & (z < 2.6) & (np.mod(along, 5.2) > 0.5) & (np.mod(along, 2.6) > 0.12)
    albedo[window] = np.float32(0.05) + np.float32(0.1) * luck[window][:, None]
    shining = window & (luck > 0.45)
    lamp_image[shining] = np.array([0.26, 0.42, 0.55], np.float32) * luck[shining][:, None]


def _lettering(albedo: F32, along: F32, span: F32, z: F32, solid: Solid) -> None:
    """White border and lines as on a direction sign."""
    high = np.float32(solid.top - solid.bottom)
    v = (z - np.float32(solid.bottom)) / high
    edge = (along < 0.15) | (along > span - 0.15) | (v < 0.06) | (v > 0.94)
    text = (np.abs(np.mod(v * 3, 1) - 0.5) < 0.2) & (along > 0.5) & (along < span * 0.8)
    text &= _luck(np.floor(along / 0.35) + 7 * np.floor(v * 3)) > 0.25
    albedo[edge | text] = 0.75


def _luck(number: F32) -> F32:
    """A value in [0, 1) for each whole number, the same on every machine."""
    mixed = number.astype(np.int64).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return ((mixed >> np.uint64(40)).astype(np.float32)) / np.float32(1 << 24)
