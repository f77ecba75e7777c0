"""Charts of quality: drift, confidence, labels, the champion's accuracy."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from drift.measurement.features import NAMES
from drift.reference import WINDOW
from drift.statistics.distance import Floats
from drift.statistics.wasserstein import quantiles_of
from flows.reports.drift_status import DriftStatus
from flows.service.history.timeline import Timeline
from streetloop.control.history.charts import BandView, ChartName, ChartView
from streetloop.ledger.rollouts import Rollout
from train.model_registry import Version
from train.version_record import slice_scores

_MAX_FEATURES = 6
_CONFIDENCE = "confidence"


def drift_chart(line: Timeline, states: Mapping[str, DriftStatus], camera_id: str | None) -> ChartView:
    """Effect of drift features in thresholds, with findings as bands.

    Args:
        line: The period.
        states: Drift by camera.
        camera_id: The features of this camera; None for the nearest feature of each.
    """
    curves: dict[str, dict[int, float | None]] = {}
    for name, state in states.items():
        found = {feature: _effects(state, feature) for feature in _ranked(state)}
        if camera_id is None:
            merged = [pair for pairs in found.values() for pair in pairs]
            curves[name] = _highest(line, merged)
        else:
            curves |= {feature.replace("_", " "): line.means(pairs) for feature, pairs in found.items()}
    title = "Drift: nearest feature" if camera_id is None else "Drift, by feature"
    chart = line.chart(ChartName.DRIFT, title, "thresholds", curves)
    bands = [
        BandView(
            start=max(finding.since, line.start),
            end=min(finding.closed_at or line.end, line.end),
            text=f"{'' if camera_id else f'{name}: '}{finding.causes[0].name if finding.causes else 'drift'}",
            is_bad=True,
        )
        for name, state in states.items()
        for finding in state.findings
        if finding.since < line.end and (finding.closed_at or line.end) > line.start
    ]
    return chart.model_copy(update={"threshold": 1.0, "bands": bands})


def confidence_chart(line: Timeline, states: Mapping[str, DriftStatus]) -> ChartView:
    """Mean confidence of the detections, a curve a camera."""
    column = NAMES.index(_CONFIDENCE)
    curves = {}
    for name, state in states.items():
        past = state.watch.history.last(len(state.watch.history))
        values = past.values[:, column]
        known = np.isfinite(values)
        curves[name] = line.means(zip(past.times[known].tolist(), values[known].tolist(), strict=True))
    return line.chart(ChartName.CONFIDENCE, "Mean confidence of detections", "0 to 1", curves)


def labels_chart(line: Timeline, answers: Sequence[tuple[datetime, str]]) -> ChartView:
    """Answers by who gave them.

    Args:
        line: The period.
        answers: When, and by whom.
    """
    counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for at, labeler in answers:
        counts[labeler][line.step_of(at.timestamp())] += 1
    firsts = line.firsts
    curves: dict[str, dict[int, float | None]] = {
        name: {first: count[first] for first in firsts} for name, count in sorted(counts.items())
    }
    return line.chart(ChartName.LABELS, "Labels, by who gave them", "frames", curves, "bars")


def accuracy_chart(line: Timeline, versions: Sequence[Version], rollouts: Sequence[Rollout]) -> ChartView:
    """The champion's mAP50 by slice, on the frames that judged it, with rollouts as bands.

    Args:
        line: The period.
        versions: Of the registry, in any order.
        rollouts: All of them, in any order.
    """
    by_number = {str(version.number): version for version in versions}
    changes = _champions(versions, rollouts)
    start, end = line.start.timestamp(), line.end.timestamp()
    inside = [int(at) for at, _ in changes if start < at < end]
    times = sorted({int(start), *inside, int(end)}) if changes else []
    named: dict[str, list[float | None]] = {}
    for name in sorted({name for v in versions for name in slice_scores(v.record.scores)}):
        named[name] = [_score(by_number, changes, at, name) for at in times]
    title, bands = "mAP50 of the champion, by slice", rollout_bands(line, rollouts)
    return line.held(ChartName.ACCURACY, title, times, named, bands)


def rollout_bands(line: Timeline, rollouts: Sequence[Rollout]) -> list[BandView]:
    """Rollouts as bands of a chart.

    Args:
        line: The period.
        rollouts: All of them, in any order.
    """
    ended = [(rollout, rollout.ended_at or line.end) for rollout in rollouts]
    return [
        BandView(
            start=max(rollout.started_at, line.start),
            end=min(over, line.end),
            text=f"rollout {rollout.id}: version {rollout.model}, {rollout.state}",
            is_bad=str(rollout.state) == "rolled back",
        )
        for rollout, over in ended
        if rollout.started_at < line.end and over > line.start
    ]


def _champions(versions: Sequence[Version], rollouts: Sequence[Rollout]) -> list[tuple[float, str]]:
    """Who served from when on: the first champion, then each version that was promoted."""
    promoted = sorted(
        (r.ended_at.timestamp(), r.model) for r in rollouts if str(r.state) == "promoted" and r.ended_at
    )
    oldest = min(versions, key=lambda version: version.number, default=None)
    if oldest is None:
        return []
    if promoted:
        first = next(r.champion for r in rollouts if r.model == promoted[0][1])
    else:
        first = str(next((v for v in versions if "champion" in v.aliases), oldest).number)
    return [(oldest.made_at.timestamp(), first), *promoted]


def _score(
    by_number: Mapping[str, Version], changes: Sequence[tuple[float, str]], at: float, name: str
) -> float | None:
    served = [number for moment, number in changes if moment <= at]
    version = by_number.get(served[-1]) if served else None
    value = None if version is None else slice_scores(version.record.scores).get(name)
    return None if value is None or not np.isfinite(value) else round(float(value), 4)


def _ranked(state: DriftStatus) -> list[str]:
    """Features with a reference, the nearest to its threshold first."""
    if state.watch.reference is None:
        return []
    known = [n for n in NAMES if n in state.answers and state.answers[n].enough]
    share = {n: state.answers[n].effect_size / (state.answers[n].threshold or np.inf) for n in known}
    return sorted(known, key=lambda n: -share[n])[:_MAX_FEATURES]


def _effects(state: DriftStatus, name: str) -> list[tuple[float, float]]:
    """When windows of a feature ended, and their effect in thresholds."""
    reference = state.watch.reference
    column = None if reference is None else reference.columns[name]
    threshold = state.answers[name].threshold
    past = state.watch.history.last(len(state.watch.history))
    values = past.values[:, NAMES.index(name)].astype(np.float64)
    if column is None or len(values) < WINDOW or not threshold:
        return []
    effects = _distances(values, column.ordered) / column.spread / threshold
    known = np.isfinite(effects)
    return list(zip(past.times[WINDOW - 1 :][known].tolist(), effects[known].tolist(), strict=True))


def _distances(values: Floats, ordered: Floats) -> Floats:
    windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW)
    return np.asarray(np.abs(quantiles_of(windows) - quantiles_of(ordered[None])).mean(axis=1))


def _highest(line: Timeline, pairs: Sequence[tuple[float, float]]) -> dict[int, float | None]:
    found: dict[int, float | None] = {}
    for second, value in pairs:
        step = line.step_of(second)
        found[step] = max(found.get(step) or 0.0, value)
    return found
