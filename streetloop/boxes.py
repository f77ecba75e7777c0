"""Boxes in a picture: how much of each is in the other."""

import numpy as np
from numpy.typing import NDArray

from streetloop.types import Floats


def iou(one: Floats, other: Floats) -> NDArray[np.float64]:
    """(N, M) intersection over union of every box of the one with every one of the other.

    >>> iou(np.array([[0, 0, 2, 2]], np.float32), np.array([[1, 0, 3, 2]], np.float32)).round(2)
    array([[0.33]])
    """
    common = common_area(one, other)
    return np.asarray(common / np.maximum(area(one)[:, None] + area(other) - common, 1e-9))


def common_area(one: Floats, other: Floats) -> NDArray[np.float64]:
    """(N, M) square pixels that two boxes share."""
    a, b = one.astype(np.float64)[:, None], other.astype(np.float64)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return np.asarray(np.prod(np.clip(sides, 0, None), axis=-1))


def area(boxes: Floats) -> NDArray[np.float64]:
    """(N,) square pixels of each box."""
    sides = boxes[:, 2:].astype(np.float64) - boxes[:, :2]
    return np.asarray(sides[:, 0] * sides[:, 1])
