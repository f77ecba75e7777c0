"""Reports, incidents and traces over HTTP."""

import pytest
from fastapi.testclient import TestClient

from tests.support.control_service import Content, api_of, content, empty, problem_of  # noqa: F401 - fixtures

REPORT_KEYS = {
    "since",
    "until",
    "incidents",
    "counts",
    "drift",
    "rollouts",
    "faults",
    "labels",
    "cameras",
    "learning",
    "predict",
    "pedestrians",
    "similar",
    "text",
    "replaced",
    "notes",
}
"""As docs/reports.md has them."""


@pytest.fixture
def api(content: Content) -> TestClient:  # noqa: F811
    return api_of(content)


def test_a_report_has_incidents_and_grounded_text(api: TestClient) -> None:
    report = api.post("/reports", json={"since": "24h"}).json()
    assert report.keys() == REPORT_KEYS
    assert report["replaced"] == 0
    assert {one["id"] for one in report["incidents"]} == {1, 2, 3}
    for one in report["incidents"]:
        assert one.keys() >= {"id", "events", "cause", "certainty", "done", "todo"}
    assert all(one.keys() == {"sentence", "source", "facts"} for one in report["text"])
    assert report["faults"] == {"frozen picture": 2, "drift": 1}
    assert [one["state"] for one in report["rollouts"]] == ["running", "rolled back"]
    assert report["labels"]["pending"] == 1


def test_the_same_incidents_come_again(api: TestClient) -> None:
    first = api.get("/incidents").json()
    assert api.post("/reports", json={}).json()["incidents"] == first == api.get("/incidents").json()


def test_only_a_camera_that_is_asked_for(api: TestClient) -> None:
    report = api.post("/reports", json={"cameras": ["crossing"]}).json()
    assert [one["cameras"] for one in report["incidents"]] == [["crossing"]]


def test_past_incidents_are_compared(api: TestClient) -> None:
    drift, second, first = api.get("/incidents").json()
    found, other = api.get(f"/incidents/{first['id']}/similar").json()
    assert (found["incident"], other["incident"]) == (second, drift)
    assert 1 >= found["score"] > other["score"] >= 0
    assert found["method"] in {"minilm", "tf-idf"}
    assert "no incident 99" in problem_of(api.get("/incidents/99/similar"), 404)


def test_the_page_and_a_time_that_is_none(api: TestClient) -> None:
    page = api.get("/reports/page", params={"since": "7d"})
    assert "<h1>Incident report</h1>" in page.text
    assert "is no time" in problem_of(api.post("/reports", json={"since": "soon"}), 422)


def test_a_frame_is_traced(api: TestClient) -> None:
    found = api.get("/reviews").json()["items"][0]
    way = api.get("/trace", params={"of": found["digest"]}).json()
    assert way["asked"] == f"frame:{found['digest']}"
    assert [one["digest"] for one in way["frames"]] == [found["digest"]]
    assert way.keys() == {
        "asked",
        "frames",
        "more_frames",
        "events",
        "datasets",
        "learning",
        "versions",
        "rollouts",
        "gaps",
    }
    assert "no event 99" in problem_of(api.get("/trace", params={"of": "event:99"}), 404)
    assert "cannot be traced" in problem_of(api.get("/trace", params={"of": "x"}), 422)
    problem_of(api.get("/trace"), 422)
