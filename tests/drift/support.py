"""Series whose dependence is known, and minutes of a camera as one would have them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from drift.change import Change, WatchPolicy
from drift.fleet import FleetWatch
from drift.measurement.features import NAMES
from drift.measurement.image_features import Edges
from drift.measurement.period import DriftPeriod
from streetloop.types import Image

START = datetime(2026, 3, 2, tzinfo=UTC)
"""Midnight before a Monday."""

USUAL = {
    "brightness": 0.45,
    "contrast": 0.2,
    "sharpness": 2.5,
    "colourfulness": 30.0,
    "saturation": 0.3,
    "noise": 2.0,
    "confidence": 0.7,
    "detections": 6.0,
    "box_area": 0.08,
    "speed": 1.0,
    "fragmentation": 0.2,
    "blockiness": 0.1,
}
MIX = {"car": 12, "bus": 2, "truck": 2}


def autoregressive(
    count: int, rho: float, rng: np.random.Generator, mean: float = 0.0
) -> NDArray[np.float64]:
    """AR(1) of variance 1, started from its own distribution."""
    noise = rng.standard_normal(count) * np.sqrt(1 - rho * rho)
    noise[0] = rng.standard_normal()
    series: NDArray[np.float64] = lfilter([1.0], [1.0, -rho], noise) + mean
    return series


def street(seed: int = 0) -> Image:
    """Something with edges, colours and a little noise."""
    rng = np.random.default_rng(seed)
    image = np.full((360, 640, 3), 110, np.uint8)
    for _ in range(40):
        x, y = int(rng.integers(0, 600)), int(rng.integers(0, 330))
        colour = tuple(int(c) for c in rng.integers(30, 220, 3))
        cv2.rectangle(image, (x, y), (x + 40, y + 30), colour, -1)
    noise = rng.normal(0, 2, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def encoded(image: Image, quality: int) -> Image:
    """The image as a JPEG of this quality shows it."""
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def lines(shift: int = 0) -> Edges:
    """Where the lines of a picture are that is turned by so many of 160 columns."""
    scene = np.random.default_rng(7).random((90, 160)).astype(np.float32)
    return np.roll(scene - scene.mean(), shift, axis=1)


def make_period(
    number: int = 0,
    camera_id: str = "a",
    start: datetime = START,
    values: Mapping[str, float] | None = None,
    **others: Any,
) -> DriftPeriod:
    """The ``number``-th period of a camera that is as usual; ``values`` are what differs."""
    plain: dict[str, Any] = {
        "length_s": 60.0,
        "model_version": "m-1",
        "samples": 30,
        "expected": 30,
        "mix": MIX,
        "width": 640,
        "height": 360,
        "fps": 10.0,
        "still": False,
        "edges": lines(),
    }
    return DriftPeriod(
        camera_id=camera_id,
        started_at=start + timedelta(minutes=number),
        values={**USUAL, **(values or {})},
        **{**plain, **others},
    )


def breathing(
    count: int, first: int = 0, changes: Mapping[str, float] | None = None, **others: Any
) -> list[DriftPeriod]:
    """Minutes that differ from each other as those of a real street do.

    Args:
        count: How many.
        first: Number of the first.
        changes: Added to the usual values of all.
        **others: As of `period`.
    """
    made = []
    for number in range(first, first + count):
        rng = np.random.default_rng(number)
        values = {
            name: USUAL[name] * (1 + 0.03 * rng.standard_normal()) + (changes or {}).get(name, 0)
            for name in NAMES
        }
        mix = {name: int(rng.poisson(mean)) for name, mean in others.get("mix", MIX).items()}
        made.append(make_period(number, values=values, **{**others, "mix": mix}))
    return made


def watched(
    periods: Iterable[DriftPeriod], fleet: FleetWatch | None = None
) -> tuple[list[Change], FleetWatch]:
    """What a watch says of minutes, given to it one after the other."""
    fleet = fleet or FleetWatch(WatchPolicy())
    changes = [change for one in periods for change in fleet.take([one])]
    return changes, fleet
