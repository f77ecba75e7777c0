"""Objects and line crossings of tracks: what they are, and what they should be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from flows.reports.tracks.mot_files import MotTracks
from flows.stream.analysis.camera_lines import CameraLines
from flows.stream.analysis.line_totals import DIRECTIONS
from streetloop.cameras.counting_line import CountingLine
from streetloop.counted_classes import ClassGroups

LineCounts: TypeAlias = Mapping[str, Mapping[str, int]]
"""Crossings by line and direction."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """The pictures that tracks belong to.

    Attributes:
        width: In pixels.
        height: In pixels.
        fps: Pictures a second.
    """

    width: int
    height: int
    fps: float


@dataclass(frozen=True, slots=True)
class Counts:
    """Objects and line crossings of one camera.

    Attributes:
        objects: Number of different objects.
        lines: Crossings by line and direction.
    """

    objects: int
    lines: LineCounts = field(default_factory=dict)


def count_tracks(
    tracks: MotTracks,
    lines: Mapping[str, CountingLine],
    geometry: Geometry,
    class_of: Mapping[int, str] | None = None,
    groups: ClassGroups | None = None,
) -> Counts:
    """Count tracks as a running camera counts them, by the ground points of their boxes.

    Lines with a length count what drives along them.

    Args:
        tracks: True or found ones; every box belongs to a track.
        lines: Counting lines by name, in fractions of the picture; those with classes of their own
            count these.
        geometry: Of the pictures.
        class_of: Class names by track id; a track without one is counted everywhere.
        groups: The classes that are counted; None counts all.
    """
    class_of = class_of or {}
    counters = CameraLines(lines)
    size, last = (geometry.width, geometry.height), 0.0
    wanted = {name: groups if line.classes is None else line.classes for name, line in lines.items()}

    def class_on(track_id: int, line: str) -> str | None:
        return "" if includes(wanted[line], class_of.get(track_id)) else None

    for frame, track_id, left, top, width, height, *_ in tracks.table.tolist():
        pts = (frame - 1) / geometry.fps
        xyxy = np.array([left, top, left + width, top + height], np.float32)
        if pts > last:
            counters.begin(pts)
        counters.update(int(track_id), xyxy, size, pts, partial(class_on, int(track_id)))
        last = pts
    objects = sum(includes(groups, class_of.get(track)) for track in np.unique(tracks.track_id).tolist())
    return Counts(objects, {name: totals.directions() for name, totals in counters.totals().items()})


def includes(groups: ClassGroups | None, class_name: str | None) -> bool:
    """Whether a class is counted; one that nobody knows is."""
    if groups is None or class_name is None:
        return True
    return any(class_name in members for members in groups.values())


def compare_counts(true: Counts, found: Counts) -> dict[str, Any]:
    """Both counts side by side, ready for `json.dumps`."""
    return {
        "objects": {"true": true.objects, "found": found.objects},
        "lines": {
            name: {d: {"true": line[d], "found": found.lines[name][d]} for d in DIRECTIONS}
            for name, line in true.lines.items()
        },
    }
