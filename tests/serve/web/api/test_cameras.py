"""Cameras over HTTP: seen, added, changed, removed."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from serve.web.api.create import create_api
from streetloop.ledger.cameras import last_change, newest_changes
from tests.support.control_service import (
    FILE,
    PASSWORD,
    Content,
    Screens,
    api_of,
    guard_of,
    jpeg,
    problem_of,
    running,
    see_a_car,
)

NEW: dict[str, Any] = {"id": "new", "uri": "sim://larkfield/gantry", "city": "larkfield"}
WITH_PASSWORD = f"rtsp://bob:{PASSWORD}@10.0.0.8/b1"


def ids(client: TestClient) -> list[str]:
    return [one["id"] for one in client.get("/cameras").json()["items"]]


def test_every_camera_in_pages(client: TestClient, content: Content) -> None:
    content.live.append(running())
    first = client.get("/cameras", params={"limit": 1}).json()
    assert (first["more"], first["offset"]) == (True, 0)
    (camera,) = first["items"]
    assert (camera["id"], camera["state"], camera["fps_detected"]) == ("a40", "live", 12.5)
    assert camera["frames"]["decoded"] == 100
    rest = client.get("/cameras", params={"offset": 1}).json()
    assert ([one["id"] for one in rest["items"]], rest["more"]) == (["crossing"], False)
    assert client.get("/cameras", params={"offset": 100_000}).json()["items"] == []


def test_one_camera(client: TestClient) -> None:
    camera = client.get("/cameras/a40").json()
    assert camera["uri"] == "rtsp://***@10.0.0.7/a40"
    assert camera["lines"] == {"in": [[0.2, 0.7], [0.6, 0.7]]}
    for name in ("none", "%2e%2e", "a40%00", "x" * 64):
        assert "no camera" in problem_of(client.get(f"/cameras/{name}"), 404)
    problem_of(client.get(f"/cameras/{'x' * 65}"), 422)
    assert client.get("/cameras/..%2F..%2Fetc%2Fpasswd").status_code == 404


def test_a_camera_is_added_changed_and_removed(client: TestClient) -> None:
    made = client.post("/cameras", json=NEW)
    assert made.status_code == 201
    assert made.json()["city"] == "larkfield"
    assert ids(client) == ["a40", "crossing", "new"]

    body = {"uri": NEW["uri"], "fps": 5, "lines": {"out": [[0, 0], [1, 1]]}}
    changed = client.put("/cameras/new", json=body)
    assert changed.status_code == 200
    assert (changed.json()["fps"], changed.json()["city"]) == (5, None)
    assert client.get("/cameras/new").json() == changed.json()

    gone = client.delete("/cameras/new")
    assert (gone.status_code, gone.content) == (204, b"")
    assert ids(client) == ["a40", "crossing"]
    problem_of(client.delete("/cameras/new"), 404)


def test_zones_mask_and_anomalies_go_in_and_come_out(client: TestClient) -> None:
    corner = [[0, 0], [0.2, 0], [0.2, 0.2]]
    zones = {"道路": {"polygon": corner, "kind": "carriageway", "direction": [[0, 0], [0.2, 0.2]]}}
    given = {**NEW, "zones": zones, "mask": [corner], "anomalies": ["wrong_way"]}
    assert client.post("/cameras", json=given).status_code == 201
    found = client.get("/cameras/new").json()
    assert found["zones"] == zones
    assert (found["mask"], found["anomalies"]) == ([corner], {"wrong_way": {}})
    assert client.put("/cameras/new", json={"uri": NEW["uri"], "zones": found["zones"]}).status_code == 200
    given["zones"]["道路"]["polygon"] = [[0, 0], [1, 1], [1, 0], [0, 1]]
    assert "crosses itself" in problem_of(client.put("/cameras/new", json=_without_id(given)), 422)


def _without_id(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "id"}


def test_who_asked_is_written_down(client: TestClient, content: Content) -> None:
    client.post("/cameras", json=NEW)
    assert newest_changes(content.ledger)[0].author == "api"


def test_a_password_goes_in_and_never_comes_out(client: TestClient, content: Content) -> None:
    answers = [
        client.post("/cameras", json={"id": "b1", "uri": WITH_PASSWORD}),
        client.put("/cameras/b1", json={"uri": WITH_PASSWORD, "fps": 3}),
        client.get("/cameras/b1"),
        client.get("/cameras"),
        client.post("/cameras", json={"id": "b1", "uri": WITH_PASSWORD}),
        client.post("/cameras", json={"id": "b2", "uri": WITH_PASSWORD, "lens": WITH_PASSWORD}),
        client.post("/cameras", json={"id": "b 2", "uri": WITH_PASSWORD}),
        client.put("/cameras/b1", json={"uri": WITH_PASSWORD.replace("rtsp", "ftp")}),
        client.put("/cameras/b1", json={"uri": WITH_PASSWORD.replace("@", "@[")}),
        client.get("/status"),
        client.get("/ready"),
    ]
    assert [answer.status_code for answer in answers[:5]] == [201, 200, 200, 200, 422]
    assert all(PASSWORD not in answer.text for answer in answers)


def test_what_was_shown_can_be_sent_back(client: TestClient, content: Content) -> None:
    shown = client.get("/cameras/a40").json()
    body = {key: shown[key] for key in ("uri", "city", "fps", "transport", "lines")}
    assert client.put("/cameras/a40", json=body).status_code == 200
    document = newest_changes(content.ledger)[0].document
    assert document == {**FILE[0], "fps": 10.0}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "A40"}, "is there already"),
        ({"id": "../../x"}, "must be 1 to 64 letters"),
        ({"id": "<script>alert(1)</script>"}, "must be 1 to 64 letters"),
        ({"id": ""}, "id"),
        ({"id": 7}, "id"),
        ({"id": "x" * 65}, "id"),
        ({"uri": "sim://atlantis/x"}, "atlantis"),
        ({"uri": "gopher://10.0.0.7/"}, "unknown scheme"),
        ({"uri": "file:///etc/passwd"}, "passwd"),
        ({"uri": "rtsp://***@10.0.0.7/a40"}, "write them again"),
        ({"uri": "x" * 2001}, "uri"),
        ({"uri": None}, "uri"),
        ({"city": ""}, "city"),
        ({"city": "x" * 101}, "city"),
        ({"fps": 0}, "fps"),
        ({"fps": 1e300}, "fps"),
        ({"fps": True}, "fps"),
        ({"fps": "5"}, "fps"),
        ({"transport": "carrier pigeon"}, "transport"),
        ({"lines": [1]}, "lines"),
        ({"lines": {"in": [[0, 0], [0, 0]]}}, "starts where it ends"),
        ({"lines": {"in": [[0, 0], [2, 0]]}}, "lines.in"),
        ({"lines": {"x" * 200: [[0, 0], [1, 0]]}}, "no name of a line"),
        ({"lines": {str(k): [[0, 0], [1, 1]] for k in range(51)}}, "lines"),
        ({"lens": "wide"}, "lens"),
    ],
)
def test_what_is_wrong_with_a_camera_is_said(
    client: TestClient, content: Content, change: dict[str, Any], words: str
) -> None:
    assert words in problem_of(client.post("/cameras", json={**NEW, **change}), 422)
    assert last_change(content.ledger) == 0


def test_a_change_of_what_was_changed_meanwhile_is_refused(client: TestClient) -> None:
    before = client.get("/cameras/a40").json()
    mine = {"if-match": before["revision"]}
    body = {"uri": before["uri"], "fps": 3}
    assert client.put("/cameras/a40", json=body, headers=mine).status_code == 200
    said = problem_of(client.put("/cameras/a40", json={**body, "fps": 4}, headers=mine), 412)
    assert "'a40' was changed meanwhile by api at " in said
    after = client.get("/cameras/a40").json()
    assert after["fps"] == 3
    again = {"if-match": f'"{after["revision"]}"'}
    assert client.put("/cameras/a40", json={**body, "fps": 4}, headers=again).json()["fps"] == 4


def test_a_change_of_who_is_not_there(client: TestClient) -> None:
    problem_of(client.put("/cameras/none", json={"uri": NEW["uri"]}), 404)
    problem_of(client.put("/cameras/A40", json={"uri": NEW["uri"]}), 404)
    assert "id" in problem_of(client.put("/cameras/a40", json=NEW), 422)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": "\\ud800"}',
        b'{"id": "a", "uri": "\\ud800"}',
        b'{"id": "a", "uri": "sim://a/b", "\\ud800": 1}',
        b'{"id": "a", "uri": "sim://larkfield/gantry", "fps": NaN}',
        b'{"id": "a", "uri": "sim://larkfield/gantry", "fps": 1e999}',
        b'{"id": "a", "uri": "sim://larkfield/gantry", "lines": {"\\ud800": [[0, 0], [1, 1]]}}',
        b'{"id": "a", "uri": "sim://larkfield/gantry", "lines": {"a": [[0, NaN], [1, 1]]}}',
    ],
)
def test_a_body_that_is_no_camera_is_refused(client: TestClient, body: bytes) -> None:
    for ask, path in ((client.post, "/cameras"), (client.put, "/cameras/a40")):
        answer = ask(path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code in {400, 422}, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert ids(client) == ["a40", "crossing"]


def test_a_body_of_another_kind_is_refused(client: TestClient) -> None:
    problem_of(client.post("/cameras", data={"id": "a", "uri": "sim://larkfield/gantry"}), 422)


def test_html_in_a_city_is_text(client: TestClient) -> None:
    city = "<script>alert(1)</script>"
    answer = client.post("/cameras", json={**NEW, "city": city})
    assert answer.json()["city"] == city
    assert answer.headers["content-type"] == "application/json"


def test_the_newest_picture(client: TestClient, screens: Screens) -> None:
    answer = client.get("/cameras/a40/picture.jpg")
    assert (answer.content, answer.headers["content-type"]) == (jpeg(), "image/jpeg")
    assert screens.asked == [{}]
    for name in ("crossing", "none"):
        assert "no picture now" in problem_of(client.get(f"/cameras/{name}/picture.jpg"), 404)


def test_pages_are_bounded(client: TestClient) -> None:
    for path in ("/cameras", "/events", "/drift", "/reviews", "/models", "/learning", "/rollouts"):
        for wrong in ("limit=0", "limit=201", "offset=-1", f"offset={10**30}", "limit=x"):
            problem_of(client.get(f"{path}?{wrong}"), 422)


def test_without_pictures_there_is_none(empty: Content) -> None:
    alone = TestClient(
        create_api(see_a_car, (), 0.25, guard_of(None), empty.service), base_url="http://localhost"
    )
    problem_of(alone.get("/cameras/a40/picture.jpg"), 404)
    assert api_of(empty).get("/cameras/a40").status_code == 200


def test_a_list_of_cameras(client: TestClient) -> None:
    text = "id,uri\nb1,sim://larkfield/gantry\nb2,sim://kingsport/crossing\n"
    done = client.post("/cameras/import", json={"text": text, "format": "csv"})
    assert done.json() == {"added": ["b1", "b2"], "changed": [], "unchanged": []}
    assert ids(client) == ["a40", "crossing", "b1", "b2"]
    assert "camera 'b3': uri" in problem_of(
        client.post("/cameras/import", json={"text": "cameras: [{id: b3, uri: 'rtsp://u:hunter2@'}]"}), 422
    )
    problem_of(client.post("/cameras/import", json={"text": text, "format": "xml"}), 422)
