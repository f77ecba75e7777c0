"""The zones of a camera, asked for many objects at once."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flows.stream.anomalies.scene import Mask
from flows.stream.tracking.box_motion import Array
from streetloop.cameras.zones import Zone, ZoneKind
from streetloop.geometry import Areas
from streetloop.types import Ints


class Places(NamedTuple):
    """Where N objects are, see `Scene`."""

    ignored: Mask
    carriageway: Ints
    stop_line: Ints
    parking: Mask
    crosswalk: Mask


class ZoneMap:
    """Finds the zones of places.

    Args:
        zones: By name.

    Attributes:
        names: Of the zones, by number.
        has_carriageway: True if a carriageway is drawn.
    """

    def __init__(self, zones: Mapping[str, Zone]) -> None:
        self.names = tuple(zones)
        self._zones = tuple(zones.values())
        kinds = np.array([zone.kind.value for zone in self._zones], object)
        self._of_kind = {kind: np.flatnonzero(kinds == kind.value) for kind in ZoneKind}
        self._areas = Areas([zone.polygon for zone in self._zones])
        self.has_carriageway = bool(len(self._of_kind[ZoneKind.CARRIAGEWAY]))

    def places(self, fractions: Array) -> Places:
        """The zones of (N, 2) places in fractions of the picture; of several, the first."""
        inside = self._areas.holding(fractions)
        return Places(
            self._any(inside, ZoneKind.IGNORE),
            self._first(inside, ZoneKind.CARRIAGEWAY),
            self._first(inside, ZoneKind.STOP_LINE),
            self._any(inside, ZoneKind.PARKING),
            self._any(inside, ZoneKind.CROSSWALK),
        )

    def directions(self, width: int, height: int) -> Array:
        """(Z, 2) unit vectors in pixels, NaN where none is drawn; (0, 2) without a carriageway."""
        if not self.has_carriageway:
            return np.zeros((0, 2))
        found = np.full((len(self._zones), 2), np.nan)
        for number, zone in enumerate(self._zones):
            if zone.direction is not None:
                start, end = np.array(zone.direction) * (width, height)
                found[number] = (end - start) / max(float(np.hypot(*(end - start))), 1e-9)
        return found

    def _any(self, inside: Mask, kind: ZoneKind) -> Mask:
        numbers = self._of_kind[kind]
        return np.asarray(inside[:, numbers].any(axis=1)) if len(numbers) else np.zeros(len(inside), np.bool_)

    def _first(self, inside: Mask, kind: ZoneKind) -> Ints:
        numbers: NDArray[np.intp] = self._of_kind[kind]
        if not len(numbers):
            return np.full(len(inside), -1, np.int64)
        found = inside[:, numbers]
        return np.where(found.any(axis=1), numbers[found.argmax(axis=1)], -1).astype(np.int64)
