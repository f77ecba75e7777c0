"""Tabs, charts, the page of a camera and the review, in a real Chromium over the real API."""

import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import httpx
import numpy as np
import onnx
import pytest
from playwright.sync_api import Browser, Page, expect

from serve.rollout.policy import Phase, PhaseKind, Policy
from streetloop.images import encode_jpeg
from streetloop.ledger.events import MEASURED, begin_event
from streetloop.ledger.history.camera_minutes import CameraMinute, add_camera_minutes
from streetloop.ledger.history.rollout_gains import STEP_S, RolloutGain, keep_gain
from streetloop.ledger.line_counts import minute_of
from streetloop.ledger.rollouts import Entry, RolloutState, list_rollouts, move, note_progress
from tests.support.control_service import READING, Content, Screens, register_versions, running
from tests.support.evaluated_versions import evaluate_versions
from tests.support.servers.accessibility import grave_findings
from tests.support.servers.app_server import AppServer
from tests.support.servers.browser import SCREENSHOTS, Complaints

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SIZES = {"laptop": (1366, 768), "phone": (390, 844)}
TABS = (
    "Streets",
    "Recordings",
    "Counts and alerts",
    "Drift",
    "Review",
    "Models",
    "Rollout",
    "Report",
    "Health",
    "Cameras",
    "Cities",
    "Zones",
)
_PARTS = {
    "Models": (".sl-lineage", ".sl-compare-row[data-name=night]", ".sl-curves figure:first-child canvas"),
    "Rollout": (".sl-stages",),
}
FOREIGN = "كاميرا-高架-Straße"
_WAIT_MS = 60_000


def _screen(shade: int, size: tuple[int, int]) -> bytes:
    width, height = size
    picture = np.full((height, width, 3), shade, np.uint8)
    cv2.rectangle(picture, (60, 90), (180, 200), (40, 200, 80), 3)
    return encode_jpeg(picture)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """Two cameras that run, an hour of their past, frames to label in the app, and versions."""
    content = Content(tmp_path_factory.mktemp("home"), labeler="app").fill()
    register_versions(content)
    evaluate_versions(content)
    lines = {"in": [[0.2, 0.7], [0.6, 0.7]]}
    zones = {"bay": {"kind": "parking", "polygon": [[0.1, 0.1], [0.3, 0.1], [0.3, 0.3]]}}
    content.live.append(running(fps=6.0, city="London", lines=lines, zones=zones))
    content.live.append(running("crossing", state="lost", error=f"no answer of {FOREIGN}", city="kingsport"))
    # Not NOW, when the tests were collected: the charts show the hour before they are asked for.
    now = minute_of(datetime.now(UTC))
    minute = CameraMinute(60_000, 1500, 360, 2, 250, {"stale": 60, "rate": 900}, {"car": 2})
    gap = range(20, 30)
    add_camera_minutes(content.ledger, {("a40", now - ago): minute for ago in range(60) if ago not in gap})
    _go_on(content)
    _measure(content)
    screens = Screens(a40=(1, _screen(90, (640, 360))), crossing=(1, _screen(60, (640, 480))))
    served = AppServer(content, screens)
    yield served
    served.close()
    content.ledger.close()


def _measure(content: Content) -> None:
    """Labels of random frames say ever more of two versions."""
    for ago in range(50, 0, -10):
        for version, removed in (("tiny-2", 1), ("tiny-1", 8)):
            right = {"kept": 60 - ago, "moved": 2, "reclassed": 0, "removed": removed, "added": 3}
            at = datetime.now(UTC) - timedelta(minutes=ago)
            begin_event(content.ledger, MEASURED, at, "a40", version, detail={"classes": {"car": right}})


