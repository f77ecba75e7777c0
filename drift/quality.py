"""Is a stream what it should be: its size, its rate, a picture at all? Apart from drift."""

from dataclasses import dataclass

from drift.period import DriftPeriod

BLACK, FROZEN = "black picture", "frozen picture"
SIZE, RATE, GAPS = "resolution changed", "frame rate fell", "gaps in the stream"
FAULTS = frozenset({BLACK, FROZEN, SIZE, RATE, GAPS})

_BLACK = 0.03  # brightness and contrast, of 1
_RATE = 0.6  # of the usual frame rate
_COVERAGE = 0.5  # of the pictures that should have come


@dataclass(frozen=True, slots=True)
class Usual:
    """What a camera's stream usually is.

    Attributes:
        width: In pixels.
        height: In pixels.
        fps: Frames a second.
    """

    width: int
    height: int
    fps: float


def faults_of(period: DriftPeriod, usual: Usual | None) -> list[str]:
    """What is wrong with the stream in a minute; empty if nothing is.

    Args:
        period: What came.
        usual: What came before; None for a camera that was never seen.
    """
    faults = []
    if period.samples == 0 or period.samples < _COVERAGE * period.expected:
        faults.append(GAPS)
    if period.values["brightness"] < _BLACK and period.values["contrast"] < _BLACK:
        faults.append(BLACK)
    elif period.still:
        faults.append(FROZEN)
    if usual is not None and period.samples:
        if (period.width, period.height) != (usual.width, usual.height):
            faults.append(SIZE)
        if 0 < period.fps < _RATE * usual.fps:
            faults.append(RATE)
    return faults


def is_comparable(faults: list[str]) -> bool:
    """False if the minute says nothing about the world: a broken picture is no drift."""
    return not {GAPS, BLACK, FROZEN} & set(faults)
