"""``streetloop rollout report --html``: both models side by side, as one page without links."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from flows.reports.page import render_page
from serve.rollout.policy import Policy
from serve.rollout.rollout_report import (
    classes_of,
    gain_in_words,
    interval_in_words,
    number,
    signed,
    tables_of,
)
from serve.rollout.rollout_summary import GainSummary, RolloutSummary
from serve.rollout.statistics.evidence import EVERYTHING
from streetloop.control.views import DecisionView, RolloutView

_STYLES = {"promoted": "good", "rolled back": "bad"}
_MIN_AXIS_REACH = 0.05  # of the axis of gains, in F1


def rollout_page(rollout: RolloutView, zone: tzinfo = UTC) -> str:
    """The report as HTML that needs nothing else.

    Args:
        rollout: The rollout with its decisions.
        zone: The time zone of its times.
    """
    summary = RolloutSummary.from_json(rollout.evidence)
    return render_page(
        "rollout",
        rollout=rollout,
        phase=rollout.phase,
        zone=str(zone),
        made_at=_minute(datetime.now(UTC), zone),
        style=_STYLES.get(rollout.state, "wait"),
        began=_minute(rollout.started_at, zone),
        ended=rollout.ended_at and _minute(rollout.ended_at, zone),
        verdict=summary.verdict,
        waits_for=() if rollout.ended_at else summary.waits_for,
        tables=tables_of(summary),
        classes=classes_of(summary),
        forest=_forest_plot(summary.gains, Policy(**rollout.policy).margin),
        decisions=[_decision(decision, zone) for decision in rollout.decisions],
    )


@dataclass(frozen=True, slots=True)
class _ForestRow:
    """One group of a forest plot; places are in per cent of the axis' width."""

    group: str
    low: float
    high: float
    mean: float | None
    gain: str
    interval: str
    blocks: int
    style: str


@dataclass(frozen=True, slots=True)
class _ForestPlot:
    zero: float
    margin: float
    ends: tuple[str, str]
    rows: list[_ForestRow]


def _forest_plot(gains: Mapping[str, GainSummary], margin: float) -> _ForestPlot | None:
    if not gains:
        return None
    ends = [end for gain in gains.values() for end in (gain.low, gain.high, gain.mean) if end is not None]
    reach = max(_MIN_AXIS_REACH, 2 * margin, *map(abs, ends)) * 1.1

    def place(value: float) -> float:
        return round(50 + 50 * value / reach, 2)

    rows = [
        _ForestRow(
            group,
            0.0 if gain.low is None else place(gain.low),
            100.0 if gain.high is None else place(gain.high),
            place(gain.mean) if gain.is_bounded else None,
            gain_in_words(gain),
            interval_in_words(gain, "+.3f") or "not known yet",
            gain.blocks,
            _style(gain),
        )
        for group, gain in gains.items()
    ]
    return _ForestPlot(place(0.0), place(-margin), (signed(-reach), signed(reach)), rows)


def _style(gain: GainSummary) -> str:
    """Whether the gain is certainly above or below zero."""
    if gain.low is not None and gain.low > 0:
        return "good"
    return "bad" if gain.high is not None and gain.high < 0 else "open"


def _decision(decision: DecisionView, zone: tzinfo) -> dict[str, str]:
    summary = RolloutSummary.from_json(decision.evidence)
    gain = summary.gains.get(EVERYTHING)
    return {
        "at": f"{decision.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        "action": decision.action,
        "author": decision.author,
        "reason": decision.reason,
        "frames": "" if summary.frames is None else number(summary.frames),
        "gain": "" if gain is None else f"{signed(gain.mean)} ({interval_in_words(gain, '+.3f') or '?'})",
    }


def _minute(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