def _go_on(content: Content) -> None:
    """The open rollout is in its second canary, and its gain is known better and better."""
    began = datetime.now(UTC) - timedelta(hours=1)
    for step in range(170):
        gain = 0.04 + 0.05 * math.sin(step / 9) / (1 + step / 20)
        half = 0.6 / (1 + step / 8)
        known = (
            RolloutGain(gain, gain - half, gain + half, step)
            if step > 4
            else RolloutGain(gain, None, None, step)
        )
        keep_gain(content.ledger, 2, began + timedelta(seconds=STEP_S * step), known)
    for step in (0, 1):
        at = began + timedelta(minutes=20 + 25 * step)
        phase = Phase(kind=PhaseKind.CANARY, step=step)
        entry = Entry(at, "advance", "policy", f"it is passed: on to {phase.title(Policy())}", {})
        rollout = list_rollouts(content.ledger, 1)[0]
        move(content.ledger, rollout, RolloutState.RUNNING, phase.model_dump(mode="json"), 500, entry)
    waits = ("a certain gain: +0.040 [-0.010, +0.090] so far", "4.2 more minutes in this phase")
    note_progress(content.ledger, 2, {}, {**READING, "waits_for": waits}, datetime.now(UTC))


@pytest.fixture
def visit(browser: Browser, served: AppServer) -> Iterator[Callable[..., Page]]:
    """Opens a page; whatever it complains of, or asks of others, fails the test."""
    heard: list[Complaints] = []

    def open_page(path: str = "/app/", size: str = "laptop", theme: str = "light") -> Page:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            accept_downloads=True,
        )
        page = context.new_page()
        page.set_default_timeout(_WAIT_MS)
        heard.append(Complaints(page, served.host))
        page.goto(f"http://{served.host}{path}")
        return page

    expect.set_options(timeout=_WAIT_MS)
    yield open_page
    for context in browser.contexts:
        context.close()
    for one in heard:
        assert one.errors == []
        assert one.elsewhere == []


