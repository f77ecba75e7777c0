"""Features of an image that light, lens and weather change; no model is needed."""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from streetloop.types import Image

Edges: TypeAlias = NDArray[np.float32]
Cells: TypeAlias = NDArray[np.float32]

EDGES_SHAPE = (90, 160)
"""Rows and columns of an edge map."""

CELLS_SHAPE = (2, 18, 32)
"""Planes (luma, texture), rows and columns of a map of cells."""

_SMALL = (320, 180)
_BLOCK = 8  # pixels, of JPEG and most video codecs
_LEAST_STEP = 0.1  # levels of 255
_NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(frozen=True, slots=True)
class Feature:
    """A number that is watched.

    Attributes:
        name: Its name in logs and reports.
        min_spread: Smallest spread to compare a difference with, in the feature's unit.
        meaning: What it is, for people.
    """

    name: str
    min_spread: float
    meaning: str


IMAGE_FEATURES = (
    Feature("brightness", 0.02, "mean luma, 0 to 1"),
    Feature("contrast", 0.015, "standard deviation of luma, 0 to 1"),
    Feature("sharpness", 0.05, "decimal logarithm of the variance of the Laplacian"),
    Feature("colourfulness", 1.5, "Hasler and Suesstrunk 2003, 0 (grey) to about 100"),
    Feature("saturation", 0.02, "mean saturation, 0 to 1"),
    Feature("noise", 0.4, "standard deviation of the noise in levels of 255, Immerkaer 1996"),
)
"""Features of images that light, lens and weather change."""

ENCODING_FEATURES = (
    Feature("blockiness", 0.05, "steps at borders of 8x8 blocks, as log of their ratio to other steps"),
)
"""Features of images that the codec changes."""


def measure_image(image: Image) -> dict[str, float]:
    """Measure the `IMAGE_FEATURES` and `ENCODING_FEATURES`.

    Colour is measured at 320x180, which costs less and gives the same values; sharpness, noise
    and blockiness exist only at full size.

    Args:
        image: (height, width, 3) uint8, blue first.

    Returns:
        A finite value for each feature, by name.

    References:
        Hasler and Suesstrunk, "Measuring colourfulness in natural images", 2003.
        Immerkaer, "Fast noise variance estimation", 1996.
        Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", 2000 (sharpness).
        Wang, Bovik and Evans, "Blind measurement of blocking artifacts in images", 2000.
    """
    luma = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(image, _SMALL, interpolation=cv2.INTER_AREA)
    mean, spread = _mean_and_spread(luma)
    _, edge_spread = _mean_and_spread(cv2.Laplacian(luma, cv2.CV_16S))
    return {
        "brightness": mean / 255,
        "contrast": spread / 255,
        "sharpness": float(np.log10(max(edge_spread**2, 1e-3))),
        "colourfulness": _colourfulness(small),
        "saturation": _mean_and_spread(cv2.cvtColor(small, cv2.COLOR_BGR2HSV)[:, :, 1])[0] / 255,
        "noise": _noise(luma),
        "blockiness": _blockiness(np.asarray(luma, np.uint8)),
    }


def _blockiness(luma: Image) -> float:
    """From every fourth row and column: blocks are alike everywhere."""
    return (_border_step(luma[::4]) + _border_step(luma.T[::4])) / 2


def _border_step(rows: Image) -> float:
    """Mean step from the last pixel of a block to the next, relative to steps within blocks."""
    steps = cv2.absdiff(rows[:, 1:], rows[:, :-1]).mean(axis=0)
    if len(steps) < _BLOCK:
        return 0.0
    within = steps[: len(steps) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).mean(axis=0)
    return float(np.log((within[-1] + _LEAST_STEP) / (np.median(within[:-1]) + _LEAST_STEP)))


def _colourfulness(image: cv2.typing.MatLike) -> float:
    blue, green, red = (plane.astype(np.int16) for plane in cv2.split(image))
    rg_mean, rg_spread = _mean_and_spread(red - green)
    yb_mean, yb_spread = _mean_and_spread((red + green) // 2 - blue)
    return float(np.hypot(rg_spread, yb_spread) + 0.3 * np.hypot(rg_mean, yb_mean))


def _mean_and_spread(plane: cv2.typing.MatLike) -> tuple[float, float]:
    mean, spread = (np.asarray(part).ravel() for part in cv2.meanStdDev(plane))
    return float(mean[0]), float(spread[0])


def _noise(luma: cv2.typing.MatLike) -> float:
    """From every fourth pixel: noise is alike everywhere."""
    residue = cv2.filter2D(luma[::2], cv2.CV_16S, _NOISE_KERNEL)
    # Edges move the paper's mean, but not the median.
    middle = float(np.median(np.abs(residue[1:-1:2, 1:-1:2])))
    return middle / 0.6745 / 6


def edges_of(image: Image) -> Edges:
    """Edge strength of an image: (90, 160) float32, of mean 0 and length 1.

    The registration of two such maps tells how far the camera has moved in between.

    Args:
        image: (height, width, 3) uint8, blue first.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    grey = cv2.resize(grey, EDGES_SHAPE[::-1], interpolation=cv2.INTER_AREA)
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength = np.sqrt(np.asarray(cv2.magnitude(across, down), np.float32))
    strength -= strength.mean()
    length = float(np.sqrt((strength * strength).sum()))
    return np.asarray(strength / max(length, 1e-6), np.float32)


def cells_of(image: Image) -> Cells:
    """Mean luma and mean step between neighbouring pixels, by cell: (2, 18, 32) float32, 0 to 1.

    The median of such maps over some time shows the street without its traffic.

    Args:
        image: (height, width, 3) uint8, blue first.
    """
    luma = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    step = cv2.absdiff(luma[1:, 1:], luma[1:, :-1]) // 2 + cv2.absdiff(luma[1:, 1:], luma[:-1, 1:]) // 2
    size = CELLS_SHAPE[:0:-1]
    planes = (plane.astype(np.float32) for plane in (luma, step))
    maps = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes]
    return np.asarray(np.asarray(maps) / 255, np.float32)
