"""Recorded video over HTTP."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from streetloop.ledger.events import begin_event
from streetloop.ledger.reviews import add_reviews
from tests.support.control_service import Content, api_of, problem_of
from tests.support.samples.frames import review
from tests.support.samples.recordings import add_recording


def test_segments_of_a_period_are_listed(client: TestClient, content: Content) -> None:
    now = datetime.now(UTC)
    gap = now - timedelta(seconds=59), now - timedelta(seconds=58.5)
    old, new = (add_recording(content, "a40", now - timedelta(minutes=m), gaps=(gap,)) for m in (90, 1))
    (row,) = client.get("/cameras/a40/archive", params={"from": "1h"}).json()
    assert list(row) == ["start", "end", "bytes", "codec", "motion", "events", "key", "gaps"]
    assert (row["key"], row["codec"], row["motion"], row["events"]) == (new.key, "h264", 0.25, 0.0)
    assert datetime.fromisoformat(row["gaps"][0]["start"]) == gap[0]
    asked = {"from": "2h", "to": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M:%S+00:00}"}
    assert [one["key"] for one in client.get("/cameras/a40/archive", params=asked).json()] == [old.key]
    assert client.get("/cameras/crossing/archive").json() == []
    (sums,) = client.get("/archive", params={"from": "3h"}).json()
    assert (sums["camera_id"], sums["segments"], sums["bytes"]) == ("a40", 2, old.bytes + new.bytes)


def test_a_video_comes_whole_and_by_ranges(client: TestClient, content: Content) -> None:
    segment = add_recording(content, "a40", datetime.now(UTC) - timedelta(minutes=1))
    url, data = f"/archive/segments/{segment.key}", content.store.get(segment.key)
    whole = client.get(url)
    assert (whole.status_code, whole.content) == (200, data)
    assert (whole.headers["content-type"], whole.headers["accept-ranges"]) == ("video/mp4", "bytes")
    for wanted, part in (("0-9", data[:10]), ("10-", data[10:]), ("-5", data[-5:]), ("0-999999999", data)):
        answer = client.get(url, headers={"range": f"bytes={wanted}"})
        assert (answer.status_code, answer.content) == (206, part), wanted
        assert answer.headers["content-range"].endswith(f"/{len(data)}")
    beyond = client.get(url, headers={"range": f"bytes={len(data)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(data)}")
    for odd in ("lines=1-2", "bytes=1-2,4-5", "bytes=-"):
        assert client.get(url, headers={"range": odd}).status_code == 200


def test_an_event_and_a_label_lead_to_their_segment_and_second(client: TestClient, content: Content) -> None:
    start = datetime.now(UTC) - timedelta(minutes=9)
    segment = add_recording(content, "a40", start)
    number = begin_event(content.ledger, "queue", start + timedelta(seconds=1.5), "a40")
    found = client.get("/archive/where", params={"event": number}).json()
    assert (found["camera_id"], found["key"], found["second"]) == ("a40", segment.key, 1.5)
    labeled = replace(review(77), camera_id="a40", captured_at=start + timedelta(seconds=0.5))
    add_reviews(content.ledger, [labeled])
    found = client.get("/archive/where", params={"frame": labeled.digest}).json()
    assert (found["key"], found["second"]) == (segment.key, 0.5)
    late = begin_event(content.ledger, "queue", start + timedelta(seconds=3), "a40")
    assert client.get("/archive/where", params={"event": late}).json()["key"] is None
    assert "no event 99999" in problem_of(client.get("/archive/where?event=99999"), 404)
    assert "give an event or a frame" in problem_of(client.get("/archive/where"), 422)


def test_a_dry_run_says_what_would_go_and_removes_nothing(content: Content) -> None:
    content.settings = content.settings.model_copy()
    segment = add_recording(content, "a40", datetime.now(UTC) - timedelta(days=900))
    assert api_of(content).get("/archive/prune").json()["segments"] == []
    assert segment.key in set(content.store.keys("archive/"))


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("cameras/nobody/archive", 404, "no camera 'nobody'"),
        ("cameras/a40/archive?from=tomorrow", 422, "is no time"),
        ("cameras/a40/archive?from=1h&to=2h", 422, "not after it begins"),
        ("archive/segments/archive/camera=a40/none.mp4", 404, "no recorded segment"),
        ("archive/segments/registry/secret", 404, "no recorded segment"),
    ],
)
def test_a_mistake_is_a_problem(client: TestClient, path: str, status: int, words: str) -> None:
    assert words in problem_of(client.get(f"/{path}"), status)


def test_without_the_token_nothing_is_said(content: Content) -> None:
    segment = add_recording(content, "a40", datetime.now(UTC) - timedelta(minutes=1))
    client = api_of(content, token="secret")
    for path in ("cameras/a40/archive", "archive/prune", f"archive/segments/{segment.key}"):
        assert client.get(f"/{path}").status_code == 401
