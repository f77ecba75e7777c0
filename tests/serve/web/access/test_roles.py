"""Three roles: who shows which token may do what."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from serve.web.access.roles import COOKIE, AccessTokens, Guard, Role, cookie_of
from tests.support.control_service import LIVE, Content, Screens, api_of, problem_of
from tests.support.control_service import content as content
from tests.support.control_service import empty as empty

TOKENS = AccessTokens(admin="root", operator="ops", viewer="look")
NEW: dict[str, Any] = {"id": "new", "uri": "rtsp://10.0.0.9/cam"}
CHANGES = {
    Role.OPERATOR: [
        ("POST", "/events/1/acknowledge", None),
        ("POST", "/events/1/comment", {"text": "a tree"}),
        ("POST", "/events/1/false", None),
        ("DELETE", "/events/1/false", None),
        ("POST", "/labels/reopen", {}),
        ("POST", "/labels/confirm", {}),
        ("POST", f"/reviews/{'0' * 64}/answer", {"boxes": None}),
        ("POST", "/learning/resume", None),
        ("POST", "/learning/drop", None),
        ("POST", "/learning", None),
        ("POST", "/rollouts", {"version": "9"}),
        ("POST", "/rollouts/steer", {"wanted": "pause"}),
        ("POST", "/datasets", None),
        ("POST", "/models", None),
        ("POST", "/evaluations", {"model": "9", "dataset": "0" * 64}),
        ("POST", "/reports", {}),
        ("POST", "/predict", None),
        ("POST", "/sinks/mine/test", None),
        ("POST", "/mutes", {}),
        ("DELETE", "/mutes/1", None),
    ],
    Role.ADMIN: [
        ("POST", "/cameras", NEW),
        ("POST", "/cameras/import", {"text": "id,uri\nb9,sim://larkfield/gantry\n", "format": "csv"}),
        ("POST", "/cameras/try", {**NEW, "uri": "file:///nowhere.mp4"}),
        ("PUT", "/cameras/a40", {"uri": "sim://larkfield/gantry"}),
        ("POST", "/cameras/crossing/restore", None),
        ("DELETE", "/cameras/crossing", None),
        ("POST", "/cities", {"name": "Oslo", "cameras": ["a40"]}),
        ("POST", "/cities/rename", {"city": "Oslo", "name": "Bergen"}),
    ],
}


@pytest.mark.parametrize(
    ("headers", "cookies", "role"),
    [
        ({}, {}, None),
        ({"authorization": "Bearer root"}, {}, Role.ADMIN),
        ({"authorization": "bearer ops"}, {}, Role.OPERATOR),
        ({"authorization": "Bearer look"}, {}, Role.VIEWER),
        ({"authorization": "Bearer wrong"}, {}, None),
        ({"authorization": "Bearer "}, {}, None),
        ({"authorization": "Basic root"}, {}, None),
        ({"authorization": "root"}, {}, None),
        ({"authorization": "Bearer ünïcode"}, {}, None),
        ({}, {COOKIE: cookie_of("root")}, Role.ADMIN),
        ({}, {COOKIE: cookie_of("look")}, Role.VIEWER),
        ({}, {COOKIE: "root"}, None),
        ({}, {COOKIE: ""}, None),
        ({}, {COOKIE: "ünïcode"}, None),
        ({"authorization": "Bearer wrong"}, {COOKIE: cookie_of("root")}, None),
        ({"authorization": "Bearer look"}, {COOKIE: cookie_of("root")}, Role.VIEWER),
        ({"authorization": "Basic x"}, {COOKIE: cookie_of("ops")}, Role.OPERATOR),
    ],
)
def test_a_token_comes_as_bearer_or_as_its_cookie(
    headers: dict[str, str], cookies: dict[str, str], role: Role | None
) -> None:
    assert Guard(TOKENS).role_of(headers, cookies) is role
    assert Guard(AccessTokens()).role_of(headers, cookies) is Role.ADMIN


def test_a_role_without_a_token_is_nobodys() -> None:
    guard = Guard(AccessTokens(viewer="look"))
    assert [guard.role_with(token) for token in ("look", "", "None")] == [Role.VIEWER, None, None]
    assert "look" not in repr(guard.tokens)


@pytest.fixture
def client(content: Content) -> TestClient:
    return api_of(content, guard=Guard(TOKENS), screens=Screens(a40=(1, b"jpeg")))


def _reads(client: TestClient) -> list[str]:
    known = client.get("/openapi.json").json()["paths"]
    endless = {"/events/stream"}
    return [
        path
        for path, methods in known.items()
        if "get" in methods and "{" not in path and path not in endless
    ]


@pytest.mark.parametrize("token", ["look", "ops", "root"])
def test_every_role_reads_everything(client: TestClient, token: str) -> None:
    bearer = {"authorization": f"Bearer {token}"}
    for path in _reads(client):
        assert client.get(path, headers=bearer).status_code in {200, 404, 422, 503}, path
    with client.websocket_connect(LIVE, headers=bearer) as socket:
        assert socket.receive_bytes().endswith(b"jpeg")


@pytest.mark.parametrize("needed", CHANGES)
def test_a_lower_role_changes_nothing(client: TestClient, content: Content, needed: Role) -> None:
    before = content.service.cameras()
    for role, token in Guard(TOKENS).tokens.items():
        for method, path, body in CHANGES[needed]:
            answer = client.request(method, path, json=body, headers={"authorization": f"Bearer {token}"})
            if role < needed:
                said = problem_of(answer, 403)
                assert said == f"this needs the token of an {needed}; yours is that of {_A[role]}"
    if needed is Role.ADMIN:
        assert (
            [one.id for one in content.service.cameras()]
            == ["a40", "new", "b9"]
            != [one.id for one in before]
        )


_A = {Role.VIEWER: "a viewer", Role.OPERATOR: "an operator"}


@pytest.mark.parametrize("needed", CHANGES)
def test_its_role_may(client: TestClient, needed: Role) -> None:
    bearer = {"authorization": f"Bearer {dict(TOKENS.items())[needed]}"}
    for method, path, body in CHANGES[needed]:
        answer = client.request(method, path, json=body, headers=bearer)
        assert answer.status_code not in {401, 403}, (path, answer.text)


def test_the_table_above_has_every_change(client: TestClient) -> None:
    known = client.get("/openapi.json").json()["paths"]
    there = {(m.upper(), path) for path, methods in known.items() for m in methods if m != "get"}
    listed = {(method, path) for changes in CHANGES.values() for method, path, _ in changes}
    one = {"/1/": "/{event}/", "/a40": "/{camera_id}", "/crossing": "/{camera_id}"}
    one |= {"/sinks/mine": "/sinks/{name}", "/mutes/1": "/mutes/{number}", "/" + "0" * 64: "/{digest}"}
    for value, name in one.items():
        listed = {(method, path.replace(value, name)) for method, path in listed}
    assert listed == there


def test_without_a_token_there_is_readiness_without_names_and_nothing_else(client: TestClient) -> None:
    ready = client.get("/ready")
    assert ready.status_code == 503
    assert ready.json()["problems"] == ["2 problems; a token shows more"]
    assert "a40" not in ready.text
    assert client.get("/ready", headers={"authorization": "Bearer look"}).json()["problems"] != ready.json()
    for path in set(_reads(client)) - {"/ready", "/health"}:
        problem_of(client.get(path), 401)
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(LIVE):
        pass


def test_the_description_says_what_to_show(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    schemes = described["components"]["securitySchemes"]
    assert (schemes["token"]["scheme"], schemes["cookie"]["name"]) == ("bearer", COOKIE)
    assert described["paths"]["/cameras"]["post"]["security"] == [{"token": []}, {"cookie": []}]
    assert "security" not in described["paths"]["/ready"]["get"]
