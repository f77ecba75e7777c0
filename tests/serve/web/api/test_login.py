"""The token on a page: who shows it gets a cookie."""

import pytest
from fastapi.testclient import TestClient

from serve.web.access import COOKIE, Guard
from tests.support.control_service import Content, api_of, problem_of

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
    assert cookie == Guard(TOKEN).cookie != Guard("another").cookie
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
