"""A new installation in a real Chromium: the app leads, tells of events, and undoes a removal."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from flows.service.control_service import ControlService
from streetloop.ledger.events import begin_event, end_event
from tests.support.control_service import Content
from tests.support.servers.accessibility import grave_findings
from tests.support.servers.app_server import AppServer, app_server
from tests.support.servers.browser import SCREENSHOTS, Complaints, chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

_WAIT_MS = 60_000


@pytest.fixture
def served(tmp_path: Path) -> Iterator[AppServer]:
    content = Content(tmp_path / "home")
    content.service = ControlService(content.settings, [], live=lambda: content.live)
    with app_server(content) as served:
        yield served
    content.ledger.close()


def keep(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def test_a_new_installation_is_led_from_nothing_to_an_event(served: AppServer) -> None:
    expect.set_options(timeout=_WAIT_MS)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1366, "height": 768}, color_scheme="light")
        page.set_default_timeout(_WAIT_MS)
        heard = Complaints(page, served.host)
        page.goto(f"http://{served.host}/app/")
        _lead(page)
        _say_what_happens(page, served)
        _take_back(page, served)
        # The assets are Gradio's, which complains of requests that end when its page is left.
        assert [one for one in heard.errors if "/app/assets/" not in one] == []
        assert heard.elsewhere == []


def _lead(page: Page) -> None:
    """Four steps, of which a click on the city does the first."""
    expect(page.locator(".sl-first .sl-open")).to_have_count(4)
    keep(page, "first-run-laptop-light")
    assert grave_findings(page) == []
    page.get_by_role("button", name="Try one street of the city").click()
    expect(page.locator(".sl-first .sl-done")).to_have_count(1)
    expect(page.get_by_role("button", name="Try four streets")).to_have_count(0)
    page.get_by_role("button", name="Hide").click()
    expect(page.locator(".sl-first")).to_be_hidden()
    page.reload()
    expect(page.locator(".sl-loop")).to_be_visible()
    expect(page.locator(".sl-first")).to_be_hidden()


def _say_what_happens(page: Page, served: AppServer) -> None:
    """A toast that leads to the event, and is not there again after a reload."""
    page.wait_for_function("sessionStorage.getItem('streetloop-change') !== null")
    ledger, now = served.content.ledger, datetime.now(UTC)
    number = begin_event(ledger, "camera_lost", now, "kingsport-crossing", cause="<b>no route</b>")
    toast = page.locator(".sl-toast a")
    expect(toast).to_have_text("kingsport-crossing: camera lost (<b>no route</b>)")
    assert grave_findings(page) == []
    keep(page, "toast-laptop-light")
    page.reload()
    end_event(ledger, number, now)
    expect(toast).to_have_text("kingsport-crossing: camera lost (<b>no route</b>) is over")
    toast.hover()  # it stays
    for kind in ("a", "b", "c", "d"):
        begin_event(ledger, kind, now)
    expect(toast.last).to_have_text("4 events began")
    toast.first.click()
    expect(page).to_have_url(f"http://{served.host}/app/events/{number}")
    expect(page).to_have_title(f"(1) Event {number} - streetloop")  # no stream runs
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("h1")).to_contain_text("acknowledged")
    page.get_by_label("Comment").fill("a tree")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".sl-facts")).to_contain_text("a tree")
    keep(page, "event-laptop-light")
    assert grave_findings(page) == []


def _take_back(page: Page, served: AppServer) -> None:
    """A camera is removed, and is there again; a city is renamed."""
    page.goto(f"http://{served.host}/app/#cameras")
    page.get_by_label("Camera", exact=True).first.click()
    page.get_by_role("option", name="kingsport-crossing").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Undo: add kingsport-crossing again").click()
    expect(page.get_by_text("kingsport-crossing is there again")).to_be_visible()
    page.get_by_role("tab", name="Cities").click()
    expect(page.locator(".sl-table").get_by_text("kingsport", exact=True)).to_be_visible()
    keep(page, "cities-laptop-light")
    expect(page.locator(".toast-body")).to_have_count(0)  # Gradio's; a button within a button
    assert grave_findings(page) == []
