"""Appearance of a frame: a hash to find near-duplicates, and an embedding for diversity."""

from typing import TypeAlias

import cv2
import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from streetloop.types import Detections, Floats, Image

Fingerprint: TypeAlias = NDArray[np.uint64]
"""(4,) a perceptual hash of 256 bits."""

_SIDE = 16
_GRID = (4, 4)
EMBEDDING = 3 * _GRID[0] * _GRID[1] * 2 + 4
"""Length of an embedding."""


def fingerprint(image: Image) -> Fingerprint:
    """Perceptual hash of an image (height, width, 3), BGR.

    It has 256 bits instead of the usual 64: a fixed camera sees the same street all day, and
    differences are small.

    Reference: Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010.

    Args:
        image: uint8, blue first.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (4 * _SIDE, 4 * _SIDE), interpolation=cv2.INTER_AREA)
    bits = imagehash.phash(PillowImage.fromarray(small), hash_size=_SIDE, highfreq_factor=4).hash
    return np.packbits(np.asarray(bits).ravel()).view(np.uint64)


def distances(one: Fingerprint, many: NDArray[np.uint64]) -> NDArray[np.int64]:
    """(N,) Hamming distances of a fingerprint from others, 0 to 256.

    Args:
        one: The fingerprint, (4,).
        many: (N, 4) others.
    """
    return np.asarray(np.bitwise_count(many ^ one).sum(axis=1), np.int64)


def embed(image: Image, found: Detections, attention: NDArray[np.float64]) -> Floats:
    """Embed a frame: (`EMBEDDING`,) float32 with a norm of about 1.

    It holds the colors of the scene, the colors of the most uncertain box, and that box's place.
    This is cheap, and enough to keep a selection diverse.

    Args:
        image: (height, width, 3) uint8, BGR.
        found: The boxes in it, in pixels.
        attention: (N,) uncertainty of each box; the box with the largest is embedded.
    """
    height, width = image.shape[:2]
    scene = _colours(image) * 0.6
    crop: Floats = np.zeros(len(scene), np.float32)
    place: Floats = np.zeros(4, np.float32)
    if len(found):
        x1, y1, x2, y2 = found.xyxy[int(np.argmax(attention))].tolist()
        left, top = max(0, int(x1)), max(0, int(y1))
        part = image[top : max(top + 1, int(y2)), left : max(left + 1, int(x2))]
        if part.size:
            crop = np.asarray(_colours(part) * 0.6, np.float32)
        place[:] = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
    return np.asarray(np.concatenate([scene, crop, place * 0.5]), np.float32)


def _colours(image: Image) -> Floats:
    """Mean colors on a grid in CIE Lab, where distances match perception; norm about 0 to 1."""
    small = cv2.resize(image, _GRID, interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2LAB), np.float32)
    return np.asarray((lab.ravel() / 255 - 0.5) / np.sqrt(small.size / 8), np.float32)
