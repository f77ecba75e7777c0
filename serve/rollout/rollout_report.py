"""Tables of a rollout: every measure of both models side by side, in words."""

from dataclasses import dataclass

from serve.rollout.rollout_summary import (
    GainSummary,
    IntervalSummary,
    RolloutSummary,
    ScoresByModel,
    ServedByModel,
)
from serve.rollout.statistics.evidence import EVERYTHING

_NOT_MEASURED = "-"
_CLASS = "class:"


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of both models, in words.

    Attributes:
        name: What is measured.
        champion: The champion's value.
        challenger: The challenger's value.
        difference: The difference or the ratio of both; empty where none is estimated.
        interval: The confidence sequence of the difference; empty where none is defined.
    """

    name: str
    champion: str = ""
    challenger: str = ""
    difference: str = ""
    interval: str = ""


def tables_of(summary: RolloutSummary) -> dict[str, list[Row]]:
    """Every measure by group of cameras; empty before anything is measured."""
    groups = {*summary.served, *summary.scores, *summary.gains}
    tables = {}
    for group in sorted(groups, key=lambda name: (name != EVERYTHING, name)):
        if group.startswith(_CLASS):
            continue
        rows = _served(summary.served.get(group))
        if group == EVERYTHING:
            rows += _calls(summary)
        rows += _accuracy(summary.scores.get(group), summary.gains.get(group))
        if rows:
            tables[group] = rows
    return tables


def classes_of(summary: RolloutSummary) -> dict[str, dict[str, str]]:
    """Accuracy by class, in words: precision and recall of both models, and the gain in F1."""
    found = {}
    for group in sorted({*summary.scores, *summary.gains}):
        if not group.startswith(_CLASS):
            continue
        scores, gain = summary.scores.get(group), summary.gains.get(group)
        words = {
            f"{model} {share}": "" if scores is None else percent(getattr(getattr(scores, model), share))
            for share in ("precision", "recall")
            for model in ("champion", "challenger")
        }
        words["F1"] = gain_in_words(gain)
        words["interval"] = "" if gain is None else interval_in_words(gain, "+.3f")
        found[group.removeprefix(_CLASS)] = words
    return found


def _served(served: ServedByModel | None) -> list[Row]:
    if served is None:
        return []

    def row(name: str, key: str, digits: int = 0, *difference: str) -> Row:
        values = (number(getattr(model, key), digits) for model in (served.champion, served.challenger))
        return Row(name, *values, *difference)

    return [
        row("cameras", "cameras"),
        row("frames served", "frames"),
        row("detections a frame", "detections_a_frame", 2),
        Row("boxes that both have", difference=percent(served.agreement)),
        Row("confidence of those", difference=signed(served.confidence_shift)),
        row("minutes of tracks", "track_minutes", 1),
        row("broken tracks in 1,000 s", "broken_a_1000_s", 1, *_ratio(served.broken_ratio)),
        row("flickers a second of a track", "flickers_a_s", 3),
    ]


def _calls(summary: RolloutSummary) -> list[Row]:
    ours, theirs = summary.champion_calls, summary.calls
    if ours is None or theirs is None:
        return []
    ratio = summary.latency_ratio
    return [
        Row("calls", number(ours.asked), number(theirs.asked)),
        Row("failed", number(ours.failed), number(theirs.failed)),
        Row("... of them not in time", number(ours.late), number(theirs.late)),
        Row("answers that cannot be right", number(ours.invalid), number(theirs.invalid)),
        Row("computing time a frame", "", "", *_ratio(ratio if ratio and ratio.high is not None else None)),
    ]


def _accuracy(scores: ScoresByModel | None, gain: GainSummary | None) -> list[Row]:
    rows = []
    if scores is not None:
        ours, theirs = scores.champion, scores.challenger
        rows += [
            Row("precision", percent(ours.precision), percent(theirs.precision)),
            Row("recall", percent(ours.recall), percent(theirs.recall)),
            Row("ground-truth objects", number(ours.ground_truths), number(theirs.ground_truths)),
        ]
    if gain is not None:
        name = f"F1, {gain.blocks} blocks"
        rows.append(Row(name, "", "", gain_in_words(gain), interval_in_words(gain, "+.3f")))
    return rows


def interval_in_words(interval: IntervalSummary, form: str) -> str:
    """Both ends of an interval; empty while it is unbounded.

    >>> interval_in_words(IntervalSummary(mean=0.1, low=-0.1, high=0.25), "+.3f")
    '-0.100 to +0.250'

    Args:
        interval: The interval.
        form: Format of both ends.
    """
    if not interval.is_bounded:
        return ""
    return " to ".join("?" if end is None else format(end, form) for end in (interval.low, interval.high))


def gain_in_words(gain: GainSummary | None) -> str:
    """The gain in F1, once there is an interval."""
    return signed(gain.mean if gain is not None and gain.is_bounded else None)


def number(value: float | None, digits: int = 0) -> str:
    """A number in words.

    >>> number(12345), number(1.25, 1), number(None)
    ('12,345', '1.2', '-')

    Args:
        value: None for one that was not measured.
        digits: Digits after the point.
    """
    return _NOT_MEASURED if value is None else f"{value:,.{digits}f}"


def signed(value: float | None) -> str:
    """A difference in words.

    >>> signed(0.05)
    '+0.050'
    """
    return _NOT_MEASURED if value is None else f"{value:+.3f}"


def percent(share: float | None) -> str:
    """A share in words.

    >>> percent(0.8512)
    '85.1 %'

    Args:
        share: 0 to 1; None for one that was not measured.
    """
    return _NOT_MEASURED if share is None else f"{100 * share:.1f} %"


def _ratio(ratio: IntervalSummary | None) -> tuple[str, str]:
    if ratio is None:
        return "", ""
    return f"x{ratio.mean:.2f}", interval_in_words(ratio, ".2f")
