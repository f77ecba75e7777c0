"""The steps of the loop stand beside every tab, in a real Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.control_service import Content, Screens, jpeg, running
from tests.support.servers.accessibility import grave_findings
from tests.support.servers.app_server import AppServer
from tests.support.servers.browser import SCREENSHOTS, Complaints

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

_WAIT_MS = 60_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    content = Content(tmp_path_factory.mktemp("home"), labeler="oracle").fill()
    content.live.append(running())
    served = AppServer(content, Screens(a40=(1, jpeg(3))))
    yield served
    served.close()
    content.ledger.close()


@pytest.mark.parametrize(
    ("width", "height", "scheme", "highest"),
    [(1366, 768, "light", 130), (1366, 768, "dark", 130), (390, 844, "light", 120), (390, 844, "dark", 120)],
)
def test_the_steps_stand_beside_every_tab_and_lead_to_theirs(
    browser: Browser, served: AppServer, width: int, height: int, scheme: str, highest: float
) -> None:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    heard = Complaints(page, served.host)
    page.goto(f"http://{served.host}/app/")
    steps = page.locator(".sl-guide")
    expect(steps).to_be_visible()
    expect(steps.get_by_role("listitem")).to_have_count(5)
    for name in ("Drift", "Cameras", "Zones"):
        page.get_by_role("tab", name=name, exact=True).click()
        expect(steps).to_be_in_viewport()
    expect(page.get_by_text("Look at the gain and its band").locator("visible=true")).to_have_count(1)
    box = steps.bounding_box()
    assert box is not None
    assert box["height"] <= highest, "the tab is what is looked at"
    steps.get_by_role("link", name="4. Training").click()
    expect(page.get_by_role("tab", name="Models", exact=True)).to_have_attribute("aria-selected", "true")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"guide-{width}-{scheme}.png")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert grave_findings(page) == []
    page.get_by_role("button", name="less of the steps").click()
    expect(page.get_by_text("Look at the gain and its band").locator("visible=true")).to_have_count(0)
    page.reload()
    expect(steps.get_by_role("link", name="4. Training")).to_be_visible()
    expect(page.get_by_text("Look at the gain and its band").locator("visible=true")).to_have_count(0)
    page.get_by_role("button", name="more of the steps").click()
    expect(page.get_by_text("Look at the gain and its band").locator("visible=true")).to_have_count(1)
    page.close()
    assert [one for one in heard.errors if "/app/assets/" not in one] == []
    assert heard.elsewhere == []
