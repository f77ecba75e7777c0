"""The API and the app behind a real nginx that speaks TLS, set up as the page on access says."""

import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from serve.web.access.roles import AccessTokens, Guard
from serve.web.api.create import create_api
from serve.web.app.page import mount_page
from streetloop.ledger.events import begin_event
from tests.support.control_service import NOW, Content, Screens, see_a_car
from tests.support.rollout import wait_for
from tests.support.servers import nginx
from tests.support.servers.browser import Complaints, chromium
from tests.support.servers.certificate import self_signed
from tests.support.servers.ports import free_port

pytestmark = pytest.mark.nginx

PAGE = Path(__file__).resolve().parents[4] / "docs" / "access.md"
ADMIN, VIEWER = "admin-token-of-the-tests", "viewer-token-of-the-tests"
_WAIT_MS = 60_000
NEW = {"id": "new", "uri": "sim://larkfield/gantry"}


@dataclass(frozen=True)
class Site:
    """A street whose app is behind a proxy."""

    content: Content
    url: str

    @contextmanager
    def client(self, token: str | None = None) -> Iterator[httpx.Client]:
        """A client of the proxy; with a token it has logged in."""
        with httpx.Client(base_url=self.url, verify=False, timeout=30, trust_env=False) as client:
            client.headers["origin"] = self.url
            if token is not None:
                assert client.post("/login", data={"token": token}).status_code == 303
            yield client


def proxy_block(app_port: int) -> str:
    """The block that the page on access gives."""
    (block,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert "http://127.0.0.1:8000;" in block
    return block.replace("127.0.0.1:8000", f"127.0.0.1:{app_port}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, app_port, port = tmp_path_factory.mktemp("nginx"), free_port(), free_port()
    url, content = f"https://127.0.0.1:{port}", Content(tmp_path_factory.mktemp("service"))
    guard, screens = Guard(AccessTokens(ADMIN, viewer=VIEWER)), Screens(a40=(1, b"jpeg"))
    api = create_api(see_a_car, ("car",), 0.25, guard, content.service, screens, url)
    app = mount_page(api, content.service, guard, url)
    server = uvicorn.Server(uvicorn.Config(app, port=app_port, log_level="error", interface="asgi3"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    certificate = self_signed(folder)
    block = (
        f"http {{ access_log off; server {{ listen 127.0.0.1:{port} ssl;\n"
        f"ssl_certificate {certificate}; ssl_certificate_key {certificate};\n{proxy_block(app_port)} }} }}\n"
    )
    wait_for(lambda: server.started, "the app listens")
    with nginx.running(folder, block, port):
        yield Site(content, url)
    server.should_exit = server.force_exit = True
    thread.join(20)
    content.ledger.close()


def test_our_own_pages_may_change_things(site: Site) -> None:
    with site.client(ADMIN) as client:
        assert client.post("/cameras", json=NEW).status_code == 201
        assert client.delete("/cameras/new").status_code == 204


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:8000", "null"])
def test_pages_of_others_may_not(site: Site, origin: str) -> None:
    with site.client(ADMIN) as client:
        answer = client.post("/cameras", json=NEW, headers={"origin": origin})
    assert answer.status_code == 403
    assert "page of another server" in answer.json()["detail"]


def test_a_viewer_sees_and_changes_nothing(site: Site) -> None:
    with site.client(VIEWER) as client:
        assert client.get("/cameras").status_code == 200
        assert client.post("/cameras", json=NEW).status_code == 403
    with site.client() as nobody:
        assert nobody.get("/cameras").status_code == 401


def test_a_picture_of_many_megabytes_arrives(site: Site) -> None:
    """And is refused by the app, which says why; nginx alone would take one megabyte."""
    with site.client(ADMIN) as client:
        answer = client.post("/predict", content=b"\xff" * 8_000_000)
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"


def live(site: Site, origin: str) -> ClientConnection:
    """The moving pictures."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with site.client(VIEWER) as client:
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    url = f"{site.url.replace('https', 'wss')}/live"
    headers = {"Cookie": cookies}
    return connect(url, ssl=trusting, origin=origin, additional_headers=headers, proxy=None)  # type: ignore[arg-type]


def test_pictures_move_for_our_own_pages_alone(site: Site) -> None:
    with live(site, site.url) as socket:
        picture = socket.recv(20)
    assert isinstance(picture, bytes)
    assert picture.endswith(b"jpeg")
    with pytest.raises(InvalidStatus):
        live(site, "https://evil.example")


def test_events_arrive_while_they_happen(site: Site) -> None:
    number = begin_event(site.content.ledger, "queue", NOW, "a40")
    from_the_first = {"Last-Event-ID": "0"}
    with (
        site.client(VIEWER) as client,
        client.stream("GET", "/events/stream", headers=from_the_first) as answer,
    ):
        line = next(line for line in answer.iter_lines() if line.startswith("data: "))
    assert json.loads(line.removeprefix("data: "))["event"]["id"] == number


@pytest.mark.browser
def test_the_app_works_in_a_browser(site: Site) -> None:
    with chromium() as browser:
        page = browser.new_page(ignore_https_errors=True, viewport={"width": 1800, "height": 900})
        complaints = Complaints(page, site.url.removeprefix("https://"))
        page.goto(f"{site.url}/login")
        page.get_by_label("token").fill(ADMIN)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/app/**")
        expect(page.get_by_text("0 of 2 cameras live")).to_be_visible(timeout=_WAIT_MS)
        page.get_by_role("tab", name="Models").click()
        page.get_by_role("button", name="What it takes").click()
        page.get_by_role("button", name="Learn now").click()
        expect(page.get_by_text("nothing to learn from").first).to_be_visible(timeout=_WAIT_MS)
        assert not complaints.elsewhere
        page.close()
