"""A vehicle stands on the carriageway, where nobody waits and nobody parks."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np

from flows.stream.anomalies.episodes import Episodes
from flows.stream.anomalies.rule import AnomalyChange, Sighting
from flows.stream.anomalies.scene import Scene
from flows.stream.anomalies.street import Street
from streetloop.boxes import iou
from streetloop.cameras.anomaly_parameters import AnomalyKind, StoppedVehicle
from streetloop.types import Floats

_SAME_PLACE_IOU = 0.4
_GONE_IOU = 0.05
_CLUSTER = 4.0  # scales; who stands that near to a stopped vehicle stands because of it


@dataclass(slots=True)
class _Spot:
    """A place where a vehicle stands, whatever the ids of its tracks."""

    number: int
    box: Floats
    since: float
    seen: float
    tracks: set[int] = field(default_factory=set)
    line: int = -1  # of the queue that it stood in
    missed_s: float = 0.0
    confidence: float = 0.0
    zone: int = -1


class StoppedVehicleRule:
    """Finds vehicles that stand on a carriageway.

    Places are remembered and not tracks: a vehicle that gets another id stands on. Who stands in a
    queue behind a stop line waits, for as long as is usual there, see `Street.longest_wait_s`, and
    for ``max_wait_s`` at most; so does who stands where vehicles stand again and again, see
    `Street.longest_stop_s`. Vehicles that stand near each other are one anomaly.

    Args:
        parameters: See `StoppedVehicle`.
    """

    kind, version = AnomalyKind.STOPPED_VEHICLE, "stopped_vehicle/3"

    def __init__(self, parameters: StoppedVehicle) -> None:
        self._parameters = parameters
        self._spots: list[_Spot] = []
        self._count = 0
        self._episodes = Episodes(parameters.clear_s)

    def update(self, scene: Scene, street: Street) -> Sequence[AnomalyChange]:
        """See `Rule.update`."""
        self._forget(scene, street)
        stands = scene.vehicles & (scene.still_s > 0) & (scene.carriageway >= 0) & ~scene.parking
        rows = np.flatnonzero(stands)
        if len(rows):
            for row, spot in zip(rows.tolist(), self._spots_at(scene.xyxy[rows]), strict=True):
                self._note(scene, row, spot)
        return self._episodes.update(self._sightings(street), scene.pts, scene.step_s)

    def close(self, pts: float) -> Sequence[AnomalyChange]:
        """See `Rule.close`."""
        self._spots.clear()
        return self._episodes.close(pts)

    def _note(self, scene: Scene, row: int, spot: _Spot | None) -> None:
        box, track = scene.xyxy[row], int(scene.track_id[row])
        if spot is None:
            spot = _Spot(self._count, box, scene.pts - float(scene.still_s[row]), scene.pts)
            self._spots.append(spot)
            self._count += 1
        spot.box, spot.seen, spot.missed_s = box, scene.pts, 0.0
        spot.tracks.add(track)
        spot.line = max(spot.line, int(scene.queue[row]))
        spot.zone = int(scene.carriageway[row])
        spot.confidence = max(spot.confidence, float(scene.confidence[row]))

    def _spots_at(self, boxes: Floats) -> list[_Spot | None]:
        """The place of each of (N, 4) boxes; None where nobody stood."""
        if not self._spots:
            return [None] * len(boxes)
        overlap = iou(boxes, np.array([spot.box for spot in self._spots], np.float32))
        best = overlap.argmax(axis=1).tolist()
        near = overlap.max(axis=1) >= _SAME_PLACE_IOU
        return [self._spots[k] if ok else None for k, ok in zip(best, near.tolist(), strict=True)]

    def _forget(self, scene: Scene, street: Street) -> None:
        """Drop the places whose vehicle was seen elsewhere, or was not seen for too long."""
        if not self._spots:
            return
        row_of = {track: row for row, track in enumerate(scene.track_id.tolist())}
        overlap = iou(np.array([spot.box for spot in self._spots], np.float32), scene.xyxy)
        for number, spot in enumerate(self._spots):
            spot.missed_s += scene.step_s
            rows = [row_of[track] for track in spot.tracks if track in row_of]
            if rows and overlap[number, rows].max() < _GONE_IOU:
                spot.missed_s = np.inf
        for spot in self._spots:
            if spot.missed_s < self._parameters.clear_s:
                continue
            if spot.line >= 0:
                street.note_wait(spot.line, spot.seen - spot.since)
            else:
                street.note_stop(np.array(_ground(spot.box)), spot.since, spot.seen)
        self._spots = [spot for spot in self._spots if spot.missed_s < self._parameters.clear_s]

    def _sightings(self, street: Street) -> dict[Hashable, Sighting]:
        found: dict[Hashable, Sighting] = {}
        known = {spot.number for spot in self._spots if spot.number in self._episodes}
        for spot in self._spots:
            if spot.number not in known and (
                not self._stands_too_long(spot, street) or self._belongs(spot, known)
            ):
                continue
            known.add(spot.number)
            if spot.missed_s == 0.0:
                tracks = tuple(sorted(spot.tracks))
                found[spot.number] = Sighting(spot.since, tracks, spot.confidence, spot.box, spot.zone)
        return found

    def _stands_too_long(self, spot: _Spot, street: Street) -> bool:
        given, stood = self._parameters, spot.seen - spot.since
        if stood < given.min_stop_s:
            return False
        if spot.line < 0:
            usual = street.longest_stop_s(np.array(_ground(spot.box))) or 0.0
        else:
            found = street.longest_wait_s(spot.line)
            usual = given.max_wait_s if found is None else found
        return stood >= min(usual, given.max_wait_s)

    def _belongs(self, spot: _Spot, known: set[int]) -> bool:
        """True if it stands near one that is an anomaly already."""
        left, top, right, bottom = spot.box.tolist()
        reach = _CLUSTER * math.sqrt((right - left) * (bottom - top))
        ground = (left + right) / 2, bottom
        return any(
            math.dist(ground, _ground(other.box)) < reach for other in self._spots if other.number in known
        )


def _ground(box: Floats) -> tuple[float, float]:
    left, _, right, bottom = box.tolist()
    return (left + right) / 2, bottom
