"""Which anomalies a camera looks for, and the parameters of their rules.

Times are seconds of media time in which the camera was looked at. Lengths are in scales: the
square root of the area of an object's box, which is about a car's width near and far.
"""

from enum import StrEnum
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)


class AnomalyKind(StrEnum):
    """What a rule finds."""

    STOPPED_VEHICLE = "stopped_vehicle"
    WRONG_WAY = "wrong_way"
    CONGESTION = "congestion"
    QUEUE = "queue"
    PEDESTRIAN = "pedestrian_on_carriageway"
    OBJECT = "object_on_road"


class Parameters(BaseModel):
    """Parameters of a rule.

    Attributes:
        clear_s: Seconds of the contrary after which an anomaly is over, above 0. Higher bridges
            longer misses of the detector, and ends events later.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    clear_s: float = Field(default=5.0, gt=0, le=3600)

    @model_serializer(mode="wrap")
    def _what_was_said(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in plain(self).items() if name in self.model_fields_set}


class StoppedVehicle(Parameters):
    """Of `AnomalyKind.STOPPED_VEHICLE`.

    Attributes:
        min_stop_s: Seconds that a vehicle stands before it is one. Higher finds fewer and later,
            and fewer of those who only wait.
        max_wait_s: The same where vehicles wait, in a ``stop_line`` zone and in the queue behind
            it, until it is known how long they usually do. Longer than the longest red.
    """

    clear_s: float = Field(default=8.0, gt=0, le=3600)
    min_stop_s: float = Field(default=12.0, gt=0, le=86400)
    max_wait_s: float = Field(default=180.0, gt=0, le=86400)


class WrongWay(Parameters):
    """Of `AnomalyKind.WRONG_WAY`.

    Attributes:
        min_angle_deg: Angle to the usual direction from which a vehicle drives the wrong way, 90
            to 180. Higher finds only those that drive straight against it.
        min_distance: Scales that it drives the wrong way, above 0. Higher finds fewer and later,
            and fewer id switches taken for one.
    """

    min_angle_deg: float = Field(default=130.0, ge=90, le=180)
    min_distance: float = Field(default=2.0, gt=0, le=100)


class Congestion(Parameters):
    """Of `AnomalyKind.CONGESTION`.

    Attributes:
        max_speed_ratio: Mean speed below which traffic is congested, as a share of the speed that
            is usual at the same places, 0 to 1. Higher finds slow traffic, too.
        min_vehicles: Vehicles in the zone from which it can be congested. Higher asks for a higher
            occupancy.
        hold_s: Seconds that it is congested before it is an anomaly. Higher than the longest red
            where a queue without ``stop_line`` zone reaches into the carriageway.
    """

    clear_s: float = Field(default=15.0, gt=0, le=3600)
    max_speed_ratio: float = Field(default=0.4, gt=0, lt=1)
    min_vehicles: int = Field(default=3, ge=1, le=1000)
    hold_s: float = Field(default=20.0, gt=0, le=86400)


class Queue(Parameters):
    """Of `AnomalyKind.QUEUE`.

    Attributes:
        min_vehicles: Length of a queue behind a stop line from which it is an anomaly, in vehicles.
        hold_s: Seconds that it is that long.
    """

    min_vehicles: int = Field(default=10, ge=1, le=1000)
    hold_s: float = Field(default=10.0, gt=0, le=86400)


class Pedestrian(Parameters):
    """Of `AnomalyKind.PEDESTRIAN`.

    Attributes:
        min_s: Seconds that a person walks or stands on the carriageway. Higher finds fewer and
            later, and fewer who stand at the kerb.
    """

    min_s: float = Field(default=4.5, gt=0, le=3600)


class RoadObject(Parameters):
    """Of `AnomalyKind.OBJECT`.

    Attributes:
        min_s: Seconds that it lies still. Higher finds fewer false boxes of the detector.
    """

    min_s: float = Field(default=5.0, gt=0, le=3600)


class Anomalies(BaseModel):
    """The anomalies that a camera looks for, written as a list of kinds or by kind.

    >>> Anomalies.model_validate(["wrong_way"]).wrong_way.min_distance
    2.0
    >>> Anomalies.model_validate({"queue": {"min_vehicles": 6}}).queue.min_vehicles
    6

    Attributes:
        stopped_vehicle: A vehicle stands on the carriageway.
        wrong_way: A vehicle drives against the direction.
        congestion: Traffic is slow and dense.
        queue: A queue behind a stop line is long.
        pedestrian_on_carriageway: Somebody walks where vehicles drive.
        object_on_road: Something that is neither vehicle nor person lies on the carriageway.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stopped_vehicle: StoppedVehicle | None = None
    wrong_way: WrongWay | None = None
    congestion: Congestion | None = None
    queue: Queue | None = None
    pedestrian_on_carriageway: Pedestrian | None = None
    object_on_road: RoadObject | None = None

    @model_validator(mode="before")
    @classmethod
    def _kinds_alone(cls, value: object) -> object:
        if isinstance(value, (list, tuple)):
            unknown = next((kind for kind in value if kind not in set(AnomalyKind)), None)
            if unknown is not None:
                raise ValueError(f"unknown kind {str(unknown)[:40]!r}; known are {', '.join(AnomalyKind)}")
            return {str(kind): {} for kind in value}
        if isinstance(value, dict):
            return {kind: {} if given is None else given for kind, given in value.items()}
        return value

    @model_serializer(mode="wrap")
    def _only_chosen(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {kind: given for kind, given in plain(self).items() if given is not None}

    @property
    def chosen(self) -> dict[AnomalyKind, Parameters]:
        """Parameters by kind, of the kinds that are looked for."""
        found = {kind: getattr(self, kind.value) for kind in AnomalyKind}
        return {kind: given for kind, given in found.items() if given is not None}
