"""Lines, zones and masks drawn on a still, in a real Chromium, over the real API."""

from collections.abc import Callable, Iterator

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from streetloop.images import encode_jpeg
from tests.support.control_service import FILE, Content, Screens
from tests.support.servers.app_server import AppServer
from tests.support.servers.browser import SCREENSHOTS, Complaints

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SIZES = {"laptop": (1366, 900), "phone": (390, 844)}
EVIL = "Straße <img src=x onerror=alert(1)> 高架"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    picture = np.full((360, 640, 3), 90, np.uint8)
    picture[180:] = (60, 70, 60)
    served = AppServer(Content(tmp_path_factory.mktemp("service")), Screens(a40=(1, encode_jpeg(picture))))
    yield served
    served.close()
    served.content.ledger.close()


@pytest.fixture
def editor(browser: Browser, served: AppServer) -> Iterator[Callable[..., Page]]:
    """Opens the editor; whatever the page complains of fails the test."""
    heard: list[Complaints] = []
    served.content.service.put_camera(FILE[0], "test", new=False)

    def open_editor(size: str = "laptop", *, dark: bool = False) -> Page:
        width, height = SIZES[size]
        page = browser.new_context(
            viewport={"width": width, "height": height}, has_touch=size == "phone"
        ).new_page()
        heard.append(Complaints(page, served.host))
        page.goto(f"http://{served.host}/app/?__theme={'dark' if dark else 'light'}")
        expect(page.locator("#sl-top .sl-name")).to_be_visible(timeout=30_000)
        page.get_by_role("tab", name="Zones", exact=True).click()
        expect(page.locator("#sl-editor img")).to_be_visible()
        return page

    yield open_editor
    for context in browser.contexts:
        context.close()
    for one in heard:
        assert [error for error in one.errors if "/cameras/a40)" not in error] == [], "a refusal is said"
        assert one.elsewhere == []


def corner(page: Page, x: float, y: float) -> tuple[float, float]:
    box = page.locator("#sl-editor svg").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*corner(page, *start))
    page.mouse.down()
    page.mouse.move(*corner(page, *end), steps=4)
    page.mouse.up()


def saved(page: Page, served: AppServer) -> httpx.Response:
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#sl-editor [role=status]")).to_contain_text("is saved")
    return httpx.get(f"http://{served.host}/cameras/a40")


def rows(page: Page) -> Locator:
    return page.locator("#sl-editor .sl-shapes li")


def test_a_line_is_drawn_dragged_renamed_and_deleted(editor: Callable[..., Page], served: AppServer) -> None:
    page = editor()
    page.get_by_role("button", name="Draw a line").click()
    drag(page, (0.1, 0.5), (0.6, 0.8))
    rows(page).last.get_by_label("Name").fill(EVIL)
    view = saved(page, served).json()
    assert np.allclose(view["lines"][EVIL], [[0.1, 0.5], [0.6, 0.8]], atol=0.01)
    assert view["fps"] == 10
    drag(page, (0.6, 0.8), (0.9, 0.6))
    line = saved(page, served).json()["lines"][EVIL]
    assert np.allclose(line, [[0.1, 0.5], [0.9, 0.6]], atol=0.01)
    rows(page).last.get_by_role("button", name="Turn round").click()
    assert saved(page, served).json()["lines"][EVIL] == line[::-1]
    rows(page).last.get_by_role("button", name="Delete").click()
    assert list(saved(page, served).json()["lines"]) == ["in"]


def test_a_line_with_a_length_lies_along_the_road(editor: Callable[..., Page], served: AppServer) -> None:
    page = editor()
    page.get_by_role("button", name="Draw a line").click()
    drag(page, (0.5, 0.9), (0.5, 0.3))
    arrows = page.locator("#sl-editor .sl-arrow")
    across = arrows.last.get_attribute("y2")
    rows(page).last.get_by_label("Length of line 1").fill("62.5")
    assert arrows.last.get_attribute("y2") != across
    page.screenshot(path=SCREENSHOTS / "zones-length.png", full_page=True)
    line = saved(page, served).json()["lines"]["line 1"]
    assert (line["length_m"], np.allclose(line["points"], [[0.5, 0.9], [0.5, 0.3]], atol=0.01)) == (
        62.5,
        True,
    )
    rows(page).last.get_by_label("Length of line 1").fill("")
    assert isinstance(saved(page, served).json()["lines"]["line 1"], list)
    rows(page).last.get_by_role("button", name="Delete").click()
    saved(page, served)


