"""Two versions of the registry compared by recorded scores, without running a model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from streetloop.control.versions.comparison import Mark, ScoreRowView, VersionComparisonView
from streetloop.json_values import finite_or_none
from streetloop.ledger.evaluations import EvaluationRun
from train.evaluation.judge import ALL, JudgePolicy
from train.model_registry import Version
from train.version_record import slice_scores

_DIGITS = 4
_MARGIN = JudgePolicy().margin


@dataclass(frozen=True, slots=True)
class _Scores:
    """mAP50 by slice and by class."""

    slices: Mapping[str, float]
    classes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Pair:
    first: _Scores
    second: _Scores
    basis: str
    same_frames: bool = True


def compare_versions(
    first: Version, second: Version, evaluations: Sequence[EvaluationRun]
) -> VersionComparisonView:
    """Compare two versions by slice and by class.

    Scores of the same frames are taken where there are any: of the judge, which compared a version
    with the champion of its day, or of evaluations on one dataset.

    Args:
        first: One version.
        second: The version that the differences speak of.
        evaluations: Those that are done, the newest first, with their reports.
    """
    judged = _judged(first, second)
    pair = judged if judged is not None and judged.second.classes else None
    pair = pair or _evaluated(first, second, evaluations) or judged or _apart(first, second)
    return VersionComparisonView(
        first=first.number,
        second=second.number,
        same_frames=pair.same_frames,
        basis=pair.basis,
        margin=_MARGIN,
        rows=list(_rows(pair)),
    )


def _judged(first: Version, second: Version) -> _Pair | None:
    """Scores that the judge measured of both on the same frames."""
    own, champion = _own(second), _champion(second)
    if second.record.parent == first.number and champion.slices:
        return _Pair(champion, own, _frames_of(second, first))
    own, champion = _own(first), _champion(first)
    if first.record.parent == second.number and champion.slices:
        return _Pair(own, champion, _frames_of(first, second))
    if first.record.dataset and first.record.dataset == second.record.dataset:
        text = f"The judge measured both on the held-out frames of dataset {first.record.dataset[:12]}."
        return _Pair(_own(first), _own(second), text)
    return None


def _frames_of(judged: Version, champion: Version) -> str:
    return (
        f"The judge measured both on the same held-out frames when version {judged.number} was trained; "
        f"version {champion.number} was the champion of that day."
    )


def _evaluated(first: Version, second: Version, evaluations: Sequence[EvaluationRun]) -> _Pair | None:
    """The newest evaluations of both on the same dataset in the same way."""
    for one, other in evaluated_pairs(first, second, evaluations):
        text = f"Evaluations {one.id} and {other.id} measured both on dataset {one.dataset[:12]}."
        return _Pair(_report(one.result or {}), _report(other.result or {}), text)
    return None


def evaluated_pairs(
    first: Version, second: Version, evaluations: Sequence[EvaluationRun]
) -> Iterator[tuple[EvaluationRun, EvaluationRun]]:
    """The newest evaluations of two versions on each dataset, measured in the same way.

    Args:
        first: One version.
        second: The other one.
        evaluations: Those that are done, the newest first, with their reports.
    """
    newest: dict[tuple[str, str], dict[str, EvaluationRun]] = {}
    wanted = {str(first.number), str(second.number)}
    for run in evaluations:
        if run.model in wanted and run.result is not None:
            of_dataset = newest.setdefault((run.dataset, repr(sorted(run.options.items()))), {})
            of_dataset.setdefault(run.model, run)
    for runs in newest.values():
        if runs.keys() == wanted:
            yield runs[str(first.number)], runs[str(second.number)]


def _apart(first: Version, second: Version) -> _Pair:
    text = (
        "Each was measured on frames of its own, so a difference may be one of the frames; "
        "evaluate both on one dataset to compare them."
    )
    return _Pair(_own(first), _own(second), text, same_frames=False)


def _own(version: Version) -> _Scores:
    return _Scores(slice_scores(version.record.scores), version.record.class_scores)


def _champion(version: Version) -> _Scores:
    return _Scores(slice_scores(version.record.champion_scores), version.record.champion_class_scores)


def _report(result: Mapping[str, Any]) -> _Scores:
    slices = {ALL: result, **result.get("slices", {})}
    return _Scores(*(_map50(part) for part in (slices, result.get("classes", {}))))


def _map50(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    return {name: part["map50"] for name, part in parts.items() if part.get("map50") is not None}


def _rows(pair: _Pair) -> Iterator[ScoreRowView]:
    first, second = pair.first, pair.second
    for name in sorted({*first.slices, *second.slices}, key=lambda name: (name != ALL, name)):
        kind: Literal["all", "slice"] = "all" if name == ALL else "slice"
        yield _row(kind, name, first.slices, second.slices, same_frames=pair.same_frames)
    for name in sorted({*first.classes, *second.classes}):
        yield _row("class", name, first.classes, second.classes, same_frames=pair.same_frames)


def _row(
    kind: Literal["all", "slice", "class"],
    name: str,
    first: Mapping[str, float],
    second: Mapping[str, float],
    *,
    same_frames: bool,
) -> ScoreRowView:
    before, after = (finite_or_none(scores.get(name, np.nan), _DIGITS) for scores in (first, second))
    difference = None if before is None or after is None else round(after - before, _DIGITS)
    return ScoreRowView(
        kind=kind,
        name=name,
        first=before,
        second=after,
        difference=difference,
        mark=_mark(difference) if same_frames else "unknown",
    )


def _mark(difference: float | None) -> Mark:
    if difference is None:
        return "unknown"
    if abs(difference) < _MARGIN:
        return "equal"
    return "better" if difference > 0 else "worse"
