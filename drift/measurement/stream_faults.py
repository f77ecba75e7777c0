"""Faults of a stream, as opposed to drift: wrong size or frame rate, gaps, no usable image."""

from dataclasses import dataclass

from drift.measurement.period import DriftPeriod

BLACK, FROZEN = "black picture", "frozen picture"
SIZE, RATE, GAPS = "resolution changed", "frame rate fell", "gaps in the stream"
FAULTS = frozenset({BLACK, FROZEN, SIZE, RATE, GAPS})

_MAX_BLACK = 0.03  # brightness and contrast, of 1
_MIN_RATE = 0.6  # of the usual frame rate
_MIN_COVERAGE = 0.5  # of the images that should have come


@dataclass(frozen=True, slots=True)
class UsualStream:
    """Size and rate that a camera's stream usually has.

    Attributes:
        width: In pixels.
        height: In pixels.
        fps: Frames per second.
    """

    width: int
    height: int
    fps: float


def faults_of(period: DriftPeriod, usual: UsualStream | None) -> list[str]:
    """Names of the faults of the stream in one period, of `FAULTS`; empty for none.

    Args:
        period: What the camera showed.
        usual: The stream as it was before; None for a new camera, whose size and rate are
            not judged.
    """
    faults = []
    if period.samples == 0 or period.samples < _MIN_COVERAGE * period.expected:
        faults.append(GAPS)
    if period.values["brightness"] < _MAX_BLACK and period.values["contrast"] < _MAX_BLACK:
        faults.append(BLACK)
    elif period.still:
        faults.append(FROZEN)
    if usual is not None and period.samples:
        if (period.width, period.height) != (usual.width, usual.height):
            faults.append(SIZE)
        if 0 < period.fps < _MIN_RATE * usual.fps:
            faults.append(RATE)
    return faults


def is_comparable(faults: list[str]) -> bool:
    """False if the period says nothing about the scene: a broken image is no drift."""
    return not {GAPS, BLACK, FROZEN} & set(faults)
