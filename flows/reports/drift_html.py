"""The drift of the cameras as one HTML page, with plots and pictures."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drift.measurement.features import FEATURES, NAMES
from drift.measurement.period import DriftPeriod
from drift.period_log import read_periods
from drift.reference import WINDOW, Column
from drift.statistics.distance import Floats
from drift.statistics.wasserstein import quantiles_of
from flows.reports.drift_status import DriftStatus
from flows.reports.page import hide_frame, jpeg_data, png_data, render_page
from streetloop.storage.store import ObjectStore

_MAX_PLOTS = 6  # features with the largest effects
_MAX_FINDINGS = 10
_PLOTTED_HOURS = 4
_REFERENCE_COLOUR, _WINDOW_COLOUR, _ALARM_COLOUR = "#7a8794", "#1f6feb", "#b3261e"


def report_page(states: Mapping[str, DriftStatus], store: ObjectStore, zone: tzinfo = UTC) -> str:
    """The report as HTML that needs nothing else.

    Args:
        states: Drift by camera id.
        store: Holds the log of drift periods with its pictures.
        zone: The time zone of its times.

    Raises:
        StoreError: A camera's history cannot be read.
    """
    return render_page(
        "drift",
        made_at=f"{datetime.now(zone):%Y-%m-%d %H:%M %Z}",
        window=WINDOW,
        cameras=[_camera(name, state, store, zone) for name, state in states.items()],
    )


def _camera(name: str, state: DriftStatus, store: ObjectStore, zone: tzinfo) -> dict[str, Any]:
    reference = state.watch.reference
    finding = state.open_finding
    before, since = _pictures(name, state, store, zone)
    return {
        "name": name,
        "word": state.word,
        "style": "bad" if finding else ("wait" if state.missing or state.is_old else "good"),
        "causes": finding.causes if finding else [],
        "source": f"{reference.source}, {reference.periods} minutes" if reference else "nothing",
        "findings": [
            {
                "since": f"{f.since.astimezone(zone):%Y-%m-%d %H:%M}",
                "opened": f"{f.opened_at.astimezone(zone):%H:%M}",
                "closed": f"{f.closed_at.astimezone(zone):%H:%M}" if f.closed_at else "",
                "causes": [str(cause) for cause in f.causes],
                "helps": "labels" if f.asks_for_labels else "a technician",
            }
            for f in state.findings[:_MAX_FINDINGS]
        ],
        "before": before,
        "since": since,
        "plots": _plots(state, zone),
        "features": [_feature(f.name, f.meaning, state) for f in FEATURES if f.name in state.answers],
    }


def _feature(name: str, meaning: str, state: DriftStatus) -> dict[str, Any]:
    answer = state.answers[name]
    return {
        "name": name,
        "meaning": meaning,
        "enough": answer.enough,
        "missing": answer.missing,
        "change": answer.change,
        "effect": answer.effect_size,
        "threshold": answer.threshold,
        "statistic": answer.statistic,
        "p_value": answer.p_value,
        "alarm": answer.alarm,
    }


# Pictures


def _pictures(
    name: str, state: DriftStatus, store: ObjectStore, zone: tzinfo
) -> tuple[dict[str, str] | None, dict[str, str] | None]:
    before, since = (
        None
        if found is None or found.picture is None
        else {"data": jpeg_data(found.picture), "at": f"{found.started_at.astimezone(zone):%Y-%m-%d %H:%M}"}
        for found in pictured_periods(name, state, store)
    )
    return before, since


def pictured_periods(
    name: str, state: DriftStatus, store: ObjectStore
) -> tuple[DriftPeriod | None, DriftPeriod | None]:
    """The last period with a picture before the window or the open drift, and the last of all.

    Args:
        name: Id of the camera.
        state: Its drift.
        store: Holds the log of drift periods with its pictures.

    Raises:
        StoreError: The log cannot be read.
    """
    if state.watch.at is None:
        return None, None
    finding = state.open_finding
    split = finding.since if finding else state.watch.at - timedelta(minutes=2 * WINDOW)
    before: DriftPeriod | None = None
    since: DriftPeriod | None = None
    for period in read_periods(store, name, split - timedelta(hours=24), pictures=True):
        if period.picture is None:
            continue
        if period.started_at < split:
            before = period
        else:
            since = period
    return before, since


# Plots


def _plots(state: DriftStatus, zone: tzinfo) -> str:
    reference = state.watch.reference
    if reference is None:
        return ""
    ranked = sorted(
        (name for name in NAMES if state.answers[name].enough),
        key=lambda n: -state.answers[n].effect_size / state.answers[n].threshold,
    )[:_MAX_PLOTS]
    if not ranked:
        return ""
    recent = state.watch.history.last(_PLOTTED_HOURS * 60)
    figure = Figure(figsize=(10.4, 1.75 * len(ranked)), layout="constrained", dpi=110)
    axes = figure.subplots(len(ranked), 2, squeeze=False, width_ratios=[1, 1.6])
    for (left, right), name in zip(axes, ranked, strict=True):
        column = reference.columns[name]
        assert column is not None
        values = recent.values[:, NAMES.index(name)].astype(np.float64)
        _plot_values(left, name, column, values[-WINDOW:])
        _plot_effect(right, column, values, recent.times, state.answers[name].threshold, zone)
    axes[0][0].set_title("reference (grey) and window (blue)", fontsize=9, loc="left")
    axes[0][1].set_title("effect over time; alarm above the line", fontsize=9, loc="left")
    return png_data(figure)


def _plot_values(axes: Axes, name: str, column: Column, window: Floats) -> None:
    window = window[np.isfinite(window)]
    both = np.concatenate([column.ordered, window])
    bins = np.linspace(both.min(), max(both.max(), both.min() + 1e-6), 31)
    axes.hist(column.ordered, bins.tolist(), density=True, color=_REFERENCE_COLOUR, alpha=0.55)
    axes.hist(window, bins.tolist(), density=True, color=_WINDOW_COLOUR, alpha=0.75)
    axes.set_ylabel(name, fontsize=9)
    axes.set_yticks([])
    _bare(axes)


def _plot_effect(
    axes: Axes, column: Column, values: Floats, times: Floats, threshold: float, zone: tzinfo
) -> None:
    if len(values) > WINDOW:
        windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW)
        distance = np.abs(quantiles_of(windows) - quantiles_of(column.ordered[None])).mean(axis=1)
        moments = [datetime.fromtimestamp(t, zone) for t in times[WINDOW - 1 :].tolist()]
        axes.plot(moments, (distance / column.spread).tolist(), color=_WINDOW_COLOUR, linewidth=1.4)  # type: ignore[arg-type]
    axes.axhline(threshold, color=_ALARM_COLOUR, linewidth=1, linestyle="--")
    axes.set_ylim(bottom=0)
    axes.tick_params(axis="x", labelsize=8)
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.tick_params(labelsize=8)
    hide_frame(axes)
