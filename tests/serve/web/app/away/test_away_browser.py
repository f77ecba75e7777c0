"""The server goes away and comes back under an open page, in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.control_service import Content, Screens, jpeg, running
from tests.support.servers.accessibility import grave_findings
from tests.support.servers.app_server import AppServer
from tests.support.servers.browser import SCREENSHOTS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

_WAIT_MS = 60_000


@pytest.fixture
def served(tmp_path: Path) -> Iterator[AppServer]:
    content = Content(tmp_path / "home").fill()
    content.live.extend([running(), running("crossing")])
    served = AppServer(content, Screens(a40=(1, jpeg(3)), crossing=(1, jpeg(5))))
    yield served
    served.close()
    content.ledger.close()


def opened(browser: Browser, served: AppServer, path: str, size: tuple[int, int], theme: str) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if theme == "dark" else "light"
    )
    page = context.new_page()
    page.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    page.goto(f"http://{served.host}{path}")
    return page


@pytest.mark.parametrize(
    ("size", "theme"), [((1366, 768), "light"), ((390, 844), "dark")], ids=["laptop", "phone"]
)
def test_a_page_says_that_the_server_is_away_until_it_answers_again(
    browser: Browser, served: AppServer, size: tuple[int, int], theme: str
) -> None:
    page = opened(browser, served, "/app/", size, theme)
    cards, banner = page.locator("#sl-wall figure"), page.locator("#sl-away")
    expect(cards.first).to_have_attribute("data-shown", "1")
    expect(cards.first.locator(".sl-chip")).to_have_text("live")
    expect(page.locator("#sl-top .sl-name")).to_be_visible()
    expect(banner).to_be_empty()

    served.close()
    expect(banner).to_contain_text("The server has not answered since")
    expect(banner).to_contain_text("this page shows what was known then")
    expect(banner).to_be_in_viewport()
    expect(page.locator("#sl-wall figure.sl-stale")).to_have_count(2)
    expect(cards.first.locator(".sl-chip")).to_have_text("no answer")
    expect(page).to_have_title("(no answer) streetloop")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"away-{theme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert grave_findings(page) == []

    served.content.live[1] = running("crossing", state="lost", error="no answer of the camera")
    served.start()
    expect(banner).to_be_empty()
    expect(page.locator("#sl-wall figure.sl-stale")).to_have_count(0)
    expect(cards.first.locator(".sl-chip")).to_have_text("live")
    expect(page.locator("[data-camera=crossing] .sl-chip")).to_have_text("lost")
    expect(page.locator("#sl-top")).to_contain_text("1 of 2 cameras live")
    expect(page).to_have_title("(2) streetloop")  # a learning run is parked, too
    page.get_by_role("tab", name="Health").click()
    expect(page.locator(".sl-problems:visible")).to_contain_text("crossing: no answer of the camera")
    page.context.close()


def test_the_page_of_a_camera_says_it_too(browser: Browser, served: AppServer) -> None:
    page = opened(browser, served, "/app/cameras/a40", (1366, 768), "light")
    expect(page.locator("#sl-state")).to_have_text("live")
    served.close()
    expect(page.locator("#sl-away")).to_contain_text("The server has not answered since")
    served.start()
    expect(page.locator("#sl-away")).to_be_empty()
    expect(page.locator("#sl-now")).to_contain_text("frames a second")
    page.context.close()
