"""Versions as a graph: who came of whom, the champion's line first, and no lane twice at once."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from serve.web.app.compare_panel import usual_pair
from serve.web.app.lineage_picture import LANE, ROW, draw_lineage
from streetloop.control.views import ModelView

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def model(number: int, parent: int | None = None, *aliases: str, **values: object) -> ModelView:
    plain: dict[str, object] = {"dataset": "", "classes": [], "scores": {}, "verdict": [], "trigger": {}}
    return ModelView.model_validate(
        {
            **plain,
            "number": number,
            "made_at": NOW,
            "aliases": list(aliases),
            "parent": parent,
            "model": "m",
            **values,
        }
    )


def lanes(*models: ModelView) -> dict[int, int]:
    return {row.model.number: row.x // LANE for row in draw_lineage(models, {}).rows}


def test_the_champion_and_what_it_came_of_are_one_line() -> None:
    picture = draw_lineage([model(3, 2, "champion"), model(2, 1), model(1)], {"3": "promoted"})
    assert [row.x for row in picture.rows] == [LANE // 2] * 3
    assert [row.y for row in picture.rows] == [ROW // 2, ROW + ROW // 2, 2 * ROW + ROW // 2]
    assert [main for _, main in picture.edges] == [True, True]
    assert picture.in_words == "Versions: 3 from 2, 2 from 1."
    assert [row.outcome for row in picture.rows] == ["promoted", None, None]


def test_what_was_refused_is_a_branch_whose_lane_is_free_again() -> None:
    found = lanes(model(5, 4), model(4, 1, "champion"), model(3, 1), model(2, 1), model(1))
    assert found == {5: 1, 4: 0, 3: 1, 2: 2, 1: 0}
    again = lanes(model(5, 4), model(4, 3, "champion"), model(3, 1), model(2, 1), model(1))
    assert again == {5: 1, 4: 0, 3: 0, 2: 1, 1: 0}


def test_a_branch_goes_on_in_its_lane() -> None:
    assert lanes(model(4, 3), model(3, 1), model(2, 1, "champion"), model(1)) == {4: 1, 3: 1, 2: 0, 1: 0}


def test_two_roots_do_not_share_a_lane() -> None:
    assert lanes(model(3, 1, "champion"), model(2), model(1)) == {3: 0, 2: 1, 1: 0}


def test_only_the_newest_are_drawn_and_their_lines_go_on() -> None:
    models = [model(40, 39, "champion"), *(model(n, n - 1) for n in range(39, 1, -1)), model(1)]
    picture = draw_lineage(models, {})
    assert (len(picture.rows), picture.older) == (30, 10)
    assert picture.edges[-1][0] == f"M{LANE // 2} {29 * ROW + ROW // 2}v{ROW // 2}"
    assert all(before.y < after.y for before, after in pairwise(picture.rows))


@pytest.mark.parametrize(
    ("values", "kind"), [({}, "plain"), ({"accepted": True}, "accepted"), ({"accepted": False}, "refused")]
)
def test_the_verdict_is_the_mark(values: dict[str, object], kind: str) -> None:
    (row,) = draw_lineage([model(1, **values)], {}).rows
    assert row.kind == kind


def test_a_gain_is_against_the_champion_of_its_day() -> None:
    judged = model(2, 1, scores={"map50/all": 0.6}, champion_scores={"map50/all": 0.5})
    (row,) = draw_lineage([judged], {}).rows
    assert row.score == 0.6
    assert row.gain == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("models", "pair"),
    [
        ([], (None, None)),
        ([model(1)], (None, "1")),
        ([model(2), model(1)], ("1", "2")),
        ([model(4), model(3, 1), model(2), model(1)], ("1", "3")),
        ([model(3, 1), model(2, 1, scores={"map50/all": 0.5}), model(1)], ("1", "2")),
    ],
)
def test_what_is_compared_first(models: list[ModelView], pair: tuple[str | None, str | None]) -> None:
    assert usual_pair(models) == pair
