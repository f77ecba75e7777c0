"""A triage of two classes, frames to feed it, and disputes between two models."""

from collections.abc import Iterable, Sequence

import numpy as np

from flows.stream.analysis.results import Result
from flows.stream.sinks.triage import Triage
from streetloop.errors import StoreError
from streetloop.ledger.reviews import FrameRecord
from streetloop.storage.store import FolderStore
from streetloop.types import ArrayPicture, Detections
from tests.support.stream_flow.build import NOON, found, frame, result

NAMES = ("car", "bus")
MIDDLE = 0.425
"""A confidence in the middle of the band: the model is least sure."""


def triage_of(store: FolderStore, random_a_hour: float = 0.0, **others: object) -> Triage:
    return Triage(store, NAMES, 10.0, random_a_hour, others.pop("origins", {}), **others)  # type: ignore[arg-type]


def seen(
    second: float, confidence: float | None = None, camera_id: str = "a", track: tuple[int, int] | None = None
) -> Result:
    """A frame that no other is like, with a box of which the model is so sure."""
    rng = np.random.default_rng(round(second * 1000) + ord(camera_id[0]) * 10**8)
    picture = ArrayPicture(rng.integers(0, 255, (48, 64, 3)).astype(np.uint8))
    of = frame(round(second * 25), camera_id=camera_id, pts=second, picture=picture)
    if track is not None:
        return result(of, found((1, 1, 20, 20), class_id=track[1]), [track[0]])
    if confidence is None:
        return result(of)
    return result(of, found((1, 1, 20, 20), confidence=confidence))


def fed(triage: Triage, results: Iterable[Result]) -> list[FrameRecord]:
    for one in results:
        triage.take(one)
    triage.close()
    return triage.collect()


def seconds(reviews: Sequence[FrameRecord]) -> list[float]:
    return [(one.captured_at - NOON).total_seconds() for one in reviews]


class FullStore:
    """A store that is full for a while."""

    def __init__(self, store: FolderStore) -> None:
        self._store, self.full = store, True

    def put(self, key: str, data: bytes) -> None:
        if self.full:
            raise StoreError("no space left")
        self._store.put(key, data)


BUS = found((30, 20, 60, 40), class_id=1)
CAR = found((1, 1, 20, 20))
CAR_AND_BUS = Detections(
    np.concatenate([CAR.xyxy, BUS.xyxy]),
    np.concatenate([CAR.confidence, BUS.confidence]),
    np.concatenate([CAR.class_id, BUS.class_id]),
)


def disagree(
    triage: Triage, second: float, ours: Detections = CAR, theirs: Detections = BUS, camera_id: str = "a"
) -> None:
    triage.add_disagreement(seen(second, 0.9, camera_id).frame, ours, theirs, "champion-1")


def disagreeing(reviews: Sequence[FrameRecord]) -> list[FrameRecord]:
    return [one for one in reviews if one.reason == "disagreement"]
