"""Chart of what labels say of each version."""

from collections.abc import Mapping, Sequence

from flows.service.history.timeline import Timeline
from streetloop.control.history.charts import BandView, ChartName, ChartView
from streetloop.ledger.events import Event
from train.model_registry import Version

_UNKNOWN = "unknown"


def measured_chart(
    line: Timeline, events: Sequence[Event], versions: Sequence[Version], bands: Sequence[BandView]
) -> ChartView:
    """F1 of each version's boxes by labelers' corrections of random frames, all classes together.

    Each value holds until labels change it; it sums up the newest measurement of every camera.

    Args:
        line: The period.
        events: From `labeling.measured_quality`, in any order.
        versions: Of the registry; they name the curves.
        bands: Of the rollouts.
    """
    start, end = int(line.start.timestamp()), int(line.end.timestamp())
    past = sorted((e for e in events if e.started_at <= line.end), key=lambda e: (e.started_at, e.id))
    moments = {int(event.started_at.timestamp()) for event in past}
    times = sorted({start, end, *(moment for moment in moments if start < moment < end)}) if past else []
    labels = {version.record.model_version: f"version {version.number}" for version in reversed(versions)}
    curves: dict[str, list[float | None]] = {}
    for name in dict.fromkeys(event.model_version or _UNKNOWN for event in past):
        mine = [event for event in past if (event.model_version or _UNKNOWN) == name]
        values = [_f1_at(mine, moment) for moment in times]
        if any(value is not None for value in values):
            curves[labels.get(name, name)] = values
    title = "F1 by labels of random frames, by version"
    return line.held(ChartName.MEASURED, title, times, curves, bands)


def _f1_at(events: Sequence[Event], moment: int) -> float | None:
    """From the newest measurement of each camera until then."""
    newest = {event.camera_id: event for event in events if int(event.started_at.timestamp()) <= moment}
    right = wrong = 0
    for event in newest.values():
        for figures in dict(event.detail.get("classes", {})).values():
            right += _sum(figures, "kept", "moved")
            wrong += _sum(figures, "reclassed", "removed", "added")
    return round(2 * right / (2 * right + wrong), 4) if right + wrong else None


def _sum(figures: Mapping[str, int], *names: str) -> int:
    return sum(int(figures[name]) for name in names)
