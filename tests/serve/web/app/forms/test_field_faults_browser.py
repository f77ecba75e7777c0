"""What is wrong with a field stands under it, in a real Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.control_service import Content
from tests.support.servers.accessibility import grave_findings
from tests.support.servers.app_server import AppServer
from tests.support.servers.browser import SCREENSHOTS, Complaints

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SIZES = {"laptop": (1366, 768), "phone": (390, 844)}
SIM = "sim://larkfield/gantry"
_WAIT_MS = 60_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    content = Content(tmp_path_factory.mktemp("home"))
    served = AppServer(content)
    yield served
    served.close()
    content.ledger.close()


def opened(browser: Browser, served: AppServer, tab: str, size: str, theme: str) -> Page:
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    page.goto(f"http://{served.host}/app/?__theme={theme}#{tab}")
    return page


@pytest.mark.parametrize(("size", "theme"), [("laptop", "light"), ("phone", "dark")])
def test_a_refused_camera_says_why_under_its_fields(
    browser: Browser, served: AppServer, size: str, theme: str
) -> None:
    page = opened(browser, served, "cameras", size, theme)
    heard = Complaints(page, served.host)
    name = f"new-{size}"
    rate, lines = page.get_by_label("Frames per second"), page.get_by_label("Counting lines")
    page.get_by_label("Id").fill(name)
    page.get_by_label("Address").fill(SIM)
    rate.fill("fast")
    lines.fill("avenue")
    save = page.get_by_role("button", name="Save", exact=True)
    save.click()
    expect(lines).to_have_attribute("aria-invalid", "true")
    expect(lines).to_have_accessible_description(
        "counting line 'avenue': write a name, a colon and four numbers"
    )
    expect(lines).to_be_focused()
    lines.fill("avenue: 0 0 1 1")
    expect(lines).not_to_have_attribute("aria-invalid", "true")
    save.click()
    expect(rate).to_have_accessible_description("must be a number")
    expect(page.locator(".sl-fault")).to_have_count(1)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"faults-{size}-{theme}.png", full_page=True)
    assert page.locator(".toast-body").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert grave_findings(page) == []
    page.evaluate("document.querySelector('.sl-fault').dataset.before = 'yes'")
    page.get_by_role("button", name="Test", exact=True).click()  # says the same of the same fields
    expect(page.locator(".sl-fault:not([data-before])")).to_have_count(1)
    expect(page.locator(".sl-fault")).to_have_count(1)
    rate.fill("5")
    expect(page.locator(".sl-fault")).to_have_count(0)
    save.click()
    expect(page.get_by_text(f"{name} is saved")).to_be_visible()
    expect(page.locator(".sl-fault")).to_have_count(0)
    assert served.content.service.camera(name).fps == 5
    assert heard.errors == []
    page.close()


def test_other_forms_say_it_under_their_fields_too(browser: Browser, served: AppServer) -> None:
    page = opened(browser, served, "cities", "laptop", "light")
    page.get_by_role("button", name="Put them there").click()
    name = page.get_by_label("Name of the city, also of a new one")
    expect(name).to_have_accessible_description("write the name of the city")
    name.fill("Oslo")
    page.get_by_role("button", name="Put them there").click()
    expect(page.get_by_label("Cameras of the city")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("tab", name="Counts and alerts").click()
    number = page.get_by_label("Event", exact=True)
    number.fill("999")
    page.get_by_role("button", name="Acknowledge").click()
    expect(number).to_have_attribute("aria-invalid", "true")
    page.screenshot(path=SCREENSHOTS / "faults-event.png", full_page=True)
    page.get_by_role("tab", name="Rollout").click()
    page.get_by_role("button", name="New rollout").click()
    page.get_by_role("button", name="Start a rollout").click()
    expect(page.get_by_text("choose the version that is to be tried")).to_be_visible()
    assert page.locator(".toast-body").count() == 0
    page.screenshot(path=SCREENSHOTS / "faults-rollout.png", full_page=True)
    page.close()
