"""A replay beside what was served, as one HTML page."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from flows.reports.page import render_page
from streetloop.control.archive_views import ReplayView, VersionSeenView


def replay_page(
    view: ReplayView, camera_id: str, model: str, period: tuple[str, str], zone: tzinfo = UTC
) -> str:
    """The comparison as HTML that needs nothing else.

    Args:
        view: The comparison.
        camera_id: The camera.
        model: The version, as it was asked for.
        period: Begin and end, as they were asked for.
        zone: The time zone of its time.
    """
    return render_page(
        "replay",
        made_at=f"{datetime.now(zone):%Y-%m-%d %H:%M %Z}",
        camera=camera_id,
        model=model,
        begin=period[0],
        end=period[1],
        view=view,
        share=f"{view.differing / view.frames:.2%}",
        rows=_rows(view.versions),
    )


def _rows(versions: Mapping[str, VersionSeenView]) -> list[tuple[str, list[int]]]:
    """What was counted, and the count of each version, in their order.

    >>> one = VersionSeenView(detections=5, tracks=2, lines={"mid": {"in": 1, "out": 0}})
    >>> other = VersionSeenView(detections=6, tracks=2, events={"queue": 1})
    >>> for row in _rows({"1": one, "2": other}):
    ...     print(row)
    ('boxes', [5, 6])
    ('tracks', [2, 2])
    ('line mid, in', [1, 0])
    ('line mid, out', [0, 0])
    ('event: queue', [0, 1])
    """
    seen = list(versions.values())
    lines = sorted({(line, way) for one in seen for line, ways in one.lines.items() for way in ways})
    kinds = sorted({kind for one in seen for kind in one.events})
    rows = [("boxes", [one.detections for one in seen]), ("tracks", [one.tracks for one in seen])]
    for line, way in lines:
        rows.append((f"line {line}, {way}", [one.lines.get(line, {}).get(way, 0) for one in seen]))
    for kind in kinds:
        rows.append((f"event: {kind.replace('_', ' ')}", [one.events.get(kind, 0) for one in seen]))
    return rows
