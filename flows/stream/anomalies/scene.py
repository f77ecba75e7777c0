"""A scene: what rules look at, the objects of one camera at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from flows.stream.tracking.box_motion import Array
from flows.stream.tracking.tracker import Track
from streetloop.types import Floats, Ints

Mask = NDArray[np.bool_]


class ObjectRole(IntEnum):
    """What an object is to a rule."""

    VEHICLE = 0
    CYCLE = 1
    PERSON = 2
    OBJECT = 3


_ROLES = {
    ObjectRole.VEHICLE: (
        "car",
        "truck",
        "bus",
        "van",
        "lorry",
        "motorcycle",
        "motorbike",
        "vehicle",
        "taxi",
        "tram",
    ),
    ObjectRole.CYCLE: ("bicycle", "cycle", "bike", "rider", "cyclist"),
    ObjectRole.PERSON: ("person", "pedestrian", "people"),
}
# Detectors of everyday things see them at the roadside, where they are no obstacle.
_FURNITURE = {
    "traffic light",
    "traffic sign",
    "stop sign",
    "parking meter",
    "fire hydrant",
    "bench",
    "potted plant",
    "umbrella",
    "bird",
    "train",
    "boat",
    "airplane",
    "clock",
}


def role_of(class_name: str) -> ObjectRole | None:
    """The role of a class by its name; None for what no rule looks at.

    >>> role_of("Truck"), role_of("suitcase")
    (<ObjectRole.VEHICLE: 0>, <ObjectRole.OBJECT: 3>)
    """
    name = class_name.lower()
    for role, names in _ROLES.items():
        if name in names:
            return role
    return None if name in _FURNITURE else ObjectRole.OBJECT


@dataclass(frozen=True, slots=True)
class Scene:
    """The objects that were seen in one frame. N of them, outside of zones to ignore.

    Attributes:
        pts: Media time in seconds; rises from scene to scene.
        step_s: Seconds since the scene before that count as looked at; 0 after a gap.
        track_id: (N,) track of each.
        role: (N,) `ObjectRole` of each.
        xyxy: (N, 4) boxes in pixels.
        ground: (N, 2) middle of the lower edge of each box in pixels.
        scale: (N,) square root of the area of each box in pixels.
        velocity: (N, 2) pixels a second.
        still_s: (N,) seconds since when it stands; 0 while it moves.
        confidence: (N,) mean confidence of its detections, 0 to 1.
        share: (N,) share of its detections, by confidence, that say its role, 0 to 1.
        carriageway: (N,) number of the carriageway that it is on; -1 for none.
        stop_line: (N,) number of the stop line zone that it is in; -1 for none.
        parking: (N,) true in a parking zone.
        crosswalk: (N,) true on a crosswalk.
        queue: (N,) number of the stop line in whose queue it stands; -1 for none.
        vehicles: (N,) true for vehicles.
        speed: (N,) scales a second.
    """

    pts: float
    step_s: float
    track_id: Ints
    role: Ints
    xyxy: Floats
    ground: Array
    scale: Array
    velocity: Array
    still_s: Array
    confidence: Array
    share: Array
    carriageway: Ints
    stop_line: Ints
    parking: Mask
    crosswalk: Mask
    queue: Ints
    vehicles: Mask = field(init=False)
    speed: Array = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "vehicles", self.has_role(ObjectRole.VEHICLE))
        pixels = np.hypot(self.velocity[:, 0], self.velocity[:, 1])
        object.__setattr__(self, "speed", pixels / self.scale)

    def __len__(self) -> int:
        return len(self.track_id)

    def has_role(self, role: ObjectRole) -> Mask:
        """(N,) true for objects of a role."""
        found: Mask = self.role == role.value  # NumPy first looks for attributes of a member
        return found


@dataclass(frozen=True, slots=True)
class Objects:
    """Columns of the tracks of a frame, see `Scene`; pixels are the tracker's."""

    track_id: Ints
    role: Ints
    xyxy: Floats
    ground: Array
    scale: Array
    velocity: Array
    still_s: Array
    confidence: Array
    share: Array


_STILL_S = 1.5  # a box that has not moved for less may be of something slow
_NO_ROLE = -1


def objects_of(tracks: Sequence[Track], roles: Ints, pts: float) -> Objects:
    """The tracks that were seen in a frame as columns.

    Args:
        tracks: Tracks with at least one observation.
        roles: ObjectRole of each class id; -1 for what no rule looks at.
        pts: Media time in seconds.
    """
    of_roles = [(track, int(roles[int(track.votes.argmax())])) for track in tracks]
    rows = [
        (
            track.id,
            role,
            pts - track.still_since,
            track.score / max(track.hits, 1),
            *track.path[-1][1].tolist(),
            *track.recent[-1].speed[:2].tolist(),
            track.votes[roles == role].sum() / max(track.score, 1e-9),
        )
        for track, role in of_roles
        if role != _NO_ROLE
    ]
    table = np.array(rows, np.float64).reshape(-1, 11)
    xyxy = table[:, 4:8]
    sides = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 1.0)
    return Objects(
        table[:, 0].astype(np.int64),
        table[:, 1].astype(np.int64),
        xyxy.astype(np.float32),
        np.stack([(xyxy[:, 0] + xyxy[:, 2]) / 2, xyxy[:, 3]], axis=1),
        np.sqrt(sides[:, 0] * sides[:, 1]),
        table[:, 8:10],
        np.where(table[:, 2] >= _STILL_S, table[:, 2], 0.0),
        table[:, 3],
        table[:, 10],
    )
