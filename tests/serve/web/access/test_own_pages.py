"""The pages of others change nothing and see no pictures; our own do, also behind a proxy."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from serve.web.access.roles import COOKIE, cookie_of
from tests.support.control_service import HERE, LIVE, Content, Screens, api_of, problem_of


@pytest.fixture(params=[None, "secret"], ids=["no token", "token"])
def client(request: pytest.FixtureRequest, content: Content) -> TestClient:
    client = api_of(content, request.param, Screens(a40=(1, b"jpeg")))
    client.cookies.set(COOKIE, cookie_of("secret"))
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


# Behind a proxy

NGINX: dict[str, str] = {"host": "127.0.0.1:8000"}
"""As nginx asks without a line of its own: the name that it was told to pass requests to."""


def _posts(content: Content, public_url: str | None, headers: dict[str, str]) -> int:
    """The status of a change that a page asks for, and of moving pictures alike."""
    client = api_of(content, "secret", public_url=public_url)
    headers = {**headers, "authorization": "Bearer secret"}
    answer = client.post("/labels/reopen", json={}, headers=headers)
    try:
        with client.websocket_connect(LIVE, headers=headers) as socket:
            socket.receive_bytes()
    except WebSocketDisconnect:
        assert answer.status_code == 403
    else:
        assert answer.status_code == 200
    return answer.status_code


@pytest.mark.parametrize(
    ("origin", "headers"),
    [
        ("https://street.example", NGINX),
        ("https://street.example:443", NGINX),
        ("https://Street.Example", NGINX),
        ("https://street.example", {"host": "street.example:443"}),
    ],
)
def test_the_public_url_is_ours(content: Content, origin: str, headers: dict[str, str]) -> None:
    assert _posts(content, "https://street.example", {**headers, "origin": origin}) == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://street.example",
        "https://street.example:8443",
        "https://x.street.example",
        "https://evil.example",
        "https://street.example/",
        "https://street.example.evil.example",
        "null",
    ],
)
def test_another_page_than_the_public_url_is_not(content: Content, origin: str) -> None:
    assert _posts(content, "https://street.example", {**NGINX, "origin": origin}) == 403


@pytest.mark.parametrize(
    ("origin", "headers"),
    [
        ("http://street.example", {"host": "street.example:80"}),
        ("https://street.example", {"host": "street.example:443"}),
        ("https://street.example:443", {"host": "street.example"}),
        ("https://street.example", {**NGINX, "x-forwarded-host": "street.example"}),
        ("https://street.example", {**NGINX, "x-forwarded-host": "street.example:443, 10.0.0.7"}),
        ("https://street.example:8443", {**NGINX, "x-forwarded-host": "street.example:8443"}),
        ("https://street.example:8443", {"host": "street.example", "x-forwarded-port": "8443"}),
        ("https://street.example:8443", {"host": "street.example", "x-forwarded-port": "8443, 8000"}),
        (
            "https://street.example:8443",
            {**NGINX, "x-forwarded-host": "street.example", "x-forwarded-port": "8443"},
        ),
    ],
)
def test_what_a_proxy_says_is_believed(content: Content, origin: str, headers: dict[str, str]) -> None:
    assert _posts(content, None, {**headers, "origin": origin}) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-host": "["},
        {"x-forwarded-host": "street.example:x"},
        {"x-forwarded-port": "x"},
        {"x-forwarded-port": "9" * 400},
        {"x-forwarded-host": ""},
    ],
)
def test_odd_words_of_a_proxy_let_nobody_in(content: Content, headers: dict[str, str]) -> None:
    assert _posts(content, None, {**NGINX, **headers, "origin": "https://evil.example"}) == 403


def test_the_refusal_names_the_way_out(content: Content) -> None:
    client = api_of(content, "secret")
    headers = {**NGINX, "origin": "https://street.example", "authorization": "Bearer secret"}
    assert "STREETLOOP_PUBLIC_URL" in problem_of(client.post("/learning", headers=headers), 403)


def test_without_a_token_a_proxy_brings_nobody_in(content: Content) -> None:
    headers = {**NGINX, "x-forwarded-host": "street.example"}
    assert "names of this machine" in problem_of(api_of(content).get("/cameras", headers=headers), 403)
