"""Two versions are compared by what is on record of both, and never by different frames unsaid."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.service.versions.comparison import compare_versions
from streetloop.control.versions.comparison import VersionComparisonView
from streetloop.errors import NotFound
from streetloop.ledger import open_ledger
from streetloop.ledger.evaluations import (
    EvaluationRun,
    EvaluationState,
    ask_for_evaluation,
    evaluations_of,
    finish_evaluation,
    start_next_evaluation,
)
from tests.support.control_service import Content, register_versions
from train.model_registry import Version, VersionRecord

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def version(number: int, parent: int | None = None, dataset: str = "", **values: Any) -> Version:
    return Version(number, NOW, "run", (), VersionRecord(dataset, parent, ("car", "bus"), "", **values))


def evaluated(number: int, model: str, all_: float, car: float, dataset: str = "d" * 64) -> EvaluationRun:
    result = {"map50": all_, "slices": {"night": {"map50": None}}, "classes": {"car": {"map50": car}}}
    done = EvaluationState.DONE
    return EvaluationRun(number, done, model, dataset, {}, "api", 1.0, result, None, NOW, NOW, NOW)


def marks(found: VersionComparisonView) -> dict[str, tuple[float | None, str]]:
    return {f"{row.kind} {row.name}": (row.difference, row.mark) for row in found.rows}


CHILD = version(
    2,
    1,
    "d" * 64,
    scores={"map50/all": 0.6, "map50/night": 0.5, "map50/day": 0.7},
    champion_scores={"map50/all": 0.5, "map50/night": 0.55, "map50/day": 0.705},
    class_scores={"car": 0.8, "bus": 0.4},
    champion_class_scores={"car": 0.6},
)


def test_a_version_and_its_parent_were_judged_on_the_same_frames() -> None:
    found = compare_versions(version(1, scores={"map50/all": 0.99}), CHILD, [])
    assert found.same_frames
    assert marks(found) == {
        "all all": (0.1, "better"),
        "slice day": (-0.005, "equal"),
        "slice night": (-0.05, "worse"),
        "class bus": (None, "unknown"),
        "class car": (0.2, "better"),
    }
    assert [row.first for row in found.rows][:1] == [0.5], "not what version 1 had on other frames"


def test_the_other_way_round_is_the_opposite() -> None:
    found = compare_versions(CHILD, version(1), [])
    assert marks(found)["all all"] == (-0.1, "worse")
    assert marks(found)["class car"] == (-0.2, "worse")


def test_siblings_of_one_dataset_were_judged_on_its_frames() -> None:
    found = compare_versions(CHILD, version(3, 1, "d" * 64, scores={"map50/all": 0.7}), [])
    assert found.same_frames
    assert marks(found)["all all"] == (0.1, "better")
    assert marks(found)["slice night"] == (None, "unknown")


def test_evaluations_on_one_dataset_say_more_than_scores_without_classes() -> None:
    runs = [
        evaluated(9, "3", 0.9, 0.9, "e" * 64),
        evaluated(8, "1", 0.4, 0.5),
        evaluated(7, "3", 0.7, 0.45),
        evaluated(6, "1", 0.1, 0.1),
    ]
    found = compare_versions(version(1), version(3), runs)
    assert found.same_frames
    assert "Evaluations 8 and 7" in found.basis
    assert marks(found) == {"all all": (0.3, "better"), "class car": (-0.05, "worse")}


def test_scores_of_different_frames_are_shown_and_not_marked() -> None:
    one = version(1, None, "a" * 64, scores={"map50/all": 0.2})
    found = compare_versions(one, version(4, 3, "b" * 64, scores={"map50/all": 0.9}), [])
    assert not found.same_frames
    assert marks(found) == {"all all": (0.7, "unknown")}


def test_only_evaluations_of_the_two_that_are_done_are_read(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    for model in ("1", "2", "1"):
        ask_for_evaluation(ledger, model, "d" * 64, {}, "api", NOW, 9)
    for _ in range(2):
        run = start_next_evaluation(ledger, NOW)
        assert run is not None
        finish_evaluation(ledger, run.id, {"map50": 0.5}, NOW)
    assert [run.id for run in evaluations_of(ledger, {"1"}, 10)] == [1]
    assert [run.id for run in evaluations_of(ledger, {"1", "2"}, 1)] == [2]
    ledger.close()


def test_versions_are_named_by_number_or_alias(tmp_path: Path) -> None:
    content = Content(tmp_path)
    with pytest.raises(NotFound):
        content.service.compare_versions("1", "2")
    register_versions(content)
    found = content.service.compare_versions("champion", "2")
    assert (found.first, found.second, found.same_frames) == (1, 2, True)
    assert [row.name for row in found.rows] == ["all", "day", "night", "bus", "car"]
    with pytest.raises(NotFound, match="no version '9'"):
        content.service.compare_versions("1", "9")
    content.ledger.close()
