"""A queue behind a stop line is long."""

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from flows.stream.anomalies.episodes import Episodes
from flows.stream.anomalies.rule import AnomalyChange, Sighting
from flows.stream.anomalies.scene import Scene
from flows.stream.anomalies.street import Street
from streetloop.cameras.anomaly_parameters import AnomalyKind, Queue


class QueueRule:
    """Finds queues of ``min_vehicles`` or more behind a stop line.

    Args:
        parameters: See `Queue`.

    Attributes:
        lengths: Vehicles in the queue of each stop line, by its number; those of the last scene.
    """

    kind, version = AnomalyKind.QUEUE, "queue/2"

    def __init__(self, parameters: Queue) -> None:
        self._parameters = parameters
        self._long_since: dict[int, float] = {}
        self._episodes = Episodes(parameters.clear_s)
        self.lengths: dict[int, int] = {}

    def update(self, scene: Scene, street: Street) -> Sequence[AnomalyChange]:  # noqa: ARG002 - as `Rule` has it
        """See `Rule.update`."""
        queue = scene.queue
        self.lengths = dict(sorted(Counter(queue[queue >= 0].tolist()).items()))
        long = {zone for zone, count in self.lengths.items() if count >= self._parameters.min_vehicles}
        self._long_since = {zone: self._long_since.get(zone, scene.pts) for zone in long}
        found: dict[Hashable, Sighting] = {}
        for zone, since in self._long_since.items():
            if scene.pts - since >= self._parameters.hold_s or zone in self._episodes:
                rows = np.flatnonzero(queue == zone)
                detail = (("vehicles", float(len(rows))),)
                tracks = tuple(scene.track_id[rows].tolist())
                certainty = float(scene.confidence[rows].mean())
                found[zone] = Sighting(since, tracks, certainty, None, zone, detail)
        return self._episodes.update(found, scene.pts, scene.step_s)

    def close(self, pts: float) -> Sequence[AnomalyChange]:
        """See `Rule.close`."""
        self._long_since.clear()
        return self._episodes.close(pts)
