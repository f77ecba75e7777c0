"""Somebody walks or stands where vehicles drive."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flows.stream.anomalies.episodes import Episodes
from flows.stream.anomalies.rule import AnomalyChange, Sighting
from flows.stream.anomalies.rules.dwell import Dwell
from flows.stream.anomalies.scene import ObjectRole, Scene
from flows.stream.anomalies.street import Street
from flows.stream.tracking.box_motion import Array
from streetloop.boxes import common_area
from streetloop.cameras.anomaly_parameters import AnomalyKind, Pedestrian

_FASTEST = 2.0  # heights a second; faster are riders
_WALKED = 0.5  # heights; who has not moved so far is a post, a shadow, or waits at the kerb
_SURE_SHARE = 0.6  # of the detections that say person; of riders many say cycle
_INSIDE = 0.5  # share of a person's box within that of a vehicle or cycle, who then sits on it


@dataclass(slots=True)
class _Came:
    """When and where somebody came onto the carriageway, and whether that person walked since."""

    since: float
    ground: Array
    has_walked: bool = False


class PedestrianRule:
    """Finds persons who walk on a carriageway, off its crosswalks, or have walked there.

    Args:
        parameters: See `Pedestrian`.
    """

    kind, version = AnomalyKind.PEDESTRIAN, "pedestrian_on_carriageway/2"

    def __init__(self, parameters: Pedestrian) -> None:
        self._parameters = parameters
        self._dwell = Dwell()
        self._came: dict[int, _Came] = {}
        self._episodes = Episodes(parameters.clear_s)

    def update(self, scene: Scene, street: Street) -> Sequence[AnomalyChange]:  # noqa: ARG002 - as `Rule` has it
        """See `Rule.update`."""
        persons = scene.has_role(ObjectRole.PERSON) & (scene.share >= _SURE_SHARE)
        on_road = persons & (scene.carriageway >= 0) & ~scene.crosswalk & ~scene.parking
        rows = [row for row in np.flatnonzero(on_road).tolist() if self._is_on_foot(scene, row)]
        since = self._dwell.update(scene.track_id[rows].tolist(), scene.pts)
        self._walk(scene, rows, since)
        stays = [track for track, begin in since.items() if scene.pts - begin >= self._parameters.min_s]
        found = [track for track in stays if self._came[track].has_walked]
        if not found:
            return self._episodes.update({}, scene.pts, scene.step_s)
        row = next(row for row in rows if scene.track_id[row] == found[0])
        begin = min(since[track] for track in found)
        zone, certainty = int(scene.carriageway[row]), float(scene.confidence[row])
        sighting = Sighting(begin, tuple(found), certainty, scene.xyxy[row], zone)
        return self._episodes.update({None: sighting}, scene.pts, scene.step_s)

    def close(self, pts: float) -> Sequence[AnomalyChange]:
        """See `Rule.close`."""
        return self._episodes.close(pts)

    def _walk(self, scene: Scene, rows: Sequence[int], since: Mapping[int, float]) -> None:
        """Note who has moved since he or she came onto the carriageway."""
        before, self._came = self._came, {}
        for row in rows:
            track = int(scene.track_id[row])
            came = before.get(track)
            if came is None or came.since != since[track]:
                came = _Came(since[track], scene.ground[row])
            height = float(scene.xyxy[row, 3] - scene.xyxy[row, 1])
            came.has_walked |= math.dist(scene.ground[row], came.ground) > _WALKED * height
            self._came[track] = came
        kept = {t: came for t, came in before.items() if t not in self._came and t in self._dwell}
        self._came |= kept

    def _is_on_foot(self, scene: Scene, row: int) -> bool:
        """False for who rides, or sits in a vehicle."""
        box = scene.xyxy[row]
        height = float(box[3] - box[1])
        if np.hypot(*scene.velocity[row]) > _FASTEST * height:
            return False
        others = np.flatnonzero(scene.vehicles | scene.has_role(ObjectRole.CYCLE))
        if not len(others):
            return True
        area = max(float(np.prod(box[2:] - box[:2])), 1e-6)
        return bool(common_area(box[None], scene.xyxy[others]).max() < _INSIDE * area)
