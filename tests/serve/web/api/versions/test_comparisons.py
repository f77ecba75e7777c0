"""Two versions beside each other over HTTP."""

import csv
import io

import pytest
from fastapi.testclient import TestClient

from serve.web.api.versions.comparisons import curves_as_csv
from streetloop.control.versions.comparison_details import ComparisonDetailsView, CurvePairView
from streetloop.images import decode_image
from tests.support.control_service import Content, api_of, problem_of, register_versions
from tests.support.evaluated_versions import evaluate_versions


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """Versions of which two were evaluated on one dataset."""
    content = Content(tmp_path_factory.mktemp("evaluated"))
    register_versions(content)
    evaluate_versions(content)
    return api_of(content)


def test_curves_and_frames_of_two_versions(evaluated: TestClient) -> None:
    assert evaluated.get("/models/1/compare/2").json()["evaluations"] == [1, 2]
    found = evaluated.get("/models/champion/compare/2/details").json()
    assert [pair["name"] for pair in found["curves"]] == [None, "bus", "car"]
    (frame,) = found["frames"]
    assert (frame["first"]["missed"], frame["second"]["missed"]) == (2, 0)
    answer = evaluated.get(f"/models/1/compare/2/frames/{frame['image']}.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert decode_image(answer.content).shape == (40, 60, 3)
    problem_of(evaluated.get(f"/models/1/compare/2/frames/{'0' * 64}.jpg"), 404)
    problem_of(evaluated.get("/models/1/compare/2/frames/..%2f..%2fetc.jpg"), 404)


def test_curves_as_a_table(evaluated: TestClient) -> None:
    answer = evaluated.get("/models/1/compare/2/curves.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="streetloop_versions-1-2.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["class"] for row in rows} == {"", "bus", "car"}
    assert [sum(row["version"] == number for row in rows) for number in ("1", "2")] == [3 * 81, 3 * 101]


def test_a_name_is_no_formula_of_a_sheet() -> None:
    pair = CurvePairView(name="=1+1", first=[0.5], second=[None], first_area=0.5, second_area=0.0)
    details = ComparisonDetailsView(
        first=1,
        second=2,
        evaluations=(1, 2),
        dataset="d",
        images=1,
        looked_at=1,
        confidence=0.25,
        recalls=[0.0],
        curves=[pair],
        frames=[],
    )
    assert curves_as_csv(details) == "class,version,recall,precision\r\n'=1+1,1,0.0,0.5\r\n"


@pytest.mark.parametrize("path", ["details", "curves.csv", f"frames/{'0' * 64}.jpg"])
def test_what_was_not_evaluated_is_a_404_that_says_what_to_do(evaluated: TestClient, path: str) -> None:
    said = problem_of(evaluated.get(f"/models/1/compare/3/{path}"), 404)
    assert said.endswith("evaluate both on one: POST /evaluations")
    problem_of(evaluated.get(f"/models/9/compare/1/{path}"), 404)
