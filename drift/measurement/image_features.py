"""Features of an image that light, lens and weather change; no model is needed."""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from streetloop.types import Image

Edges: TypeAlias = NDArray[np.float32]

_SMALL = (320, 180)
_LAYOUT = (160, 90)
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
"""Every feature of images."""


def measure_image(image: Image) -> dict[str, float]:
    """Measure the `IMAGE_FEATURES`.

    Colour is measured at 320x180, which costs less and gives the same values; sharpness and noise
    exist only at full size.

    Args:
        image: (height, width, 3) uint8, blue first.

    Returns:
        A finite value for each feature.

    References:
        Hasler and Suesstrunk, "Measuring colourfulness in natural images", 2003.
        Immerkaer, "Fast noise variance estimation", 1996.
        Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", 2000 (sharpness).
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
    }


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

    The cross-correlation of two such maps tells how far the camera has turned in between.

    Args:
        image: (height, width, 3) uint8, blue first.
    """
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), _LAYOUT, interpolation=cv2.INTER_AREA)
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength = np.sqrt(np.asarray(cv2.magnitude(across, down), np.float32))
    strength -= strength.mean()
    length = float(np.sqrt((strength * strength).sum()))
    return np.asarray(strength / max(length, 1e-6), np.float32)


def shift_between(reference: Edges, window: Edges) -> tuple[float, float]:
    """How far a camera's view moved, and how alike the two are once that is undone.

    Args:
        reference: (90, 160) mean of `edges_of` over images before.
        window: (90, 160) the same over images since; moving objects fade in both.

    Returns:
        The shift as a fraction of the image's width, and the correlation of what both show once it
        is undone, -1 to 1; different scenes stay under about 0.35.

    Reference: Kuglin and Hines, "The phase correlation image alignment method", 1975.
    """
    hann = cv2.createHanningWindow(_LAYOUT, cv2.CV_32F)
    # Copies: OpenCV writes the windowed images over what it is given.
    (dx, dy), _ = cv2.phaseCorrelate(reference.copy(), window.copy(), hann)
    x, y = round(dx), round(dy)
    ours, theirs = _overlap(reference, x, y), _overlap(window, -x, -y)
    return float(np.hypot(dx, dy)) / _LAYOUT[0], _correlation(ours, theirs)


def _overlap(edges: Edges, x: int, y: int) -> Edges:
    """The part still in view after a move right and down; smoothed, because moves also rotate."""
    rows, columns = edges.shape
    part = edges[max(-y, 0) : rows - max(y, 0), max(-x, 0) : columns - max(x, 0)]
    return np.asarray(cv2.blur(part, (5, 5)), np.float32) if part.size else part


def _correlation(a: Edges, b: Edges) -> float:
    if a.size < _LAYOUT[0] * _LAYOUT[1] // 8:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    power = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / power if power > 1e-9 else 0.0
