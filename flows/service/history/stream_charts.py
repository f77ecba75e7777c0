"""Charts of streams: frames, lag, what was not detected, objects, crossings."""

from collections import Counter, defaultdict
from collections.abc import Callable

from flows.service.history.timeline import Timeline
from streetloop.control.history.charts import ChartName, ChartView
from streetloop.ledger import Ledger
from streetloop.ledger.history.camera_minutes import CameraMinute, read_camera_minutes, sum_camera_minutes
from streetloop.ledger.line_counts import read_line_counts

_Curves = dict[str, dict[int, float | None]]

_DROPPED = {
    "stale": "stale: waited too long",
    "superseded": "superseded by newer frames",
    "stopped": "stopped",
    "detector": "failed: detector",
    "worker": "failed: worker",
}
"""Reasons that are a loss; what the gate and the rate limit leave out on purpose is none."""


def fps_chart(ledger: Ledger, line: Timeline, camera_id: str | None) -> ChartView:
    """Frames a second: decoded and detected of one camera, detected of all."""
    found = sum_camera_minutes(ledger, line.start, line.end, line.minutes, camera_id)
    if camera_id is None:
        rates = _by_camera(found, lambda one: _rate(one.detected, one))
        return line.chart(ChartName.FPS, "Frames detected", "frames/s", rates)
    curves: _Curves = {
        "decoded": {first: _rate(one.decoded, one) for (_, first), one in found.items()},
        "detected": {first: _rate(one.detected, one) for (_, first), one in found.items()},
    }
    return line.chart(ChartName.FPS, "Frames", "frames/s", curves)


def lag_chart(ledger: Ledger, line: Timeline, camera_id: str | None) -> ChartView:
    """Time from frame to result, 95th percentile."""
    found = sum_camera_minutes(ledger, line.start, line.end, line.minutes, camera_id)
    curves = _by_camera(found, lambda one: one.lag_ms / 1000 if one.detected else None)
    if camera_id is not None:
        curves = {"95 % are faster": curves.get(camera_id, {})}
    return line.chart(ChartName.LAG, "Lag from frame to result", "s", curves)


def drops_chart(ledger: Ledger, line: Timeline, camera_id: str | None) -> ChartView:
    """Frames that were lost: by reason of one camera, by camera of all."""
    if camera_id is None:
        found = sum_camera_minutes(ledger, line.start, line.end, line.minutes)
        rest = read_lost(ledger, line, sorted({camera for camera, _ in found}))
        return line.chart(ChartName.DROPS, "Frames lost", "frames", rest, "bars")
    sums = _summed(ledger, line, camera_id)
    curves: _Curves = {
        said: {first: one.reasons.get(reason, 0) for first, one in sums.items()}
        for reason, said in _DROPPED.items()
        if any(one.reasons.get(reason) for one in sums.values())
    }
    curves = curves or {"none lost": dict.fromkeys(sums, 0)}
    return line.chart(ChartName.DROPS, "Frames lost, by reason", "frames", curves, "bars")


def read_lost(ledger: Ledger, line: Timeline, cameras: list[str]) -> _Curves:
    """Lost frames of cameras by step."""
    curves: _Curves = {}
    for camera in cameras:
        sums = _summed(ledger, line, camera)
        curves[camera] = {
            first: sum(one.reasons.get(reason, 0) for reason in _DROPPED) for first, one in sums.items()
        }
    return curves


def objects_chart(ledger: Ledger, line: Timeline, camera_id: str | None) -> ChartView:
    """Confirmed tracks: by class of one camera, by camera of all."""
    if camera_id is None:
        found = sum_camera_minutes(ledger, line.start, line.end, line.minutes)
        return line.chart(
            ChartName.OBJECTS, "Objects", "objects", _by_camera(found, lambda one: one.objects), "bars"
        )
    sums = _summed(ledger, line, camera_id)
    names = sorted({name for one in sums.values() for name in one.classes}) or ["none"]
    curves: _Curves = {
        name: {first: one.classes.get(name, 0) for first, one in sums.items()} for name in names
    }
    return line.chart(ChartName.OBJECTS, "Objects, by class", "objects", curves, "bars")


def crossings_chart(ledger: Ledger, line: Timeline, cameras: list[str]) -> ChartView:
    """Crossings of all lines by class; a step in which nobody looked is a gap."""
    counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
    covered: set[int] = set()
    step = min(line.minutes, 60)
    for camera in cameras:
        found = read_line_counts(ledger, camera, line.start, line.end, step)
        covered |= {line.step_of(60 * key.minute) for key in found.covered_ms}
        for key, count in found.crossings.items():
            counts[key.class_name or "unknown"][line.step_of(60 * key.minute)] += count
    names = sorted(counts) or ["none"]
    curves: _Curves = {
        name: {first: counts[name][first] for first in covered | set(counts[name])} for name in names
    }
    return line.chart(ChartName.CROSSINGS, "Line crossings, by class", "crossings", curves, "bars")


def _summed(ledger: Ledger, line: Timeline, camera_id: str) -> dict[int, CameraMinute]:
    sums: dict[int, CameraMinute] = {}
    for minute, one in read_camera_minutes(ledger, camera_id, line.start, line.end).items():
        first = minute - minute % line.minutes
        sums[first] = sums[first] + one if first in sums else one
    return sums


def _by_camera(
    found: dict[tuple[str, int], CameraMinute], value: Callable[[CameraMinute], float | None]
) -> _Curves:
    curves: _Curves = {}
    for (camera, first), one in sorted(found.items()):
        curves.setdefault(camera, {})[first] = value(one)
    return curves


def _rate(frames: int, one: CameraMinute) -> float | None:
    return 1000 * frames / one.watched_ms if one.watched_ms else None
