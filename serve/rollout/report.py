"""What is known of a rollout, both models side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serve.rollout.policy import Phase, Policy
from serve.rollout.statistics.evidence import EVERYTHING
from streetloop.errors import RolloutError
from streetloop.ledger import Ledger
from streetloop.ledger.rollouts import Rollout, list_decisions, list_rollouts

_MOST = 10_000
_NOTHING = "-"
_CLASS = "class:"


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of both models, in words.

    Attributes:
        name: What is measured.
        champion: Of the champion.
        challenger: Of the challenger.
        between: How they differ; empty where only the eye compares.
        interval: Where the difference is, at every look at once; empty where none is defined.
    """

    name: str
    champion: str
    challenger: str
    between: str = ""
    interval: str = ""


def find_rollout(ledger: Ledger, number: int | None) -> Rollout:
    """One by its number, or the newest.

    Raises:
        RolloutError: There is none.
    """
    found = list_rollouts(ledger, 1 if number is None else _MOST)
    for rollout in found:
        if number in {None, rollout.id}:
            return rollout
    raise RolloutError(
        "no rollout yet: `streetloop rollout start VERSION` begins one"
        if number is None
        else f"there is no rollout {number}"
    )


def report_of(ledger: Ledger, rollout: Rollout) -> dict[str, Any]:
    """A rollout with its decisions, as plain values."""
    return {
        "rollout": rollout.id,
        "state": str(rollout.state),
        "phase": Phase(**rollout.phase).title(Policy(**rollout.policy)),
        "model": rollout.model,
        "champion": rollout.champion,
        "city": rollout.city,
        "author": rollout.author,
        "started_at": rollout.started_at.isoformat(),
        "updated_at": rollout.updated_at.isoformat(),
        "ended_at": rollout.ended_at and rollout.ended_at.isoformat(),
        "policy": dict(rollout.policy),
        "evidence": dict(rollout.reading),
        "decisions": [
            {
                "at": entry.at.isoformat(),
                "action": entry.action,
                "author": entry.author,
                "reason": entry.reason,
                "evidence": dict(entry.reading),
            }
            for entry in list_decisions(ledger, rollout.id)
        ],
    }


def tables_of(evidence: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Every measure by group of cameras; empty before anything is known."""
    groups = [*evidence.get("arms", {}), *evidence.get("scores", {}), *evidence.get("gains", {})]
    tables = {}
    for group in sorted(set(groups), key=lambda name: (name != EVERYTHING, name)):
        if group.startswith(_CLASS):
            continue
        rows = [*_served(evidence.get("arms", {}).get(group))]
        if group == EVERYTHING:
            rows += _asked(evidence)
        rows += _right(evidence, group)
        if rows:
            tables[group] = rows
    return tables


def classes_of(evidence: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """What is right by class, in words: precision and recall of either model, F1, its interval."""
    scores, gains = evidence.get("scores", {}), evidence.get("gains", {})
    found = {}
    for group in sorted({*scores, *gains}):
        if not group.startswith(_CLASS):
            continue
        words = {
            f"{model} {share}": _percent(scores[group][model][share]) if group in scores else ""
            for share in ("precision", "recall")
            for model in ("champion", "challenger")
        }
        gain = gains.get(group)
        interval = "" if gain is None else between(gain, "+.3f")
        words["F1"] = signed(gain["mean"] if gain and interval else None)
        found[group.removeprefix(_CLASS)] = {**words, "interval": interval}
    return found


def _served(arms: Mapping[str, Any] | None) -> list[Row]:
    if arms is None:
        return []
    ours, theirs = arms["champion"], arms["challenger"]

    def row(name: str, key: str, digits: int = 0) -> Row:
        return Row(name, number(ours[key], digits), number(theirs[key], digits))

    return [
        row("cameras", "cameras"),
        row("frames served", "frames"),
        row("detections a frame", "detections_a_frame", 2),
        Row("boxes that both have", "", "", _percent(arms["agreement"])),
        Row("confidence of those", "", "", signed(arms["confidence_shift"])),
        row("minutes of tracks", "track_minutes", 1),
        Row(
            "broken tracks in 1,000 s",
            number(ours["broken_a_1000_s"], 1),
            number(theirs["broken_a_1000_s"], 1),
            *_times(arms["broken_ratio"]),
        ),
        row("flickers a second of a track", "flickers_a_s", 3),
    ]


def _asked(evidence: Mapping[str, Any]) -> list[Row]:
    ours, theirs = evidence.get("champion_calls"), evidence.get("calls")
    if ours is None or theirs is None:
        return []
    names = {
        "asked": "calls",
        "failed": "failed",
        "late": "... of them not in time",
        "invalid": "answers that cannot be right",
    }
    rows = [Row(name, number(ours[key]), number(theirs[key])) for key, name in names.items()]
    ratio = evidence["latency_ratio"]
    times = _times(ratio if ratio["high"] is not None else None)
    return [*rows, Row("computing time a frame", "", "", *times)]


def _right(evidence: Mapping[str, Any], group: str) -> list[Row]:
    rows = []
    scores = evidence.get("scores", {}).get(group)
    if scores is not None:
        ours, theirs = scores["champion"], scores["challenger"]
        for name in ("precision", "recall"):
            rows.append(Row(name, _percent(ours[name]), _percent(theirs[name])))
        rows.append(Row("things looked for", number(ours["things"]), number(theirs["things"])))
    gain = evidence.get("gains", {}).get(group)
    if gain is not None:
        interval = between(gain, "+.3f")
        mean = signed(gain["mean"] if interval else None)
        rows.append(Row(f"F1, {gain['blocks']} blocks", "", "", mean, interval))
    return rows


def between(interval: Mapping[str, float | None], form: str) -> str:
    """An interval in words; empty if nothing is known.

    >>> between({"low": -0.1, "high": 0.25}, "+.3f")
    '-0.100 to +0.250'
    """
    low, high = interval["low"], interval["high"]
    if low is None and high is None:
        return ""
    ends = ("?" if end is None else format(end, form) for end in (low, high))
    return " to ".join(ends)


def number(value: float | None, digits: int = 0) -> str:
    """A number in words.

    >>> number(12345), number(1.25, 1), number(None)
    ('12,345', '1.2', '-')
    """
    return _NOTHING if value is None else f"{value:,.{digits}f}"


def signed(value: float | None) -> str:
    """A difference in words.

    >>> signed(0.05)
    '+0.050'
    """
    return _NOTHING if value is None else f"{value:+.3f}"


def _percent(share: float | None) -> str:
    return _NOTHING if share is None else f"{100 * share:.1f} %"


def _times(ratio: Mapping[str, Any] | None) -> tuple[str, str]:
    if ratio is None:
        return "", ""
    return f"x{ratio['mean']:.2f}", between(ratio, ".2f")
