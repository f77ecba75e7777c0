"""A hidden page asks for nothing; over a slow link the wall shows less and buttons work."""

import time
from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from streetloop.control.port import DEFAULT_WIDTH
from streetloop.images import encode_jpeg
from tests.support.control_service import Content, Screens, running
from tests.support.servers.app_server import AppServer
from tests.support.stream_flow.fakes import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

_CAMERAS = [f"c{number}" for number in range(6)]
_WAIT_MS = 60_000
_SLOW = {"offline": False, "latency": 400, "downloadThroughput": 60_000, "uploadThroughput": 30_000}
_HIDE = """is => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => is });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


class Moving(Screens):
    """Every camera has a new picture whenever it is asked for, of some 20 kB."""

    def __init__(self) -> None:
        super().__init__()
        noise = np.random.default_rng(1).integers(0, 255, (160, 240, 3), np.uint8)
        self._jpeg, self._number = encode_jpeg(noise), 0

    async def newest(
        self, after: Mapping[str, int], width: int = DEFAULT_WIDTH, cameras: Collection[str] | None = None
    ) -> dict[str, tuple[int, bytes]]:
        self._number += 1
        self.asked.append(dict(after))
        wanted = _CAMERAS if cameras is None else cameras
        return dict.fromkeys(wanted, (self._number, self._jpeg))


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    content = Content(tmp_path_factory.mktemp("home")).fill()
    content.service = type(content.service)(content.settings, [], live=lambda: content.live)
    for name in _CAMERAS:
        content.service.put_camera({"id": name, "uri": f"rtsp://10.0.0.7/{name}"}, "ann", new=True)
    content.live.extend(running(name) for name in _CAMERAS)
    served = AppServer(content, Moving())
    yield served
    served.close()
    content.ledger.close()


def shown(page: Page) -> int:
    """Pictures that the wall has shown, of all cameras together."""
    script = "all => all.reduce((sum, one) => sum + Number(one.dataset.shown || 0), 0)"
    return int(page.locator("#sl-wall figure").evaluate_all(script))


def test_a_hidden_page_asks_for_nothing_until_it_is_seen_again(
    browser: Browser, served: AppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[float] = []
    health = served.content.service.health
    monkeypatch.setattr(served.content.service, "health", lambda: (drawn.append(0.0), health())[1])
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    page.clock.install()
    page.goto(f"http://{served.host}/app/")
    expect(page.locator("#sl-wall figure")).to_have_count(len(_CAMERAS))
    page.wait_for_function("document.querySelector('#sl-wall figure').dataset.shown >= 3")
    eventually(lambda: len(drawn) >= 3)  # the panels are kept fresh
    asked: list[str] = []
    page.evaluate(_HIDE, True)
    page.wait_for_function("document.querySelector('#sl-top .sl-name')")
    page.clock.run_for(2_000)  # what was under way ends
    before, panels = shown(page), len(drawn)
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(60_000)
    assert shown(page) <= before + len(_CAMERAS)
    assert [url for url in asked if url.endswith(("/health", "/status"))] == []
    assert len(drawn) == panels, "the panels are not drawn for nobody"
    page.evaluate(_HIDE, False)
    eventually(lambda: len(drawn) > panels)
    page.wait_for_function(
        "before => Number(document.querySelector('#sl-wall figure').dataset.shown) > before",
        arg=before // len(_CAMERAS) + 1,
    )
    page.close()


def test_alerts_and_counts_come_anew_while_their_tab_is_seen(
    browser: Browser, served: AppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[float] = []
    events = served.content.service.events
    monkeypatch.setattr(
        served.content.service, "events", lambda *a, **k: (drawn.append(0.0), events(*a, **k))[1]
    )
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.clock.install()
    page.goto(f"http://{served.host}/app/#counts-and-alerts")
    expect(page.get_by_label("Camera of alerts")).to_be_visible(timeout=_WAIT_MS)
    eventually(lambda: len(drawn) >= 1)
    before = len(drawn)
    eventually(lambda: len(drawn) > before)
    page.evaluate(_HIDE, True)
    page.clock.run_for(2_000)  # what was under way ends
    before = len(drawn)
    page.clock.run_for(60_000)
    assert len(drawn) == before, "the alerts are not drawn for nobody"
    page.close()


def test_over_a_slow_link_the_wall_shows_less_and_buttons_work(browser: Browser, served: AppServer) -> None:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    page.goto(f"http://{served.host}/app/")
    expect(page.locator("#sl-wall figure")).to_have_count(len(_CAMERAS))

    def rate(pictures: int) -> float:
        first, began = shown(page), time.monotonic()
        page.wait_for_function(
            """least => [...document.querySelectorAll('#sl-wall figure')]
                .reduce((sum, one) => sum + Number(one.dataset.shown || 0), 0) >= least""",
            arg=first + pictures,
        )
        return (shown(page) - first) / (time.monotonic() - began)

    fast = rate(120)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", _SLOW)
    slow = rate(12)
    assert slow < fast / 2, (slow, fast)
    began = time.monotonic()
    page.get_by_role("tab", name="Health").click()
    expect(page.locator(".sl-account tbody tr")).to_have_count(len(_CAMERAS))
    page.get_by_role("tab", name="Rollout").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("pause is requested")).to_be_visible()
    assert time.monotonic() - began < 30
    expect(page.locator("#sl-away")).to_be_empty()
    page.close()
