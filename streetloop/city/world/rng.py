"""Repeatable random numbers: each part of the city draws from a generator seeded by its name."""

import hashlib
import random

import numpy as np


def draw(*names: object) -> random.Random:
    """A random source that depends on ``names`` and on nothing else.

    >>> draw("kingsport", 7, "car", 3).random() == draw("kingsport", 7, "car", 3).random()
    True
    """
    return random.Random(_digest(names))


def draw_arrays(*names: object) -> np.random.Generator:
    """As `draw`, for whole arrays."""
    return np.random.Generator(np.random.PCG64(_digest(names)))


def _digest(names: tuple[object, ...]) -> int:
    text = "\x1f".join(str(name) for name in names)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")
