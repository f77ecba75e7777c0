"""Traffic on a carriageway is dense, and much slower than usual."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from flows.stream.anomalies.episodes import Episodes
from flows.stream.anomalies.rule import AnomalyChange, Sighting
from flows.stream.anomalies.scene import Scene
from flows.stream.anomalies.street import Street
from flows.stream.tracking.box_motion import Array
from streetloop.cameras.anomaly_parameters import AnomalyKind, Congestion

_TOLERATED = 0.25  # share of the time in which it was not slow


class _Spell:
    """How long a carriageway has been slow."""

    def __init__(self, since: float) -> None:
        self.since, self.slow_s, self.other_s = since, 0.0, 0.0


class CongestionRule:
    """Finds carriageways on which traffic is slow and dense.

    The speed of each vehicle is compared with what is usual at its place. Who stands in a queue
    behind a stop line is left out.

    Args:
        parameters: See `Congestion`.
    """

    kind, version = AnomalyKind.CONGESTION, "congestion/2"

    def __init__(self, parameters: Congestion) -> None:
        self._parameters = parameters
        self._spells: dict[int, _Spell] = {}
        self._episodes = Episodes(parameters.clear_s)

    def update(self, scene: Scene, street: Street) -> Sequence[AnomalyChange]:
        """See `Rule.update`."""
        usual = street.speed(scene.ground)
        counts = scene.vehicles & (scene.carriageway >= 0) & ~scene.parking & ~np.isnan(usual)
        counts &= scene.queue < 0
        found: dict[Hashable, Sighting] = {}
        zones = set(scene.carriageway[counts].tolist()) | self._spells.keys()
        for zone in sorted(zones):
            rows = np.flatnonzero(counts & (scene.carriageway == zone))
            sighting = self._look(zone, scene, rows, usual)
            if sighting is not None:
                found[zone] = sighting
        return self._episodes.update(found, scene.pts, scene.step_s)

    def close(self, pts: float) -> Sequence[AnomalyChange]:
        """See `Rule.close`."""
        self._spells.clear()
        return self._episodes.close(pts)

    def _look(self, zone: int, scene: Scene, rows: NDArray[np.intp], usual: Array) -> Sighting | None:
        given = self._parameters
        ratio = 1.0
        if len(rows):
            ratio = float(scene.speed[rows].sum() / max(float(usual[rows].sum()), 1e-6))
        slow = len(rows) >= given.min_vehicles and ratio < given.max_speed_ratio
        spell = self._spells.get(zone)
        if spell is None:
            if not slow:
                return None
            spell = self._spells[zone] = _Spell(scene.pts)
        spell.slow_s += scene.step_s if slow else 0.0
        spell.other_s = 0.0 if slow else spell.other_s + scene.step_s
        if spell.other_s > max(1.0, _TOLERATED * given.hold_s) and zone not in self._episodes:
            del self._spells[zone]
            return None
        if not slow or spell.slow_s < given.hold_s * (1 - _TOLERATED):
            return None
        if scene.pts - spell.since < given.hold_s and zone not in self._episodes:
            return None
        detail = (("speed_ratio", round(ratio, 2)), ("vehicles", float(len(rows))))
        certainty = min(1.0, 1.5 * (1 - ratio))
        return Sighting(spell.since, tuple(scene.track_id[rows].tolist()), certainty, None, zone, detail)
