"""Who may come in: the address, the token, and the pages of others."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from serve.web.access import COOKIE, Guard, refuse_open_door
from streetloop.errors import ConfigError
from tests.support.control_service import HERE, LIVE, Content, Screens, api_of, problem_of


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    refuse_open_door(host, has_token=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "street.example", ""])
def test_a_wider_address_needs_one(host: str) -> None:
    with pytest.raises(ConfigError, match="STREETLOOP_API_TOKEN"):
        refuse_open_door(host, has_token=False)
    refuse_open_door(host, has_token=True)


# The token


@pytest.mark.parametrize(
    ("headers", "cookies", "admitted"),
    [
        ({}, {}, False),
        ({"authorization": "Bearer secret"}, {}, True),
        ({"authorization": "bearer secret"}, {}, True),
        ({"authorization": "Bearer wrong"}, {}, False),
        ({"authorization": "Bearer "}, {}, False),
        ({"authorization": "Basic secret"}, {}, False),
        ({"authorization": "secret"}, {}, False),
        ({"authorization": "Bearer ünïcode"}, {}, False),
        ({}, {COOKIE: Guard("secret").cookie}, True),
        ({}, {COOKIE: "secret"}, False),
        ({}, {COOKIE: ""}, False),
        ({}, {COOKIE: "ünïcode"}, False),
        ({"authorization": "Bearer wrong"}, {COOKIE: Guard("secret").cookie}, False),
        ({"authorization": "Basic x"}, {COOKIE: Guard("secret").cookie}, True),
    ],
)
def test_the_token_comes_as_bearer_or_as_its_cookie(
    headers: dict[str, str], cookies: dict[str, str], admitted: bool
) -> None:
    assert Guard("secret").admits(headers, cookies) == admitted
    assert Guard(None).admits(headers, cookies)


# The pages of others


@pytest.fixture(params=[None, "secret"], ids=["no token", "token"])
def client(request: pytest.FixtureRequest, content: Content) -> TestClient:
    client = api_of(content, request.param, Screens(a40=(1, b"jpeg")))
    client.cookies.set(COOKIE, Guard("secret").cookie)
    return client


@pytest.fixture
def content(tmp_path_factory: pytest.TempPathFactory) -> Content:
    return Content(tmp_path_factory.mktemp("service"))


NEW: dict[str, Any] = {"id": "new", "uri": "sim://larkfield/gantry"}
FOREIGN = [
    "http://evil.example",
    "https://127.0.0.1",
    "http://127.0.0.1:9999",
    "http://localhost:8080",
    "null",
    "",
    "http://[",
    f"http://{HERE}.evil.example",
    f"http://evil.example/{HERE}",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_changes_nothing(client: TestClient, content: Content, origin: str) -> None:
    headers = {"origin": origin}
    for answer in (
        client.post("/cameras", json=NEW, headers=headers),
        client.put("/cameras/a40", json={"uri": NEW["uri"]}, headers=headers),
        client.delete("/cameras/a40", headers=headers),
        client.post("/learning", headers=headers),
        client.post("/login", data={"token": "secret"}, headers=headers),
        client.post("/predict", content=b"x", headers=headers),
    ):
        assert "page of another server" in problem_of(answer, 403)
    assert [view.id for view in content.service.cameras()] == ["a40", "crossing"]
    assert not content.service.learning(0, 1).items


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_sees_no_pictures(client: TestClient, origin: str) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        client.websocket_connect(LIVE, headers={"origin": origin}),
    ):
        pass
    assert closed.value.code == 1008


def test_reading_is_left_to_the_browser(client: TestClient) -> None:
    assert client.get("/cameras", headers={"origin": "http://evil.example"}).status_code == 200
    assert "access-control-allow-origin" not in client.get("/cameras").headers


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_its_own_page_may(client: TestClient, scheme: str) -> None:
    origin = {"origin": f"{scheme}://{HERE}"}
    assert client.post("/cameras", json=NEW, headers=origin).status_code == 201
    with client.websocket_connect(LIVE, headers=origin) as socket:
        assert socket.receive_bytes().endswith(b"jpeg")


def test_programs_name_no_page(client: TestClient) -> None:
    assert client.post("/cameras", json=NEW).status_code == 201
    with client.websocket_connect(LIVE) as socket:
        assert socket.receive_bytes().endswith(b"jpeg")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "10.0.0.7",
        "",
        "[",
        "[::1",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "2130706433",
        "0.0.0.0",
    ],
)
def test_without_a_token_a_name_that_is_not_this_machine_is_turned_away(content: Content, host: str) -> None:
    open_, guarded = api_of(content), api_of(content, "secret")
    for path in ("/cameras", "/health", "/login", "/app/", "/docs", "/openapi.json"):
        said = problem_of(open_.get(path, headers={"host": host}), 403)
        assert "names of this machine" in said
    with pytest.raises(WebSocketDisconnect), open_.websocket_connect(LIVE, headers={"host": host}):
        pass
    bearer = {"authorization": "Bearer secret", "host": host}
    assert guarded.get("/cameras", headers=bearer).status_code == 200


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"]
)
def test_names_of_this_machine_are_let_in(content: Content, host: str) -> None:
    assert api_of(content).get("/cameras", headers={"host": host}).status_code == 200
