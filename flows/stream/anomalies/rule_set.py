"""Which rules a camera gets."""

from collections.abc import Sequence

from flows.stream.anomalies.rule import Rule
from flows.stream.anomalies.rules.congestion import CongestionRule
from flows.stream.anomalies.rules.pedestrian import PedestrianRule
from flows.stream.anomalies.rules.queue import QueueRule
from flows.stream.anomalies.rules.road_object import RoadObjectRule
from flows.stream.anomalies.rules.stopped_vehicle import StoppedVehicleRule
from flows.stream.anomalies.rules.wrong_way import WrongWayRule
from flows.stream.anomalies.zone_map import ZoneMap
from streetloop.cameras.anomaly_parameters import Anomalies, AnomalyKind

_ON_CARRIAGEWAYS = [kind for kind in AnomalyKind if kind is not AnomalyKind.QUEUE]


def rules_of(wanted: Anomalies | None, zones: ZoneMap, width: int, height: int) -> Sequence[Rule]:
    """The rules of a camera.

    Args:
        wanted: What the camera file says; None for all kinds that drawn carriageways allow, and for
            none where no carriageway is drawn.
        zones: Its zones.
        width: Width of its picture in pixels.
        height: Its height.
    """
    if wanted is None:
        kinds = [kind.value for kind in _ON_CARRIAGEWAYS] if zones.has_carriageway else []
        wanted = Anomalies.model_validate(kinds)
    rules: list[Rule] = []
    if wanted.stopped_vehicle is not None:
        rules.append(StoppedVehicleRule(wanted.stopped_vehicle))
    if wanted.wrong_way is not None:
        rules.append(WrongWayRule(wanted.wrong_way, zones.directions(width, height)))
    if wanted.congestion is not None:
        rules.append(CongestionRule(wanted.congestion))
    if wanted.queue is not None:
        rules.append(QueueRule(wanted.queue))
    if wanted.pedestrian_on_carriageway is not None:
        rules.append(PedestrianRule(wanted.pedestrian_on_carriageway))
    if wanted.object_on_road is not None:
        rules.append(RoadObjectRule(wanted.object_on_road))
    return rules
