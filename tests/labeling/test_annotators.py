"""Several people and one frame, without a server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from labeling.annotators import NEWEST, Agreement, Annotation, Resolve, Subject, settle
from labeling.answers import Labeled, Quarantined, Skipped
from labeling.label_studio.payload import digest_of, to_answer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = {"car": "car", "bus": "bus"}


def box(x: float, name: str = "car") -> dict[str, Any]:
    value = {"x": x, "y": 10, "width": 10, "height": 10, "rectanglelabels": [name]}
    return {"type": "rectanglelabels", "value": value}


def said(who: str, minute: int, *boxes: Any, skip: bool = False) -> Annotation:
    return Annotation(who, NOON + timedelta(minutes=minute), skip, list(boxes))


def settled(resolve: Resolve, *annotations: Annotation) -> Any:
    return settle(Subject("d", 100, 100), annotations, NAMES, resolve)


def test_newest_wins_whatever_the_order() -> None:
    for order in (1, -1):
        given = [said("a", 1, box(1)), said("b", 3, box(3)), said("c", 2, box(2))][::order]
        answer = settled(NEWEST, *given)
        assert (answer.labeler, answer.at) == ("b", NOON + timedelta(minutes=3))
        assert answer.boxes.xyxy[0, 0] == 3


def test_boxes_win_over_a_later_skip_of_somebody_else() -> None:
    answer = settled(NEWEST, said("a", 1, box(1)), said("b", 2, skip=True))
    assert answer.labeler == "a"
    own = settled(NEWEST, said("a", 1, box(1)), said("a", 2, skip=True))
    assert own == Skipped("d", "a", NOON + timedelta(minutes=2))


def test_agreement_waits_for_enough() -> None:
    both = Agreement(2)
    assert settled(both) is None
    assert settled(both, said("a", 1, box(1)), said("a", 2, box(2))) is None
    assert settled(both, said("a", 1, skip=True)) is None
    assert settled(both, said("a", 1, box(1)), said("b", 2, skip=True)) == Skipped(
        "d", "b", NOON + timedelta(minutes=2)
    )


def test_agreement_is_the_mean_of_the_same_boxes() -> None:
    answer = settled(
        Agreement(3, 0.5),
        said("c", 1, box(1), box(50, "bus")),
        said("a", 3, box(52, "bus"), box(2)),
        said("b", 2, box(3), box(51, "bus")),
    )
    assert (answer.labeler, answer.at) == ("a, b, c", NOON + timedelta(minutes=3))
    by_class = dict(zip(answer.boxes.class_id.tolist(), answer.boxes.xyxy[:, 0], strict=True))
    assert by_class == pytest.approx({0: 2, 1: 51})
    nothing = settled(Agreement(2), said("a", 1), said("b", 2))
    assert len(nothing.boxes) == 0


@pytest.mark.parametrize(
    "other", [(), (box(1), box(1)), (box(1, "bus"),), (box(9),)], ids=["none", "more", "class", "iou"]
)
def test_disagreement_is_quarantined(other: tuple[Any, ...]) -> None:
    answer = settled(Agreement(2), said("a", 1, box(1)), said("b", 2, *other))
    assert isinstance(answer, Quarantined)
    assert "disagree" in answer.reason


def raw(**more: Any) -> dict[str, Any]:
    at = "2026-03-01T13:00:00+01:00"
    whole = {"id": 1, "result": [], "completed_by": 7, "was_cancelled": False, "updated_at": at}
    return whole | more


DATA = {"digest": "d", "width": 100, "height": 50}


def read(*annotations: Any, data: dict[str, Any] = DATA) -> Any:
    return to_answer({"data": data}, list(annotations), {7: "ann@example.com"}, NAMES, NEWEST)


def test_who_and_when() -> None:
    answer = read(raw())
    assert isinstance(answer, Labeled)
    assert (answer.labeler, answer.at, answer.at.tzinfo) == ("ann@example.com", NOON, UTC)
    assert read(raw(completed_by=8)).labeler == "user 8"
    assert read(raw(completed_by={"id": 9, "email": "e@x"})).labeler == "e@x"
    assert read(raw(completed_by=None)).labeler == "unknown"
    assert read(raw(updated_at=None, created_at=NOON)).at == NOON
    assert read(raw(updated_at="2026-03-01T12:00:00")).at == NOON
    assert read(raw(was_cancelled=True)) == Skipped("d", "ann@example.com", NOON)


@pytest.mark.parametrize(
    ("annotation", "data", "says"),
    [
        (raw(updated_at=None), DATA, "no time"),
        (raw(updated_at="yesterday"), DATA, "isoformat"),
        ("text", DATA, "not an object"),
        (raw(), {"digest": "d"}, "lost the width"),
        (raw(), DATA | {"height": "50"}, "lost the height"),
        (raw(), DATA | {"height": 0}, "lost the height"),
        (raw(result=None), DATA, "not a list"),
    ],
)
def test_odd_annotations_are_quarantined(annotation: Any, data: Any, says: str) -> None:
    answer = read(annotation, data=data)
    assert isinstance(answer, Quarantined)
    assert says in answer.reason


def test_of_a_huge_answer_the_reason_alone_is_kept() -> None:
    answer = read(raw(result=[{"type": "brushlabels", "value": {"rle": [7] * 500_000}}]))
    assert answer == Quarantined("d", "a 'brushlabels' is not a labeled rectangle", NOON)


def test_digest_of_what_is_not_ours() -> None:
    assert digest_of({"data": {"digest": "d"}}) == "d"
    for odd in ({}, {"data": None}, {"data": {}}, {"data": {"digest": 7}}, {"data": []}):
        assert digest_of(odd) is None
