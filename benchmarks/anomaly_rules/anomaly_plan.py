"""What `benchmarks.anomalies` measures: cameras, seeds, and recordings of both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.anomaly_streets import CLEAN, EVENTS, is_recorded, length_s, recording

TUNED_ON = ("larkfield/overbridge", "kingsport/crossing", "millbrook/high-street", "stonebridge/middle")
"""Thresholds were chosen, and the error model is fitted, on these alone."""

MEASURED_ON = (
    "larkfield/gantry",
    "stonebridge/west-tower",
    "millbrook/church-end",
    "larkfield/verge-west",
    "kingsport/avenue-east",
    "stonebridge/quay",
    "millbrook/market",
    "kingsport/corner",
    "larkfield/verge-east",
    "millbrook/crossing",
    "stonebridge/east-tower",
    "kingsport/street-north",
)
KINDS = [kind for kind in EVENTS if kind != CLEAN]
CLEAN_S = 900.0
_BLIND = {
    "stopped_vehicle": (
        "larkfield/gantry",
        "larkfield/overbridge",
        "stonebridge/middle",
        "kingsport/avenue-east",
        "kingsport/corner",
        "kingsport/street-north",
    ),
    "pedestrian_on_carriageway": ("larkfield/overbridge", "larkfield/verge-east"),
    "object_on_road": (
        "larkfield/overbridge",
        "larkfield/verge-west",
        "larkfield/verge-east",
        "kingsport/corner",
        "kingsport/street-north",
    ),
}  # cameras that do not see the city's event, or only as a few pixels


@dataclass(frozen=True, slots=True)
class Piece:
    """One recording to measure.

    Attributes:
        camera: Such as ``larkfield/gantry``.
        kind: The event that happens in it; `CLEAN` for none.
        seed: Names the traffic.
        seconds: Its length.
    """

    camera: str
    kind: str
    seed: int
    seconds: float

    def record(self) -> None:
        """Record it if it is not there yet."""
        if not self.is_there():
            recording(self.camera, self.kind, self.seed, self.seconds)

    def is_there(self) -> bool:
        """True if it is recorded."""
        return is_recorded(self.camera, self.kind, self.seed, self.seconds)


def events(cameras: Sequence[str], each: int, first_seed: int) -> Iterator[Piece]:
    """``each`` events of every kind, spread over the cameras that see it."""
    for number in range(each):
        for k, kind in enumerate(KINDS):
            see = [camera for camera in cameras if camera not in _BLIND.get(kind, ())]
            yield Piece(see[number % len(see)], kind, first_seed + 10 * number + k, length_s(kind))


def clean(cameras: Sequence[str], rounds: int, first_seed: int) -> Iterator[Piece]:
    """``rounds`` stretches of ordinary traffic of each camera."""
    for number in range(rounds):
        for camera in cameras:
            yield Piece(camera, CLEAN, first_seed + number, CLEAN_S)
