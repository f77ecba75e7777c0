"""The page over a real service: it builds, asks for the token, and loads nothing from elsewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serve.web.access.roles import COOKIE, AccessTokens, Guard, cookie_of
from serve.web.api.create import create_api
from serve.web.app.page import _PANELS, SCRIPTS, build_page, mount_page
from serve.web.app.render import FOLDER
from tests.support.control_service import HERE, Content, Screens, guard_of, see_a_car


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Content]:
    content = Content(tmp_path_factory.mktemp("service"))
    yield content
    content.ledger.close()


def page_of(content: Content, token: str | None) -> TestClient:
    api = create_api(see_a_car, (), 0.25, guard_of(token), content.service, Screens())
    mounted = mount_page(api, content.service, guard_of(token))
    return TestClient(mounted, base_url=f"http://{HERE}", follow_redirects=False)


@pytest.fixture(scope="module")
def client(content: Content) -> TestClient:
    return page_of(content, None)


def test_every_tab_is_there(content: Content) -> None:
    config = build_page(content.service).get_config_file()
    tabs = [c["props"]["label"] for c in config["components"] if c["type"] == "tabitem"]
    assert tabs == ["Streets", "Recordings", *_PANELS, "Cameras", "Cities", "Zones"]


def test_nothing_of_the_page_is_an_api_of_its_own(client: TestClient) -> None:
    described = client.get("/app/gradio_api/info").json()
    assert described == {"named_endpoints": {}, "unnamed_endpoints": {}}


def test_the_page_is_served_and_names_no_other_host(client: TestClient) -> None:
    page = client.get("/app/")
    assert page.status_code == 200
    assert "streetloop" in page.text
    assert "sl-wall" in page.text
    loaded = re.findall(r'(?:src|href)="(https?:)?//([^"/]+)', page.text)
    assert not [host for _, host in loaded if not host.startswith("127.0.0.1")]


def test_what_the_page_consists_of_comes_along() -> None:
    for name in ("app.css", *SCRIPTS, "templates/wall.html"):
        assert (FOLDER / name).is_file()
    for name in SCRIPTS:
        script = (FOLDER / name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert "innerHTML" not in script
        assert "http://" not in script


def test_with_a_token_who_does_not_show_it_sees_nothing(content: Content) -> None:
    client = page_of(content, "secret")
    for path in ("/app/", "/app/config", "/app/gradio_api/info"):
        assert client.get(path).status_code in {302, 303, 307, 401}, path
    answer = client.get("/app/")
    assert "sl-wall" not in answer.text
    client.post("/login", data={"token": "secret"})
    assert client.get("/app/").status_code == 200


def test_a_browser_without_the_token_is_led_to_the_login(content: Content) -> None:
    client = page_of(content, "secret")
    answer = client.get("/app/", headers={"accept": "text/html"})
    assert answer.headers.get("location") == "/login"


@pytest.mark.parametrize(
    "path",
    [
        "/app/gradio_api/file=/etc/passwd",
        "/app/file=/etc/passwd",
        "/app/gradio_api/file=..%2f..%2fetc%2fpasswd",
        "/app/static/..%2f..%2f..%2fetc%2fpasswd",
    ],
)
def test_no_file_of_the_machine_is_served(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code >= 400
    assert "root:" not in answer.text


def test_a_foreign_page_joins_no_queue(client: TestClient) -> None:
    body: dict[str, Any] = {"data": [], "fn_index": 0, "session_hash": "x"}
    answer = client.post("/app/gradio_api/queue/join", json=body, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403


def test_the_api_is_still_there(client: TestClient) -> None:
    assert client.get("/cameras").status_code == 200
    assert client.get("/").headers["location"] == "/app/"
    assert Path(FOLDER).name == "app"


@pytest.mark.parametrize(("token", "says"), [("look", "this needs the token of an operator"), ("ops", None)])
def test_a_button_does_what_the_role_of_its_visitor_may(
    content: Content, token: str, says: str | None
) -> None:
    guard = Guard(AccessTokens(admin="root", operator="ops", viewer="look"))
    api = create_api(see_a_car, (), 0.25, guard, content.service, Screens())
    app = mount_page(api, content.service, guard)
    buttons = build_page(content.service, can_log_out=True).get_config_file()
    (reopen,) = (
        c["id"] for c in buttons["components"] if c["props"].get("value") == "Reopen rejected frames"
    )
    (number,) = (d["id"] for d in buttons["dependencies"] if [reopen, "click"] in map(list, d["targets"]))
    headers = {"authorization": f"Bearer {token}"}
    with TestClient(app, base_url=f"http://{HERE}", headers=headers) as client:
        body = {"data": [], "fn_index": number, "session_hash": "one"}
        assert client.post("/app/gradio_api/queue/join", json=body).status_code == 200
        said = client.get("/app/gradio_api/queue/data?session_hash=one").text
    assert (says or '"success":true') in said
    assert ("needs the token" in said) is (says is not None)


@pytest.mark.parametrize("named", ["127.0.0.1:8000", "street.example", "street.example:8443"])
def test_behind_a_proxy_the_page_knows_where_browsers_reach_it(content: Content, named: str) -> None:
    """Whatever name the proxy asks by, and whatever it says of the browser's."""
    guard, url = guard_of("secret"), "https://street.example:8443"
    api = create_api(see_a_car, (), 0.25, guard, content.service, Screens(), url)
    client = TestClient(mount_page(api, content.service, guard, url), base_url=f"http://{named}")
    client.cookies.set(COOKIE, cookie_of("secret"))
    for forwarded in ({}, {"x-forwarded-host": "evil.example"}):
        page = client.get("/app/", headers=forwarded)
        assert page.status_code == 200
        assert f'"root":"{url}/app"' in page.text
        assert "evil.example" not in page.text
