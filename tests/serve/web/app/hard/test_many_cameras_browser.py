"""Five hundred cameras in the app, in a real Chromium."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from drift.period_log import PeriodLog
from streetloop.cameras.camera_file import parse_camera
from tests.drift.support import make_period
from tests.support.control_service import Content, Screens, jpeg, running
from tests.support.servers.app_server import AppServer
from tests.support.servers.browser import SCREENSHOTS, Complaints

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

_IDS = [f"camera-{number:03d}" for number in range(500)]
_TABS = {
    "Health": ".sl-account tbody tr",
    "Drift": ".sl-card:visible",
    "Counts and alerts": ".sl-table:visible",
    "Cameras": "input[aria-label='Camera']:visible",
    "Cities": ".sl-table:visible",
    "Zones": "#sl-editor select",
    "Streets": "#sl-wall figure",
}
_WAIT_MS = 60_000
_OPENS_S = 10.0
"""A tab of five hundred cameras; of a loaded machine of two cores."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """All of them live but two, of which one is at the very end."""
    content = Content(tmp_path_factory.mktemp("home"))
    cameras = [
        parse_camera({"id": name, "uri": f"rtsp://10.0.0.7/{name}", "city": f"city {name[-1]}"})
        for name in _IDS
    ]
    content.service = type(content.service)(content.settings, cameras, live=lambda: content.live)
    content.live.extend(running(name, city=f"city {name[-1]}") for name in _IDS)
    content.live[250] = running(_IDS[250], state="lost", error="no answer")
    content.live[499] = running(_IDS[499], state="lost", error="no answer")
    log = PeriodLog(content.store)
    for name in _IDS[:20]:
        for number in range(20):
            log.append(make_period(number, name, datetime.now(UTC) - timedelta(minutes=30)))
    log.flush()
    served = AppServer(content, Screens(**{name: (1, jpeg(3)) for name in _IDS}))
    yield served
    served.close()
    content.ledger.close()


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)], ids=["laptop", "phone"])
def test_every_tab_opens_and_what_is_ill_comes_first(
    browser: Browser, served: AppServer, size: tuple[int, int]
) -> None:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    heard = Complaints(page, served.host)
    page.goto(f"http://{served.host}/app/")
    expect(page.locator("#sl-wall figure")).to_have_count(500)
    page.get_by_label("find a camera").fill("camera-499")
    expect(page.locator("#sl-wall figure")).to_have_count(1)
    page.get_by_label("find a camera").fill("")
    page.get_by_label("problems first").check()
    expect(page.locator("#sl-wall figure").first).to_have_attribute("data-camera", "camera-250")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    took = {}
    for name, part in _TABS.items():
        began = time.monotonic()
        page.get_by_role("tab", name=name, exact=True).click()
        expect(page.locator(part).first).to_be_visible()
        took[name] = time.monotonic() - began
        page.screenshot(path=SCREENSHOTS / f"many-{name.lower().replace(' ', '-')}-{size[0]}.png")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
    print(took)
    assert max(took.values()) < _OPENS_S, took
    page.get_by_role("tab", name="Health", exact=True).click()
    rows = page.locator(".sl-account tbody tr")
    expect(rows.first).to_contain_text("camera-250")
    expect(rows.nth(1)).to_contain_text("camera-499")
    assert rows.count() <= 100
    expect(page.get_by_text("400 more cameras are well")).to_be_visible()
    page.get_by_role("tab", name="Drift", exact=True).click()
    expect(page.get_by_text("440 more cameras are not shown")).to_be_visible()
    page.close()
    assert heard.errors == []


def test_the_page_of_the_last_camera_opens_and_leads_on(browser: Browser, served: AppServer) -> None:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(_WAIT_MS)
    page.goto(f"http://{served.host}/app/cameras/camera-499")
    expect(page.get_by_label("another camera").locator("option")).to_have_count(500)
    expect(page).to_have_title("(1) camera-499 - streetloop", timeout=_WAIT_MS)
    page.close()
