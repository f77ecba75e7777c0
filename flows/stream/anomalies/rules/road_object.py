"""Something that is neither vehicle nor person lies on the carriageway."""

from collections.abc import Sequence

import numpy as np

from flows.stream.anomalies.episodes import Episodes
from flows.stream.anomalies.rule import AnomalyChange, Sighting
from flows.stream.anomalies.scene import ObjectRole, Scene
from flows.stream.anomalies.street import Street
from streetloop.cameras.anomaly_parameters import AnomalyKind, RoadObject


class RoadObjectRule:
    """Finds objects that lie still on a carriageway.

    It needs a model that detects them as a class of its own, and that class among the counted ones.

    Args:
        parameters: See `RoadObject`.
    """

    kind, version = AnomalyKind.OBJECT, "object_on_road/1"

    def __init__(self, parameters: RoadObject) -> None:
        self._parameters = parameters
        self._episodes = Episodes(parameters.clear_s)

    def update(self, scene: Scene, street: Street) -> Sequence[AnomalyChange]:  # noqa: ARG002 - as `Rule` has it
        """See `Rule.update`."""
        lies = scene.has_role(ObjectRole.OBJECT) & (scene.carriageway >= 0) & ~scene.parking
        rows = np.flatnonzero(lies & (scene.still_s >= self._parameters.min_s))
        if not len(rows):
            return self._episodes.update({}, scene.pts, scene.step_s)
        since = scene.pts - float(scene.still_s[rows].max())
        tracks = tuple(scene.track_id[rows].tolist())
        zone, certainty = int(scene.carriageway[rows[0]]), float(scene.confidence[rows].max())
        sighting = Sighting(since, tracks, certainty, scene.xyxy[rows[0]], zone)
        return self._episodes.update({None: sighting}, scene.pts, scene.step_s)

    def close(self, pts: float) -> Sequence[AnomalyChange]:
        """See `Rule.close`."""
        return self._episodes.close(pts)
