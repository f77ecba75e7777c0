"""What was seen, over HTTP."""

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from flows.service.control_service import REPORT_FILE
from streetloop.ledger.events import begin_event
from tests.support.control_service import Content, api_of, jpeg, problem_of, running

CAUSES = [{"name": "night", "probability": 0.62}, {"name": "fog", "probability": 0.31}]


def test_events_are_filtered(client: TestClient) -> None:
    def kinds(query: str) -> list[str]:
        return [one["kind"] for one in client.get(f"/events?{query}").json()["items"]]

    assert kinds("") == ["drift", "frozen picture", "frozen picture"]
    assert kinds("camera=crossing") == ["frozen picture"]
    assert kinds("kind=drift") == ["drift"]
    assert kinds("open=true&camera=a40") == ["drift"]
    assert kinds("offset=1&limit=1") == ["frozen picture"]
    assert kinds("camera=%3Cb%3E&kind=%27%3B+drop+table+events%3B--") == []
    assert len(kinds("")) == 3
    problem_of(client.get("/events?camera="), 422)
    problem_of(client.get(f"/events?kind={'x' * 101}"), 422)
    problem_of(client.get("/events?open=perhaps"), 422)


def test_an_event_tells_when_and_why(client: TestClient) -> None:
    event = client.get("/events?kind=drift").json()["items"][0]
    assert event["detail"] == {"causes": CAUSES}
    assert (event["model"], event["ended_at"]) == ("m-1", None)
    assert event["started_at"].endswith("Z")


def test_an_event_is_acknowledged_once(client: TestClient) -> None:
    number = client.get("/events?kind=drift").json()["items"][0]["id"]
    first = client.post(f"/events/{number}/acknowledge").json()
    assert first["acknowledged_by"] == "api"
    assert client.post(f"/events/{number}/acknowledge").json() == first
    problem_of(client.post("/events/999/acknowledge"), 404)


def test_what_people_say_of_an_event(client: TestClient, content: Content) -> None:
    key = "events/x.jpg"
    content.store.put(key, b"jpeg")
    number = begin_event(
        content.ledger,
        "wrong_way",
        datetime.now(UTC),
        "a40",
        certainty=0.9,
        evidence=[key],
        rule_version="wrong_way/1",
    )
    assert client.get(f"/events/{number}/picture.jpg").content == b"jpeg"
    said = client.post(f"/events/{number}/comment", json={"text": "seen"}).json()
    assert (said["comment"], said["commented_by"], said["certainty"]) == ("seen", "api", 0.9)
    assert client.post(f"/events/{number}/false").json()["false_by"] == "api"
    (row,) = client.get("/events/precision").json()
    assert (row["kind"], row["false"], row["precision"]) == ("wrong_way", 1, 0.0)
    assert client.delete(f"/events/{number}/false").json()["false_at"] is None
    problem_of(client.post(f"/events/{number}/comment", json={"text": "x" * 1001}), 422)
    problem_of(client.get("/events/1/picture.jpg"), 404)
    problem_of(client.post("/events/999/false"), 404)


def test_events_since_a_time(client: TestClient) -> None:
    assert [one["kind"] for one in client.get("/events?since=2099-01-01").json().get("items", [])] == []
    assert [one["kind"] for one in client.get("/events?since=1s").json()["items"]] == ["drift"]
    problem_of(client.get("/events?since=yesterday"), 422)


def test_drift(client: TestClient) -> None:
    first, second = client.get("/drift").json()["items"]
    assert (first["camera_id"], first["drifts"], first["causes"]) == ("a40", True, CAUSES)
    assert not second["drifts"]
    part = client.get("/drift?offset=1&limit=1").json()
    assert (part["items"], part["more"]) == ([second], False)


def test_the_queue_and_its_frames(client: TestClient) -> None:
    queue = client.get("/queue").json()
    assert (queue["counts"]["pending"], queue["labeler"], queue["url"]) == (1, "none", None)
    found = client.get("/reviews?limit=2").json()
    assert ([one["state"] for one in found["items"]], found["more"]) == (["pending", "pushed"], True)
    assert "frames are candidate" in problem_of(client.get("/reviews?state=lost"), 404)
    assert len(client.get("/reviews?state=in dataset").json()["items"]) == 1


def test_the_image_of_a_frame(client: TestClient) -> None:
    digest = client.get("/reviews?state=pending").json()["items"][0]["digest"]
    image = client.get(f"/reviews/{digest}/image.jpg")
    assert (image.content, image.headers["content-type"]) == (jpeg(1), "image/jpeg")
    gone = client.get("/reviews?state=expired").json()["items"][0]["digest"]
    assert "expired" in problem_of(client.get(f"/reviews/{gone}/image.jpg"), 404)
    problem_of(client.get(f"/reviews/{'0' * 64}/image.jpg"), 404)


@pytest.mark.parametrize("digest", ["x", "0" * 63, "G" * 64, "%2e%2e", "..%2f..%2fetc%2fpasswd"])
def test_what_is_no_digest_is_no_frame(client: TestClient, digest: str) -> None:
    assert client.get(f"/reviews/{digest}/image.jpg").status_code in {404, 422}


def test_ready_means_that_a_camera_is_live(empty: Content) -> None:
    client = api_of(empty)
    stopped = client.get("/ready")
    assert (stopped.status_code, stopped.json()["problems"]) == (503, ["no stream runs"])
    assert client.get("/status").json() == stopped.json()
    empty.live.append(running())
    ready = client.get("/ready")
    assert (ready.status_code, ready.json()["live"], ready.json()["ok"]) == (200, 1, True)
    assert client.get("/health").json() == {"status": "ok"}


def test_a_parked_run_is_a_problem_until_somebody_acts(client: TestClient) -> None:
    (_, parked) = client.get("/status").json()["problems"]
    assert parked == (
        "learning run 2 is parked, so none begins; resume it or drop it: "
        "training failed 5 times: the disk is full"
    )
    client.post("/learning/drop")
    assert client.get("/status").json()["problems"] == ["no stream runs"]


def test_the_report_is_a_page_once_it_is_written(client: TestClient, content: Content) -> None:
    assert "no report yet" in problem_of(client.get("/report"), 404)
    (content.settings.home / REPORT_FILE).write_text("<h1>done</h1>")
    answer = client.get("/report")
    assert (answer.text, answer.headers["content-type"]) == ("<h1>done</h1>", "text/html; charset=utf-8")
    assert client.get("/status").json()["report"]