def test_a_zone_gets_corners_a_kind_and_a_direction(editor: Callable[..., Page], served: AppServer) -> None:
    page = editor(dark=True)
    page.get_by_role("button", name="Draw a zone").click()
    drag(page, (0.2, 0.3), (0.7, 0.9))
    drag(page, (0.45, 0.3), (0.45, 0.1))  # the middle of its upper edge becomes a corner
    rows(page).last.get_by_role("button", name="Direction").click()
    page.screenshot(path=SCREENSHOTS / "zones-dark.png")
    zone = saved(page, served).json()["zones"]["zone 1"]
    assert zone["kind"] == "carriageway"
    assert np.allclose(
        zone["polygon"], [[0.2, 0.3], [0.45, 0.1], [0.7, 0.3], [0.7, 0.9], [0.2, 0.9]], atol=0.01
    )
    assert zone["direction"][1][1] < zone["direction"][0][1]
    rows(page).last.get_by_label("Kind").select_option("mask")
    view = saved(page, served).json()
    assert "zone 1" not in view["zones"]
    assert len(view["mask"]) == 1
    rows(page).last.get_by_role("button", name="Delete").click()
    assert not saved(page, served).json()["mask"]


def test_what_the_api_refuses_is_said(editor: Callable[..., Page]) -> None:
    page = editor()
    page.get_by_role("button", name="Draw a zone").click()
    drag(page, (0.2, 0.3), (0.7, 0.9))
    drag(page, (0.2, 0.3), (0.9, 0.6))  # now it crosses itself
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#sl-editor [role=status]")).to_contain_text("crosses itself")
    page.get_by_role("button", name="Undo all").click()
    expect(rows(page)).to_have_count(1)


def test_the_keyboard_draws_moves_and_deletes(editor: Callable[..., Page], served: AppServer) -> None:
    page = editor()
    page.get_by_role("button", name="Draw a zone").press("Enter")
    expect(rows(page)).to_have_count(2)
    page.get_by_role("button", name="corner 1 of zone 1").focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown", "Shift+ArrowDown"):
        page.keyboard.press(key)
    zone = saved(page, served).json()["zones"]["zone 1"]
    assert np.allclose(zone["polygon"][0], [0.33, 0.411], atol=1e-6)
    page.get_by_role("button", name="corner 1 of zone 1").focus()
    page.keyboard.press("Delete")
    assert len(saved(page, served).json()["zones"]["zone 1"]["polygon"]) == 3
    page.get_by_role("button", name="carriageway zone 1").focus()
    page.keyboard.press("Delete")
    assert not saved(page, served).json()["zones"]


def test_fingers_draw_on_a_phone(editor: Callable[..., Page], served: AppServer) -> None:
    page = editor("phone")
    page.get_by_role("button", name="Draw a line").tap()
    touch = page.context.new_cdp_session(page)
    page.locator("#sl-editor svg").scroll_into_view_if_needed()
    for kind, at in (("touchStart", (0.2, 0.4)), ("touchMove", (0.5, 0.5)), ("touchMove", (0.8, 0.5))):
        x, y = corner(page, *at)
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(rows(page)).to_have_count(2)
    page.screenshot(path=SCREENSHOTS / "zones-phone.png")
    line = saved(page, served).json()["lines"]["line 1"]
    assert np.allclose(line, [[0.2, 0.4], [0.8, 0.5]], atol=0.02)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= SIZES["phone"][0]
    rows(page).last.get_by_role("button", name="Delete").click()
    saved(page, served)


def test_leaving_a_camera_with_changes_asks_first(editor: Callable[..., Page]) -> None:
    page = editor()
    page.screenshot(path=SCREENSHOTS / "zones.png")
    page.get_by_role("button", name="Draw a line").click()
    drag(page, (0.1, 0.5), (0.6, 0.8))
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_label("Camera", exact=True).last.select_option("crossing")
    expect(rows(page)).to_have_count(2)


def test_a_slow_answer_of_another_camera_does_not_take_the_place_of_the_chosen_one(
    editor: Callable[..., Page], served: AppServer
) -> None:
    page, held = editor(), list[Route]()
    page.route("**/cameras/crossing", lambda route: held.append(route))
    choice = page.get_by_label("Camera", exact=True).last
    with page.expect_request("**/cameras/crossing"):
        choice.select_option("crossing")
    expect(rows(page)).to_have_count(0)
    choice.select_option("a40")
    expect(rows(page)).to_have_count(1)
    with page.expect_response("**/cameras/crossing"):
        held[0].continue_()
    page.get_by_role("button", name="Draw a line").click()
    drag(page, (0.1, 0.5), (0.6, 0.8))
    assert list(saved(page, served).json()["lines"]) == ["in", "line 1"]


def test_two_who_draw_at_once_undo_nothing_of_each_other(
    editor: Callable[..., Page], served: AppServer
) -> None:
    first, second = editor(), editor()
    first.get_by_role("button", name="Draw a line").click()
    drag(first, (0.1, 0.5), (0.6, 0.8))
    rows(first).last.get_by_label("Name").fill("of the first")
    saved(first, served)
    second.get_by_role("button", name="Draw a line").click()
    drag(second, (0.2, 0.2), (0.8, 0.3))
    second.get_by_role("button", name="Save").last.click()
    said = second.locator("#sl-editor [role=status]")
    expect(said).to_contain_text("'a40' was changed meanwhile by api at ")
    assert list(httpx.get(f"http://{served.host}/cameras/a40").json()["lines"]) == ["in", "of the first"]
    rows(first).last.get_by_label("Name").fill("of the first, again")
    assert list(saved(first, served).json()["lines"]) == ["in", "of the first, again"]
