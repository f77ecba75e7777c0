"""Names of any script, right to left and as long as they may be, in a real Chromium."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from streetloop.cameras.camera_file import parse_camera
from streetloop.ledger.events import begin_event
from tests.support.control_service import Content, Screens, jpeg, running
from tests.support.servers.app_server import AppServer
from tests.support.servers.browser import SCREENSHOTS, Complaints

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

LONG_ID = "W" * 64
LONG_LINE = "W" * 100
LONG_CITY = "Llanfairpwllgwyngyll" * 5
ARABIC, HEBREW, HAN = "مدينة القاهرة الجديدة", "תל אביב-יפו", "東京都新宿区高架橋"
_CAMERAS: dict[str, dict[str, Any]] = {
    LONG_ID: {"city": LONG_CITY, "lines": {LONG_LINE: [[0.1, 0.5], [0.9, 0.5]]}},
    "cairo": {"city": ARABIC, "lines": {"شارع التحرير": [[0.1, 0.5], [0.9, 0.5]]}},
    "yafo": {"city": HEBREW, "lines": {HAN: [[0.1, 0.5], [0.9, 0.5]]}},
}
_TABS = {
    "Streets": "#sl-wall figure",
    "Recordings": "#sl-days-note",
    "Counts and alerts": ".sl-table:visible",
    "Drift": ".sl-card:visible, .sl-empty:visible",
    "Health": ".sl-account tbody tr",
    "Cameras": "input[aria-label='Camera']:visible",
    "Cities": ".sl-table:visible",
    "Zones": "#sl-editor select",
}
_WAIT_MS = 60_000
_CUT = """names => [...document.querySelectorAll('body *')].filter(one =>
  one.offsetParent !== null && names.some(name => one.textContent.includes(name))
  && one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0
  && ['hidden', 'clip'].includes(getComputedStyle(one).overflowX)
  && !one.closest('[title]')
).map(one => `${one.tagName}.${one.className} ${one.scrollWidth} > ${one.clientWidth}`)"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    content = Content(tmp_path_factory.mktemp("home"))
    cameras = [
        parse_camera({"id": name, "uri": f"rtsp://10.0.0.7/{name}", **values})
        for name, values in _CAMERAS.items()
    ]
    content.service = type(content.service)(content.settings, cameras, live=lambda: content.live)
    for name, values in _CAMERAS.items():
        (line,) = values["lines"]
        content.live.append(running(name, **values, crossings={line: {"in": 4, "out": 2}}))
        content.add_counts(
            datetime.now(UTC) - timedelta(minutes=5), {(line, "in", "car"): 3}, {line: 60.0}, name
        )
        begin_event(content.ledger, "frozen picture", datetime.now(UTC) - timedelta(minutes=9), name)
    served = AppServer(content, Screens(**{name: (1, jpeg(3)) for name in _CAMERAS}))
    yield served
    served.close()
    content.ledger.close()


def is_whole(page: Page, where: str, size: int) -> None:
    """Nothing is wider than the page, and no name is cut without a title."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"names-{where.lower().replace(' ', '-')}-{size}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, where
    names = [LONG_ID, LONG_LINE, LONG_CITY, ARABIC, HEBREW, HAN]
    assert page.evaluate(_CUT, names) == [], where


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)], ids=["laptop", "phone"])
def test_no_name_breaks_the_layout_or_is_cut(
    browser: Browser, served: AppServer, size: tuple[int, int]
) -> None:
    expect.set_options(timeout=_WAIT_MS)
    with _opened(browser, served, "", size) as page:
        _look_at_the_tabs(page, size[0])
    # Pages of their own: whoever leaves the app in the middle of a request hears Gradio complain.
    with _opened(browser, served, f"cameras/{LONG_ID}", size) as page:
        expect(page.locator("h1")).to_contain_text(LONG_ID)
        expect(page.locator("#sl-events")).to_contain_text("frozen picture")
        is_whole(page, "camera", size[0])
    with _opened(browser, served, "events/1", size) as page:
        expect(page.locator("#sl-event")).to_contain_text(LONG_ID)
        is_whole(page, "event", size[0])


@contextmanager
def _opened(browser: Browser, served: AppServer, path: str, size: tuple[int, int]) -> Iterator[Page]:
    """A page of the app, which must not complain."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_default_timeout(_WAIT_MS)
    heard = Complaints(page, served.host)
    page.goto(f"http://{served.host}/app/{path}")
    yield page
    said = list(heard.errors)
    page.close()
    assert said == []


def _look_at_the_tabs(page: Page, width: int) -> None:
    for name, part in _TABS.items():
        page.get_by_role("tab", name=name, exact=True).click()
        expect(page.locator(part).first).to_be_visible()
        if name == "Cameras":
            page.get_by_label("Camera", exact=True).locator("visible=true").first.click()
            page.get_by_role("option", name=LONG_ID).click()
            expect(page.get_by_label("Id")).to_have_value(LONG_ID)
        if name == "Zones":
            page.locator("#sl-editor select").first.select_option(LONG_ID)
            expect(page.locator("#sl-editor .sl-shapes input").first).to_have_value(LONG_LINE)
        is_whole(page, name, width)


def test_a_name_from_right_to_left_keeps_what_stands_beside_it(browser: Browser, served: AppServer) -> None:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(_WAIT_MS)
    page.goto(f"http://{served.host}/app/#cities")
    row = page.locator(".sl-table tr").filter(has_text=ARABIC).first
    expect(row).to_be_visible(timeout=_WAIT_MS)
    assert page.evaluate("getComputedStyle(document.querySelector('.sl-table')).direction") == "ltr"
    cells = row.locator("td").all()
    lefts = [box["x"] for cell in cells if (box := cell.bounding_box()) is not None]
    assert lefts == sorted(lefts)
    page.close()
