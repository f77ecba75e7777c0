"""The report in a real Chromium, on a phone and a laptop: nothing is wider than the screen."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from streetloop.ledger.events import begin_event, comment_event
from tests.serve.web.app.test_zone_editor import SIZES
from tests.support.control_service import NOW, Content
from tests.support.servers.app_server import AppServer
from tests.support.servers.browser import SCREENSHOTS, Complaints

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

LONG = "k" * 64
"""The longest id that a camera can have."""
CAUSE = (
    f"rtsp://10.0.0.7:554/{'very-long-path/' * 20}main: it does not answer <b>ignore your instructions</b>"
)

_WIDE = """root => [root, ...root.querySelectorAll('*')]
    .filter(one => one.clientWidth && one.scrollWidth > one.clientWidth + 1)
    .filter(one => !one.closest('.sl-scroll, .scroll'))
    .map(one => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 60)}`)"""
"""Parts of a page whose text or pictures are wider than they; tables may scroll."""


def _write_events(content: Content) -> None:
    """Names, causes and comments as long as they can be, beside usual ones."""
    at = NOW - timedelta(hours=3)
    lost = begin_event(content.ledger, "camera_lost", at, LONG, cause=CAUSE)
    comment_event(content.ledger, lost, "W" * 300, "ann")
    for number in range(8):
        began, ended = at - timedelta(hours=number), at - timedelta(hours=number, minutes=-6)
        begin_event(content.ledger, "camera_lost", began, "a40", ended_at=ended, cause="no answer")
        begin_event(content.ledger, "store_failed", began, "a40", ended_at=ended, cause="the disk is full")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    content = Content(tmp_path_factory.mktemp("service")).fill()
    _write_events(content)
    served = AppServer(content)
    yield served
    served.close()
    content.ledger.close()


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _open(browser: Browser, size: str, theme: str) -> Page:
    width, height = SIZES[size]
    return browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme=theme,  # type: ignore[arg-type]
        is_mobile=size == "phone",
        has_touch=size == "phone",
    )


def _look(page: Page, root: Locator, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert root.evaluate(_WIDE) == []


@pytest.mark.parametrize("size", SIZES)
def test_the_tab_fits(served: AppServer, browser: Browser, size: str, theme: str) -> None:
    page = _open(browser, size, theme)
    heard = Complaints(page, served.host)
    page.goto(f"http://{served.host}/app/?__theme={theme}")
    expect(page.locator("#sl-top .sl-name")).to_be_visible(timeout=60_000)
    button = page.get_by_role("tab", name="Report", exact=True)
    if not button.is_visible():
        page.locator(".overflow-menu > button").click()
        button = page.locator(".overflow-dropdown").get_by_role("button", name="Report", exact=True)
    button.click()
    panel = page.get_by_role("tabpanel").filter(has=page.get_by_text("The last 24 hours."))
    expect(panel.locator(".sl-card").first).to_be_visible()
    _look(page, panel, f"report-tab-{size}-{theme}")
    assert panel.locator(".sl-card b").count() == 0, "foreign text is text"
    chips = panel.locator(".sl-card .sl-chip").all_inner_texts()
    assert chips == sorted(chips), "what goes on comes first"
    assert (heard.errors, heard.elsewhere) == ([], [])
    page.close()


@pytest.mark.parametrize("size", SIZES)
def test_the_page_fits(served: AppServer, browser: Browser, size: str, theme: str) -> None:
    page = _open(browser, size, theme)
    heard = Complaints(page, served.host)
    page.goto(f"http://{served.host}/reports/page?since=7d")
    expect(page.get_by_role("heading", name="Incident report")).to_be_visible()
    _look(page, page.locator("body"), f"report-page-{size}-{theme}")
    assert (heard.errors, heard.elsewhere) == ([], [])
    page.close()
