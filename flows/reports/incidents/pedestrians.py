"""Recall of pedestrians by city, from what people's labels of random frames measured."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from labeling.measured_quality import measured_events
from streetloop.control.report_views import PedestrianRecall
from streetloop.ledger import Ledger

_NAMES = frozenset({"person", "pedestrian", "people"})
_NO_CITY = "no city"


def read_pedestrians(
    ledger: Ledger, until: datetime, cities: Mapping[str, str | None]
) -> list[PedestrianRecall]:
    """The recall by city and version, of the newest measurement of each camera and version.

    Args:
        ledger: Has the measurements.
        until: Measured until then (UTC).
        cities: City by camera; None for a camera without one.
    """
    found: dict[tuple[str, str], list[int]] = {}
    for event in measured_events(ledger, until):
        city = cities.get(event.camera_id or "") or _NO_CITY
        for name, figures in dict(event.detail.get("classes", {})).items():
            if name in _NAMES:
                counts = found.setdefault((city, event.model_version or ""), [0, 0])
                right, missed = _counts(figures)
                counts[0] += right
                counts[1] += right + missed
    return [
        PedestrianRecall(city=city, version=version, people=people, recall=round(right / people, 4))
        for (city, version), (right, people) in sorted(found.items())
        if people
    ]


def _counts(figures: Mapping[str, Any]) -> tuple[int, int]:
    """Objects that the model found, and those that it missed."""
    return int(figures["kept"]) + int(figures["moved"]), int(figures["added"])
