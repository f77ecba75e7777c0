"""An explanation is shown by keyboard, touch and mouse, in a real Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.control_service import Content, Screens, jpeg, register_versions, running
from tests.support.servers.accessibility import grave_findings
from tests.support.servers.app_server import AppServer
from tests.support.servers.browser import SCREENSHOTS, Complaints

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

_WAIT_MS = 60_000
_INSIDE = """() => {
  const box = document.getElementById("sl-hint").getBoundingClientRect();
  const across = box.width > 40 && box.left >= 0 && box.right <= innerWidth;
  return across && box.top >= 0 && box.bottom <= innerHeight;
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    content = Content(tmp_path_factory.mktemp("home"), labeler="app").fill()
    register_versions(content)
    content.live.append(running())
    served = AppServer(content, Screens(a40=(1, jpeg(3))))
    yield served
    served.close()
    content.ledger.close()


def keep(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def test_the_keyboard_reaches_an_explanation_and_closes_it(browser: Browser, served: AppServer) -> None:
    page = browser.new_page(viewport={"width": 1366, "height": 768}, color_scheme="light")
    page.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    heard = Complaints(page, served.host)
    page.goto(f"http://{served.host}/app/#rollout")
    tip = page.locator("#sl-hint")
    word = page.locator(".sl-stages .sl-term", has_text="shadow")
    expect(word).to_be_visible()
    expect(tip).to_be_hidden()
    page.locator(".sl-stages").focus()
    page.keyboard.press("Tab")
    expect(word).to_be_focused()
    expect(tip).to_contain_text("what it says is compared, and not used")
    expect(word).to_have_attribute("aria-describedby", "sl-hint")
    assert page.evaluate(_INSIDE)
    assert grave_findings(page) == []
    keep(page, "hint-laptop-light")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    effects = page.locator(".sl-effects:visible").first
    expect(effects).to_contain_text("1 camera back from version 3 to version 1")
    page.get_by_role("tab", name="Models").click()
    page.locator(".sl-lineage .sl-chip", has_text="champion").hover()
    expect(tip).to_have_text("the champion serves; a challenger may replace it")
    tip.hover()
    expect(tip).to_be_visible()
    page.get_by_role("tab", name="Models").hover()
    expect(tip).to_be_hidden()
    page.close()
    assert heard.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_touch_shows_an_explanation_and_another_closes_it(
    browser: Browser, served: AppServer, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        color_scheme=scheme,  # type: ignore[arg-type]
        has_touch=True,
        is_mobile=True,
    )
    page = context.new_page()
    page.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    page.goto(f"http://{served.host}/app/#health")
    tip = page.locator("#sl-hint")
    page.locator("dfn", has_text="over the asked rate").tap()
    expect(tip).to_contain_text("more frames a second than it is asked for")
    assert page.evaluate(_INSIDE)
    keep(page, f"hint-phone-{scheme}")
    page.locator("h2", has_text="Frame accounting").locator("dfn").tap()
    expect(tip).to_contain_text("every frame that arrived since the start")
    page.locator(".sl-table:visible td").last.tap()
    expect(tip).to_be_hidden()
    page.get_by_role("tab", name="Counts and alerts").tap()
    page.locator("time:visible").first.tap()
    expect(tip).to_contain_text("UTC")
    context.close()