def keep(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def charts_of(page: Page, count: int) -> None:
    """Wait until so many visible charts are drawn."""
    page.wait_for_function(
        "count => [...document.querySelectorAll('.sl-history[data-ready] .sl-plot canvas')]"
        ".filter(one => one.offsetParent !== null).length >= count",
        arg=count,
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_every_tab_has_no_grave_finding_and_no_overflow(
    visit: Callable[..., Page], size: str, theme: str
) -> None:
    page = visit(f"/app/?__theme={theme}", size, theme)
    expect(page.locator("#sl-top .sl-name")).to_be_visible()
    for name in TABS:
        page.get_by_role("tab", name=name, exact=True).click()
        expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
        if name == "Zones":
            expect(page.locator("#sl-editor img")).to_be_visible()
        for part in _PARTS.get(name, ()):
            expect(page.locator(part)).to_be_visible()
        if name == "Recordings":
            expect(page.locator("#sl-days-note")).not_to_be_empty()
        page.wait_for_function("!document.querySelector('.sl-history:not([data-ready])')?.offsetParent")
        expect(page.get_by_role("tab", name=name, exact=True)).to_be_in_viewport()
        keep(page, f"{name.lower().replace(' ', '-')}-{size}-{theme}")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        assert grave_findings(page) == [], name


def test_an_address_opens_a_tab_and_the_title_tells_of_problems(visit: Callable[..., Page]) -> None:
    page = visit("/app/#health")
    expect(page.get_by_role("tab", name="Health")).to_have_attribute("aria-selected", "true")
    expect(page).to_have_title("(2) streetloop")
    page.get_by_role("tab", name="Drift").click()
    assert page.url.endswith("#drift")


def test_light_and_dark_are_switched_and_kept(visit: Callable[..., Page]) -> None:
    page = visit()
    page.get_by_role("button", name="switch to dark colors").click()
    expect(page.locator("body.dark")).to_have_count(1)
    page.reload()
    expect(page.locator("body.dark")).to_have_count(1)
    page.get_by_role("button", name="switch to light colors").click()
    expect(page.locator("body.dark")).to_have_count(0)


def test_a_range_holds_for_all_charts_and_comes_as_csv_and_png(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit("/app/#health")
    charts_of(page, 3)
    history = page.locator(".sl-history:visible")
    with page.expect_download() as given:
        history.get_by_role("button", name="CSV").click()
    given.value.save_as(tmp_path / "charts.csv")
    rows = (tmp_path / "charts.csv").read_text().split()
    assert rows[0] == "chart,time,curve,value"
    assert 40 <= sum(row.startswith("fps,") for row in rows) <= 50, "ten minutes are a gap"
    with page.expect_download() as given:
        history.get_by_role("button", name="Lag from frame to result as PNG").click()
    given.value.save_as(tmp_path / "lag.png")
    picture = cv2.imread(str(tmp_path / "lag.png"))
    assert picture is not None
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10
    history.get_by_role("button", name="15 min").click()
    page.get_by_role("tab", name="Drift").click()
    expect(page.locator(".sl-history:visible [aria-pressed=true]")).to_have_text("15 min")


def test_the_page_of_a_camera(visit: Callable[..., Page]) -> None:
    page = visit("/app/cameras/a40")
    charts_of(page, 4)
    expect(page.locator("#sl-wall figure")).to_have_attribute("data-shown", "1")
    expect(page.locator(".sl-tag")).to_have_text(["bay", "in"])
    expect(page.locator("#sl-lag")).to_contain_text("The detector is slower than what is asked of it")
    expect(page.locator("#sl-events")).to_contain_text("drift")
    expect(page.locator("#sl-drift")).to_contain_text("most likely because of night (62 %)")
    expect(page.locator("#sl-frames figure")).to_have_count(5)
    expect(page.locator("#sl-settings")).to_contain_text("rtsp://***@10.0.0.7/a40")
    keep(page, "camera-laptop-light")
    assert grave_findings(page) == []
    page.get_by_label("another camera").select_option("crossing")
    expect(page).to_have_title("(1) crossing - streetloop")
    expect(page.locator("#sl-lag")).to_contain_text(f"No frames arrive: no answer of {FOREIGN}")


def test_the_page_of_a_camera_on_a_phone_by_night(visit: Callable[..., Page]) -> None:
    page = visit("/app/cameras/a40", "phone", "dark")
    charts_of(page, 4)
    expect(page.locator("#sl-frames figure")).to_have_count(5)
    keep(page, "camera-phone-dark")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert grave_findings(page) == []


def test_the_wall_finds_enlarges_and_leads_to_a_page(visit: Callable[..., Page]) -> None:
    page = visit()
    expect(page.locator("#sl-wall figure")).to_have_count(2)
    page.get_by_label("problems first").check()
    expect(page.locator("#sl-wall figure").first).to_have_attribute("data-camera", "crossing")
    page.get_by_label("find a camera").fill("a4")
    expect(page.locator("#sl-wall figure")).to_have_count(1)
    page.get_by_role("button", name="enlarge a40").click()
    expect(page.locator("#sl-wall figure.sl-large")).to_have_count(1)
    page.get_by_role("link", name="a40", exact=True).click()
    expect(page.locator("h1")).to_contain_text("a40")


def test_a_frame_is_labeled_with_pointer_and_keyboard(visit: Callable[..., Page], served: AppServer) -> None:
    page = visit("/app/#review")
    waiting = served.content.service.reviews("pushed", 0, 10).items[0]
    page.locator(f"[data-digest='{waiting.digest}'] button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert page.url.endswith(f"#review/{waiting.digest[:12]}")
    dialog.get_by_label("your name").fill("Änne")
    before = len(waiting.boxes)
    stage = dialog.locator(".sl-frame").bounding_box()
    assert stage is not None
    page.mouse.move(stage["x"] + 0.5 * stage["width"], stage["y"] + 0.4 * stage["height"])
    page.mouse.down()
    page.mouse.move(stage["x"] + 0.8 * stage["width"], stage["y"] + 0.9 * stage["height"], steps=4)
    page.mouse.up()
    expect(dialog.locator("rect")).to_have_count(before + 1)
    page.keyboard.press("2")
    page.keyboard.press("ArrowLeft")
    expect(dialog.get_by_role("radio", name=waiting.classes[1])).to_be_checked()
    dialog.locator(".sl-class", has_text=waiting.classes[0]).click()
    expect(dialog.locator(".sl-chosen")).to_have_attribute("aria-label", waiting.classes[0])
    page.keyboard.press("2")
    expect(dialog.locator(".sl-chosen")).to_have_attribute("aria-label", waiting.classes[1])
    keep(page, "frame-laptop-light")
    assert grave_findings(page) == []
    page.keyboard.press("s")
    expect(page.locator(f"#sl-frame[data-digest='{waiting.digest}']")).to_have_count(0)
    answered = httpx.get(f"http://{served.host}/reviews/{waiting.digest}").json()
    assert (answered["state"], answered["labeler"]) == ("labeled", "Änne")
    drawn = answered["label"][-1]
    assert drawn["class"] == waiting.classes[1]
    assert drawn["xyxy"][0] == pytest.approx(0.5 * waiting.width - 2, abs=1.0)
    assert len(answered["label"]) == before + 1, json.dumps(answered["label"])


def test_two_versions_are_compared_and_lead_to_their_pages(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit("/app/#models")
    expect(page.locator(".sl-lineage li").first).to_have_attribute("data-version", "3")
    night = page.locator(".sl-compare-row[data-name=night]:visible")
    expect(night).to_have_attribute("data-mark", "better")
    expect(night).to_contain_text("+0.200")
    expect(page.locator(".sl-compare-row[data-name=bus]")).to_have_attribute("data-mark", "worse")
    keep(page, "models-compared-laptop-light")
    page.get_by_label("Second").click()
    page.get_by_role("option", name="3", exact=True).click()
    expect(page.get_by_text("Each was measured on frames of its own")).to_have_count(0)
    expect(page.get_by_text("No scores are on record of these two")).to_be_visible()
    page.get_by_role("link", name="Version 2", exact=True).click()
    expect(page).to_have_title("(2) Version 2 - streetloop")
    expect(page.locator("h1")).to_contain_text("accepted")
    expect(page.locator(".sl-compare-row[data-name=night]")).to_contain_text("+0.200")
    keep(page, "version-laptop-light")
    assert grave_findings(page) == []
    with page.expect_download() as given:
        page.get_by_role("link", name="ONNX, which serves").click()
    given.value.save_as(tmp_path / given.value.suggested_filename)
    assert onnx.load(str(tmp_path / "detector-2.onnx")).graph.node
    page.get_by_label("version to compare with").select_option("3")
    expect(page.locator(".sl-difference").first).to_contain_text("not measured of both")


@pytest.mark.parametrize(("size", "theme"), [("phone", "light"), ("phone", "dark"), ("laptop", "dark")])
def test_the_page_of_a_version_everywhere(visit: Callable[..., Page], size: str, theme: str) -> None:
    page = visit("/app/versions/2", size, theme)
    expect(page.locator(".sl-compare-row[data-name=night]")).to_contain_text("+0.200")
    expect(page.locator(".sl-curves figure canvas")).to_have_count(3)
    expect(page.locator(".sl-frames img")).to_have_count(2)
    keep(page, f"version-{size}-{theme}")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert grave_findings(page) == []


def test_the_rollout_shows_where_it_is_and_its_buttons_where_they_act(visit: Callable[..., Page]) -> None:
    page = visit("/app/#rollout")
    expect(page.locator(".sl-stages [aria-current=step] strong")).to_have_text("25 %")
    expect(page.locator(".sl-waits li").first).to_contain_text("Proof that it detects better")
    expect(page.locator(".sl-gain-dot")).to_have_count(1)
    expect(page.locator(".sl-gain-title")).to_have_text(["shadow", "5 %", "25 %"])
    expect(page.get_by_role("button", name="Resume")).to_be_disabled()
    expect(page.get_by_role("button", name="Pause")).to_be_enabled()
    page.get_by_role("button", name="New rollout").click()
    expect(page.get_by_role("button", name="Start a rollout")).to_be_disabled()
    page.get_by_role("link", name="version 3", exact=True).click()
    expect(page.locator("#sl-version")).to_contain_text("against version 1")
