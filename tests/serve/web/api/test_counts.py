"""Line counts over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.control_service import Content, api_of, problem_of


def counts(client: TestClient, camera: str = "a40", **asked: str) -> list[dict[str, Any]]:
    answer = client.get(f"/cameras/{camera}/counts", params=asked)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()
    return rows


def test_counts_by_bin_line_direction_and_class(client: TestClient, content: Content) -> None:
    now = datetime.now(UTC)
    content.add_counts(now, {("in", "out", "car"): 3}, {"in": 30, "other": 60}, inferred=1)
    (row,) = (row for row in counts(client, since="1m", bin="1h") if row["count"])
    assert list(row) == ["start", "end", "line", "direction", "class", "count", "inferred", "coverage"]
    assert (row["line"], row["direction"], row["class"], row["count"], row["inferred"]) == (
        "in",
        "out",
        "car",
        3,
        1,
    )
    assert row["coverage"] == pytest.approx(30 / 3600, abs=1e-4)
    assert {row["line"] for row in counts(client, line="other")} == {"other"}
    assert len(counts(client, since="1s")) in {4, 8}  # a bin may have begun within the second


def test_an_offset_may_be_written_with_a_plain_plus(client: TestClient) -> None:
    since = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M}+00:00"
    assert len(counts(client, since=since)) == len(counts(client, since=since.replace("+", " "))) >= 8


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("nobody/counts", 404, "no camera 'nobody'"),
        ("crossing/counts", 422, "no counting lines"),
        ("a40/counts?bin=2m", 422, "no bin '2m'"),
        ("a40/counts?since=2999-01-01", 422, "in the future"),
        ("a40/counts?since=tomorrow", 422, "is no time"),
        ("a40/counts?line=none", 422, "has no line 'none'"),
        ("a40/counts?since=90d&bin=1m", 422, "more than 12000 bins"),
    ],
)
def test_a_mistake_is_a_problem(client: TestClient, path: str, status: int, words: str) -> None:
    assert words in problem_of(client.get(f"/cameras/{path}"), status)


def test_without_the_token_nothing_is_said(content: Content) -> None:
    assert api_of(content, token="secret").get("/cameras/a40/counts").status_code == 401
