"""The token on a page: who shows it gets a cookie."""

import pytest
from fastapi.testclient import TestClient

from serve.web.access.roles import COOKIE, AccessTokens, Guard, cookie_of
from tests.support.control_service import HERE, Content, api_of, problem_of

TOKEN = 'tök"en; <b>'
"""With what headers and pages find hard."""


@pytest.fixture
def guarded(content: Content) -> TestClient:
    return api_of(content, token=TOKEN)


def test_the_root_leads_to_the_app(client: TestClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/app/")


def test_the_page_asks_for_the_token_and_loads_nothing(guarded: TestClient) -> None:
    page = guarded.get("/login")
    assert page.status_code == 200
    assert 'type="password"' in page.text
    assert not [word for word in ("src=", "http://", "https://", "@import") if word in page.text]


def test_who_shows_the_token_is_let_in(guarded: TestClient) -> None:
    problem_of(guarded.get("/cameras"), 401)
    answer = guarded.post("/login", data={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/")
    kept = answer.headers["set-cookie"].lower()
    assert "httponly" in kept
    assert "samesite=strict" in kept
    assert guarded.get("/cameras").status_code == 200


def test_the_cookie_is_not_the_token(guarded: TestClient) -> None:
    guarded.post("/login", data={"token": TOKEN})
    cookie = guarded.cookies[COOKIE]
    assert cookie == cookie_of(TOKEN) != cookie_of("another")
    alone = {"authorization": f"Bearer {cookie}"}
    guarded.cookies.clear()
    problem_of(guarded.get("/cameras", headers=alone), 401)
    guarded.cookies.set(COOKIE, "a" * 64)
    problem_of(guarded.get("/cameras"), 401)


@pytest.mark.parametrize("shown", ["", "none-of-it", TOKEN + " ", TOKEN.upper(), "😀", "x" * 999])
def test_who_shows_something_else_is_not(guarded: TestClient, shown: str) -> None:
    answer = guarded.post("/login", data={"token": shown})
    assert answer.status_code == 401
    assert "not the token" in answer.text
    assert "set-cookie" not in answer.headers
    assert not shown or shown not in answer.text


def test_more_than_a_token_is_refused(guarded: TestClient) -> None:
    problem_of(guarded.post("/login", data={"token": "x" * 1001}), 422)
    assert guarded.post("/login").status_code == 401
    assert guarded.post("/login", files={"token": b"x"}).status_code in {401, 422}


def test_without_a_token_everybody_on_this_machine_is_in(client: TestClient) -> None:
    for shown in ("", "anything", "😀"):
        assert client.post("/login", data={"token": shown}).status_code == 303
    assert client.get("/cameras").status_code == 200


def test_the_cookie_has_the_role_of_its_token_and_ends_with_the_logout(content: Content) -> None:
    client = api_of(content, guard=Guard(AccessTokens(admin=TOKEN, viewer="look")))
    assert client.post("/login", data={"token": "look"}).status_code == 303
    assert client.get("/cameras").status_code == 200
    assert "yours is that of a viewer" in problem_of(client.delete("/cameras/a40"), 403)
    out = client.post("/logout")
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    problem_of(client.get("/cameras"), 401)


def test_wrong_tokens_are_bounded_and_the_right_one_waits_too(guarded: TestClient) -> None:
    for _ in range(10):
        assert guarded.post("/login", data={"token": "wrong"}).status_code == 401
    refused = guarded.post("/login", data={"token": TOKEN})
    assert (refused.status_code, 0 < int(refused.headers["retry-after"]) <= 60) == (429, True)
    assert "Too many wrong tokens" in refused.text
    assert "set-cookie" not in refused.headers


def test_clients_behind_a_proxy_are_told_apart(content: Content) -> None:
    client = TestClient(
        api_of(content, TOKEN).app, base_url=f"http://{HERE}", client=("127.0.0.1", 1), follow_redirects=False
    )
    for n in range(10):
        client.post("/login", data={"token": "x"}, headers={"x-forwarded-for": f"{n}.1.1.1, 192.0.2.7"})
    same, other = {"x-forwarded-for": "192.0.2.7"}, {"x-forwarded-for": "192.0.2.7, 192.0.2.8"}
    assert client.post("/login", data={"token": TOKEN}, headers=same).status_code == 429
    assert client.post("/login", data={"token": TOKEN}, headers=other).status_code == 303


@pytest.mark.parametrize(
    ("headers", "secure"),
    [
        ({}, False),
        ({"origin": f"http://{HERE}"}, False),
        ({"origin": f"https://{HERE}"}, True),
        ({"x-forwarded-proto": "https"}, True),
    ],
)
def test_a_cookie_of_an_encrypted_page_stays_encrypted(
    guarded: TestClient, headers: dict[str, str], secure: bool
) -> None:
    answer = guarded.post("/login", data={"token": TOKEN}, headers=headers)
    assert ("secure" in answer.headers["set-cookie"].lower()) is secure
