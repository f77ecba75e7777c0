"""The ground, painted as on a map: asphalt, kerbs, markings, grass and water."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from streetloop.city.world.rng import draw_arrays
from streetloop.city.world.roads import XY, Path
from streetloop.types import Image

SURFACES: dict[str, tuple[int, int, int]] = {
    "asphalt": (88, 86, 84),
    "worn": (102, 100, 98),
    "paving": (146, 150, 154),
    "kerb": (176, 178, 180),
    "grass": (62, 110, 92),
    "earth": (84, 104, 122),
    "water": (104, 92, 70),
    "cycleway": (78, 82, 128),
    "white": (226, 228, 228),
    "yellow": (70, 190, 226),
    "buff": (120, 152, 172),
}
"""Colours as an overcast noon shows them, blue first, 0 to 255."""

_SHIFT = 4
_ONE = 1 << _SHIFT


class Ground:
    """A square map.

    Args:
        reach_m: Half of its side.
        metres_per_pixel: Its scale.
        base: What everything is before it is painted.
        centre: Its middle, in metres.
    """

    def __init__(self, reach_m: float, metres_per_pixel: float, base: str, centre: XY = (0.0, 0.0)) -> None:
        self.reach_m = reach_m
        self.centre = centre
        self.metres_per_pixel = metres_per_pixel
        side = round(2 * reach_m / metres_per_pixel)
        self.colour: Image = np.empty((side, side, 3), np.uint8)
        self.colour[:] = SURFACES[base]

    def area(self, points: Iterable[XY], surface: str) -> None:
        """Fill a polygon.

        Args:
            points: Corners (x, y) in metres.
            surface: A name in `SURFACES`.
        """
        cv2.fillPoly(self.colour, [self.pixels(points)], SURFACES[surface], cv2.LINE_AA, _SHIFT)

    def strip(self, path: Path, width: float, surface: str, offset: float = 0.0) -> None:
        """A band along a path, such as a road.

        Args:
            path: The middle of the road.
            width: In metres.
            surface: A name in `SURFACES`.
            offset: Metres to the left of the path.
        """
        left = path.shifted(offset + width / 2).points
        right = path.shifted(offset - width / 2).points
        for k in range(len(left) - 1):
            self.area((left[k], left[k + 1], right[k + 1], right[k]), surface)

    def line(
        self,
        path: Path,
        offset: float = 0.0,
        width: float = 0.14,
        dash: tuple[float, float] | None = None,
        surface: str = "white",
        stretch: tuple[float, float] | None = None,
    ) -> None:
        """A marking along a path.

        Args:
            path: What it follows.
            offset: Metres to the left of the path.
            width: In metres.
            dash: Painted and unpainted length in metres; None for a solid line.
            surface: A name in `SURFACES`.
            stretch: Begin and end in metres along the path; None for all of it.
        """
        start, end = stretch or (0.0, path.length)
        painted, gap = dash or (4.0, 0.0)
        s = start
        while s < end:
            piece = min(s + painted, end)
            poses = [path.at(s + (piece - s) * k / 2, offset) for k in range(3)]
            self._stroke([(p.x, p.y) for p in poses], width, surface)
            s = piece + gap

    def across(self, path: Path, s: float, left: float, right: float, width: float) -> None:
        """A line across a path, such as a stop line, between two offsets.

        Args:
            path: What it crosses.
            s: Metres along the path.
            left: Its left end in metres to the left of the path.
            right: Its right end in metres to the left of the path.
            width: In metres.
        """
        a, b = path.at(s, left), path.at(s, right)
        self._stroke([(a.x, a.y), (b.x, b.y)], width, "white")

    def zebra(self, path: Path, s: float, left: float, right: float, depth: float = 3.0) -> None:
        """White bars along the way of the traffic, over the whole width.

        Args:
            path: The road.
            s: Metres along the path.
            left: Left edge in metres to the left of the path.
            right: Right edge in metres to the left of the path.
            depth: Length of the bars in metres.
        """
        offset = right + 0.5
        while offset < left:
            a, b = path.at(s, offset), path.at(s + depth, offset)
            self._stroke([(a.x, a.y), (b.x, b.y)], 0.5, "white")
            offset += 1.0

    def arrow(self, path: Path, s: float, offset: float, turn: float = 0.0) -> None:
        """An arrow on a lane.

        Args:
            path: The lane.
            s: Metres along the path.
            offset: Metres to the left of the path.
            turn: Radians to the left; 0 points straight on.
        """
        pose = path.at(s, offset)
        ux, uy = math.cos(pose.heading), math.sin(pose.heading)
        tip = (pose.x + 2.2 * ux, pose.y + 2.2 * uy)
        self._stroke([(pose.x - 1.6 * ux, pose.y - 1.6 * uy), tip], 0.18, "white")
        hx, hy = math.cos(pose.heading + turn), math.sin(pose.heading + turn)
        x, y = tip
        sides = [(x - hy * 0.45, y + hx * 0.45), (x + hy * 0.45, y - hx * 0.45)]
        self.area([(x + hx, y + hy), *sides], "white")

    def coordinates(
        self, x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]]
    ) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
        """Where places (metres) are on the map (pixels), for `cv2.remap`.

        Args:
            x: Metres to the east.
            y: Metres to the north.
        """
        scale = np.float32(1 / self.metres_per_pixel)
        left, top = (np.float32(edge) for edge in self._corner)
        half = np.float32(0.5)
        return (x - left) * scale - half, (top - y) * scale - half

    @property
    def _corner(self) -> XY:
        """Its north-west corner."""
        return self.centre[0] - self.reach_m, self.centre[1] + self.reach_m

    def _stroke(self, points: Sequence[XY], width: float, surface: str) -> None:
        self.strip(Path(tuple(points)), width, surface)

    def pixels(self, points: Iterable[XY]) -> NDArray[np.int32]:
        """(N, 2) places on the map in 1/16 pixels, for OpenCV's drawing.

        Args:
            points: Places (x, y) in metres.
        """
        places = np.asarray(list(points), np.float64)
        left, top = self._corner
        x = (places[:, 0] - left) / self.metres_per_pixel - 0.5
        y = (top - places[:, 1]) / self.metres_per_pixel - 0.5
        return np.round(np.stack([x, y], axis=1) * _ONE).astype(np.int32)


def texture(name: str, side: int = 512, octaves: Sequence[int] = (4, 8, 16, 64, 256)) -> Image:
    """Grey cloud noise round 128 that tiles, (side, side).

    Args:
        name: Seeds the noise.
        side: Width and height in pixels.
        octaves: Cells per side of each layer; more cells make finer noise.
    """
    rng = draw_arrays("texture", name)
    total = np.zeros((side, side), np.float32)
    weight = 0.0
    for cells in octaves:
        share = np.float32(1.0 / cells**0.45)
        grid = rng.integers(0, 256, (cells, cells), dtype=np.uint8)
        wrapped = cv2.copyMakeBorder(grid, 2, 2, 2, 2, cv2.BORDER_WRAP)
        edge = 2 * side // cells
        big = cv2.resize(wrapped, (side + 2 * edge, side + 2 * edge), interpolation=cv2.INTER_CUBIC)
        total += share * (big[edge : edge + side, edge : edge + side].astype(np.float32) - 128)
        weight += float(share)
    total *= np.float32(2.2 / weight)
    return np.clip(np.round(total + 128), 0, 255).astype(np.uint8)


def look_up(
    values: NDArray[np.floating[Any]], x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]]
) -> NDArray[np.floating[Any]]:
    """Values of a map between its pixels, for places in an array of any shape.

    Args:
        values: (rows, columns).
        x: Pixels, of any shape; beyond the edge the edge is repeated.
        y: Pixels, of the same shape.
    """
    # cv2.remap wants images, and none wider than 32,767.
    columns = 1024
    if not x.size:
        return np.zeros(x.shape, np.float32)
    rows = -(-x.size // columns)
    across, down = (np.resize(np.asarray(p, np.float32), (rows, columns)) for p in (x, y))
    found = cv2.remap(values, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32).reshape(-1)[: x.size].reshape(x.shape)
