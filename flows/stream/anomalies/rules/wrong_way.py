"""A vehicle drives against the direction of its carriageway."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from flows.stream.anomalies.episodes import Episodes
from flows.stream.anomalies.rule import AnomalyChange, Sighting
from flows.stream.anomalies.scene import Mask, Scene
from flows.stream.anomalies.street import Street
from flows.stream.tracking.box_motion import Array
from streetloop.cameras.anomaly_parameters import AnomalyKind, WrongWay

_SLOWEST = 0.4  # scales a second; slower is taken for jitter
_FASTEST = 12.0  # scales a second; a faster leap is another vehicle under the same id
_LONGEST_STEP_S = 2.5
_KEPT_S = 10.0


@dataclass(slots=True)
class _Way:
    """What a track drove against the direction: scales, since when, and where it was last."""

    ground: Sequence[float]
    pts: float
    against: float = 0.0
    since: float = 0.0


class _Vehicle(NamedTuple):
    """One vehicle of a scene, in plain numbers; ``usual`` is 0, 0 where nothing is known."""

    track: int
    ground: Sequence[float]
    scale: float
    velocity: Sequence[float]
    usual: Sequence[float]
    is_drawn: bool


class WrongWayRule:
    """Finds vehicles that drive the wrong way.

    The direction is that of the zone, or learned where no zone has one. Both the step of a vehicle
    from scene to scene and its velocity must be against it, over ``min_distance`` scales; a step
    along it takes back twice its length, so that jitter comes to nothing.

    Args:
        parameters: See `WrongWay`.
        directions: (Z, 2) unit vector of each zone in pixels, NaN where none is drawn; empty if no
            carriageway is drawn, and then vehicles are looked at wherever they drive.
    """

    kind, version = AnomalyKind.WRONG_WAY, "wrong_way/2"

    def __init__(self, parameters: WrongWay, directions: Array) -> None:
        self._parameters, self._directions = parameters, directions
        self._cosine = math.cos(math.radians(parameters.min_angle_deg))
        self._ways: dict[int, _Way] = {}
        self._episodes = Episodes(parameters.clear_s)

    def update(self, scene: Scene, street: Street) -> Sequence[AnomalyChange]:
        """See `Rule.update`."""
        on_road = scene.carriageway >= 0 if len(self._directions) else True
        rows = np.flatnonzero(scene.vehicles & on_road)
        usual, drawn = self._usual(scene, street)
        columns = (scene.track_id, scene.ground, scene.scale, scene.velocity, usual, drawn)
        vehicles = map(_Vehicle, *(column[rows].tolist() for column in columns))
        wrong = [
            row
            for row, vehicle in zip(rows.tolist(), vehicles, strict=True)
            if self._drive(vehicle, scene.pts, street)
        ]
        self._ways = {t: way for t, way in self._ways.items() if scene.pts - way.pts < _KEPT_S}
        if not wrong:
            return self._episodes.update({}, scene.pts, scene.step_s)
        tracks = tuple(int(scene.track_id[row]) for row in wrong)
        since = min(self._ways[track].since for track in tracks)
        zone, certainty = int(scene.carriageway[wrong[0]]), float(scene.confidence[wrong].max())
        sighting = Sighting(since, tracks, certainty, scene.xyxy[wrong[0]], zone)
        return self._episodes.update({None: sighting}, scene.pts, scene.step_s)

    def close(self, pts: float) -> Sequence[AnomalyChange]:
        """See `Rule.close`."""
        self._ways.clear()
        return self._episodes.close(pts)

    def _usual(self, scene: Scene, street: Street) -> tuple[Array, Mask]:
        """(N, 2) unit vectors, 0 where nothing is known, and (N,) whether they are drawn."""
        usual = street.direction(scene.ground)
        has: Mask = np.zeros(len(usual), np.bool_)
        if len(self._directions):
            drawn = self._directions[scene.carriageway]
            has = (scene.carriageway >= 0) & ~np.isnan(drawn[:, 0])
            usual = np.where(has[:, None], drawn, usual)
        return usual, has

    def _drive(self, vehicle: _Vehicle, pts: float, street: Street) -> bool:
        """Add the last step of a vehicle; True while it drives the wrong way."""
        way = self._ways.get(vehicle.track)
        if way is None:
            self._ways[vehicle.track] = _Way(vehicle.ground, pts)
            return False
        seconds = pts - way.pts
        (x, y), (last_x, last_y), scale = vehicle.ground, way.ground, vehicle.scale
        dx, dy = x - last_x, y - last_y
        way.ground, way.pts = vehicle.ground, pts
        step = math.hypot(dx, dy) / scale
        if seconds > _LONGEST_STEP_S or step > _FASTEST * seconds:
            way.against = 0.0
            return False
        (ux, uy), (vx, vy) = vehicle.usual, vehicle.velocity
        speed = math.hypot(vx, vy)
        if ux == uy == 0.0 or speed < _SLOWEST * scale or step == 0.0:
            return False
        cosine = (dx * ux + dy * uy) / (step * scale)
        against = cosine < self._cosine and vx * ux + vy * uy < self._cosine * speed
        if against and (vehicle.is_drawn or street.is_unusual((x, y), (vx, vy))):
            way.since = way.since if way.against > 0 else pts - seconds
            way.against += step
        elif cosine > 0:
            way.against = max(0.0, way.against - 2 * step)
        return way.against >= self._parameters.min_distance
