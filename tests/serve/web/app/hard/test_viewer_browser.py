"""What a viewer's token may not do is not shown, in a real Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from serve.web.access.roles import COOKIE, AccessTokens, Guard, cookie_of
from tests.support.control_service import Content, Screens, jpeg, register_versions, running
from tests.support.servers.app_server import AppServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

_TABS = ("Streets", "Review", "Models", "Rollout", "Cameras", "Cities", "Drift", "Health")
_TOKENS = {"viewer": "look", "operator": "ops", "admin": "root"}
_WAIT_MS = 60_000
_CHANGES = ".sl-operator:visible, .sl-admin:visible"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    content = Content(tmp_path_factory.mktemp("home"), labeler="app").fill()
    register_versions(content)
    content.live.append(running())
    guard = Guard(AccessTokens(**_TOKENS))
    served = AppServer(content, Screens(a40=(1, jpeg(3))), guard)
    yield served
    served.close()
    content.ledger.close()


def opened(browser: Browser, served: AppServer, role: str, path: str = "/app/") -> Page:
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    url = f"http://{served.host}"
    context.add_cookies([{"name": COOKIE, "value": cookie_of(_TOKENS[role]), "url": url}])
    page = context.new_page()
    page.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    page.goto(url + path)
    return page


def test_no_tab_offers_a_viewer_what_he_may_not_do(browser: Browser, served: AppServer) -> None:
    page = opened(browser, served, "viewer")
    expect(page.locator("body")).to_have_attribute("data-role", "viewer")
    for name in _TABS:
        page.get_by_role("tab", name=name, exact=True).click()
        expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
        expect(page.locator(_CHANGES)).to_have_count(0)
    page.goto(f"http://{served.host}/app/events/1")
    expect(page.locator("body")).to_have_attribute("data-role", "viewer")
    expect(page.locator(_CHANGES)).to_have_count(0)
    page.context.close()


def test_nothing_that_a_role_may_not_do_is_shown_before_the_role_is_known(
    browser: Browser, served: AppServer
) -> None:
    page = opened(browser, served, "operator", "/login")
    asked: list[str] = []
    page.route("**/me", lambda route: asked.append(route.request.url))  # the answer does not come
    page.goto(f"http://{served.host}/app/#rollout")
    button = page.get_by_role("button", name="Roll back", include_hidden=True)
    expect(button).to_have_count(1)
    page.wait_for_function("document.querySelector('.sl-stages')?.offsetParent")
    assert asked
    expect(button).to_be_hidden()
    page.unroute("**/me")
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-role", "operator")
    expect(page.get_by_role("button", name="Roll back")).to_be_visible()
    page.context.close()


def test_an_operator_sees_the_buttons_of_an_operator_and_not_of_an_admin(
    browser: Browser, served: AppServer
) -> None:
    page = opened(browser, served, "operator", "/app/#rollout")
    expect(page.get_by_role("button", name="Roll back")).to_be_visible()
    page.get_by_role("tab", name="Cameras", exact=True).click()
    expect(page.get_by_label("Address")).to_be_visible()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_hidden()
    page.context.close()
    page = opened(browser, served, "admin", "/app/#cameras")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_visible()
    page.context.close()
