"""The app of a running system, in a real Chromium."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from streetloop.control.port import MAX_WIDTH
from streetloop.settings import BASELINE, Settings
from tests.support.programs.cli import Command
from tests.support.rollout import wait_for
from tests.support.servers.browser import SCREENSHOTS, Complaints
from tests.support.servers.ports import free_port
from train.model.find_model import open_registry
from train.model.model_file import open_model
from train.model_registry import CHAMPION, VersionRecord

pytestmark = [pytest.mark.ray, pytest.mark.browser, pytest.mark.timeout(600)]

TABS = (
    "Streets",
    "Counts and alerts",
    "Drift",
    "Review",
    "Models",
    "Rollout",
    "Health",
    "Report",
    "Cameras",
    "Cities",
    "Zones",
)
SIZES = {"laptop": (1366, 768), "phone": (390, 844)}
CAMERAS = {
    "kingsport-crossing": ("sim://kingsport/crossing", {"avenue": [[0.36, 0.30], [0.74, 0.47]]}),
    "larkfield-gantry": ("sim://larkfield/gantry", {"lanes": [[0.27, 0.62], [0.68, 0.50]]}),
    "stonebridge-west": ("sim://stonebridge/west-tower", {}),
}
_LOADED = """[...document.images].every(image => !image.offsetParent || image.naturalWidth > 0
    || image.getBoundingClientRect().top > innerHeight)"""
_CONTENT = ".sl-empty, .sl-table, .sl-card, .sl-thumbs figure"
_WAIT_MS = 30_000


@dataclass(frozen=True)
class Town:
    """A running `streetloop up`, and how to ask it."""

    host: str
    home: Path

    def get(self, path: str, **query: Any) -> Any:
        """What the API says."""
        return httpx.get(f"http://{self.host}{path}", params=query, timeout=20).json()

    def ids(self) -> list[str]:
        """Of the cameras."""
        return [one["id"] for one in self.get("/cameras")["items"]]


def _register_twice(settings: Settings) -> None:
    """The shipped detector as versions 1, the champion, and 2."""
    model = open_model(BASELINE, settings.models)
    registry = open_registry(settings)
    for parent in (None, 1):
        run = registry.start("baseline", {})
        record = VersionRecord(
            "",
            parent,
            model.names,
            "",
            scores={"map50/day": 0.906, "map50/night": 0.153},
            verdict=() if parent is None else ("as good as its parent",),
            trigger={"because": "a test"},
            model_version=model.version,
        )
        registry.register(run, model.onnx, record)
        registry.finish(run)
    registry.set_alias(CHAMPION, 1)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Three small cameras, watched, asked about and open to learning."""
    folder = tmp_path_factory.mktemp("town")
    home, port = folder / "home", free_port()
    _register_twice(Settings(home=home))
    cameras = [
        {
            "id": name,
            "city": name.split("-")[0],
            "fps": 3,
            "lines": lines,
            "uri": f"{uri}?traffic=busy&seed=1&fps=8&size=640x360",
        }
        for name, (uri, lines) in CAMERAS.items()
    ]
    settings = {
        "app_port": port,
        "image_size": 320,
        "drift_period_s": 2.0,
        "drift_sample_s": 0.5,
        "triage_period_s": 2.0,
        "label_every_s": 3.0,
        "label_budget": 10,
        "learn_labels": 1000,
    }
    path = folder / "cameras.yaml"
    path.write_text(yaml.safe_dump({"cameras": cameras, "settings": settings}))
    with pytest.MonkeyPatch.context() as environ:
        for name in ("http_proxy", "https_proxy"):  # of a proxy that is away: servers here need none
            environ.setenv(name, "http://127.0.0.1:9")
        command = Command("up", str(path), home=home)
    town = Town(f"127.0.0.1:{port}", home)

    def is_ready() -> bool:
        assert command.process.poll() is None, command.finish().stderr
        try:
            return bool(town.get("/ready")["live"] == len(CAMERAS))
        except (httpx.HTTPError, ValueError, KeyError):
            return False

    wait_for(is_ready, "every camera is live", 120)
    yield town
    command.interrupt()
    outcome = command.finish()
    assert "Traceback" not in outcome.stderr, outcome.stderr


@pytest.fixture
def visit(browser: Browser, town: Town) -> Iterator[Callable[..., Page]]:
    """Opens the app; whatever it complains of, or asks of others, fails the test."""
    heard: list[Complaints] = []

    def open_app(size: str = "laptop", *, dark: bool = False) -> Page:
        width, height = SIZES[size]
        page = browser.new_page(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        page.set_default_timeout(_WAIT_MS)
        heard.append(Complaints(page, town.host))
        page.goto(f"http://{town.host}/app/?__theme={'dark' if dark else 'light'}")
        expect(page.locator("#sl-top .sl-name")).to_be_visible()
        return page

    yield open_app
    for context in browser.contexts:
        context.close()
    for one in heard:
        assert one.errors == []
        assert one.elsewhere == []


def tab(page: Page, name: str) -> None:
    """Open a tab; on a phone the bar scrolls to it."""
    page.get_by_role("tab", name=name, exact=True).click()


def shown(page: Page) -> dict[str, int]:
    """How many pictures of each camera were drawn so far."""
    figures = page.locator("#sl-wall figure").evaluate_all(
        "all => all.map(one => [one.dataset.camera, Number(one.dataset.shown || 0)])"
    )
    return {str(name): int(count) for name, count in figures}


def on_screen(page: Page) -> list[str]:
    """The cameras whose pictures are on the screen; no others are drawn."""
    script = """all => all.filter(one => {
        const box = one.getBoundingClientRect();
        return box.top >= 0 && box.bottom <= innerHeight;
    }).map(one => one.dataset.camera)"""
    return [str(name) for name in page.locator("#sl-wall figure").evaluate_all(script)]


def until_shown(page: Page, cameras: set[str], more: int = 5) -> None:
    """Wait until the wall has these cameras and no others, and each on the screen moves."""
    before = shown(page)
    wait_for(
        lambda: (
            (now := shown(page)).keys() == cameras
            and (seen := on_screen(page))
            and all(now[name] >= before.get(name, 0) + more for name in seen)
        ),
        f"{cameras} move on the wall",
        30,
    )


def until_fitting(page: Page) -> int:
    """Wait until the first card's picture is as wide as the card, and how wide that is."""
    first = page.get_by_role("img", name="live picture of").first

    def width() -> int:
        wide, high, card = first.evaluate("one => [one.width, one.height, one.clientWidth]")
        assert abs(wide / high - 16 / 9) < 0.02
        return int(wide) if card <= wide <= card + 32 or wide == MAX_WIDTH else 0

    return int(wait_for(width, "a picture is as wide as its card", 30))


def test_the_wall_shows_moving_pictures_of_all_cameras(visit: Callable[..., Page]) -> None:
    began = time.monotonic()
    page = visit()
    until_shown(page, set(CAMERAS))
    assert time.monotonic() - began < 20
    small = until_fitting(page)
    page.locator("#sl-wall figure canvas").first.click()
    expect(page.locator("#sl-wall figure.sl-large")).to_have_count(1)
    assert until_fitting(page) > 1.5 * small, "a large card gets large pictures"
    expect(page.locator("#sl-top")).to_contain_text("3 of 3 cameras live")


def test_a_camera_is_added_and_removed_by_the_form(town: Town, visit: Callable[..., Page]) -> None:
    page = visit()
    tab(page, "Cameras")
    page.get_by_role("textbox", name="Id letters").fill("new")
    page.locator("input[aria-label=City]").fill("<img src=x onerror=alert(1)>")
    page.keyboard.press("Enter")
    page.get_by_label("Frames per second").fill("2")
    page.get_by_label("Address").fill("sim://millbrook/high-street?fps=8&size=640x360")
    page.get_by_label("Counting lines").fill("street: 0.36 0.60 0.86 0.55")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("new is saved")).to_be_visible()
    assert town.ids()[-1] == "new"
    assert town.get("/cameras/new")["city"] == "<img src=x onerror=alert(1)>"

    tab(page, "Streets")
    until_shown(page, {*CAMERAS, "new"})
    tab(page, "Cameras")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("new is removed")).to_be_visible()
    assert "new" not in town.ids()
    tab(page, "Streets")
    until_shown(page, set(CAMERAS))


def test_a_line_that_is_drawn_on_a_still_counts(town: Town, visit: Callable[..., Page]) -> None:
    page = visit()
    tab(page, "Zones")
    drawing = page.locator("#sl-editor svg")
    page.get_by_label("Camera", exact=True).last.select_option("stonebridge-west")
    expect(page.locator("#sl-editor img")).to_be_visible()
    page.get_by_role("button", name="Draw a line").click()
    box = drawing.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.05 * box["width"], box["y"] + 0.75 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.95 * box["width"], box["y"] + 0.75 * box["height"], steps=3)
    page.mouse.up()
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#sl-editor [role=status]")).to_contain_text("is saved")

    def counted() -> int:
        ways = town.get("/cameras/stonebridge-west")["crossings"].get("line 1", {})
        return sum(count for count in ways.values() if isinstance(count, int))

    wait_for(lambda: counted() > 0, "somebody crosses the line", 90)


def test_what_is_wrong_with_a_camera_is_a_notice(town: Town, visit: Callable[..., Page]) -> None:
    page = visit()
    tab(page, "Cameras")
    page.get_by_role("textbox", name="Id letters").fill("<b>x</b>")
    page.get_by_label("Address").fill("sim://millbrook/high-street")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("must be 1 to 64 letters")).to_be_visible()
    assert town.ids() == list(CAMERAS)


def test_a_rollout_is_started_and_rolled_back_by_its_buttons(town: Town, visit: Callable[..., Page]) -> None:
    page = visit()
    tab(page, "Rollout")
    page.get_by_text("New rollout").click()
    page.get_by_label("Version").click()
    page.get_by_role("option", name="2", exact=True).click()
    page.get_by_role("button", name="Start a rollout").click()
    expect(page.get_by_text("Rollout 1: version 2 against version 1")).to_be_visible()
    wait_for(lambda: town.get("/rollouts/1")["evidence"].get("frames", 0) > 0, "it sees frames", 90)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Roll back").click()
    wait_for(lambda: town.get("/rollouts/1")["state"] == "rolled back", "the way back", 60)
    expect(page.locator(".sl-card").get_by_text("rolled back", exact=True)).to_be_visible()
    assert town.get("/rollouts/1")["decisions"][-1]["author"] == "app"


def test_learn_now_begins_a_run(town: Town, visit: Callable[..., Page]) -> None:
    wait_for(lambda: town.get("/queue")["counts"]["pending"], "frames to ask about", 60)
    for step in ("push", "pull"):
        done = Command("label", step, "--labeler", "oracle", home=town.home).finish()
        assert done.code == 0, done.stderr
    page = visit()
    tab(page, "Models")
    expect(page.get_by_text("Version 2", exact=True)).to_be_visible()
    page.get_by_role("button", name="What it takes").click()
    page.get_by_role("button", name="Learn now").click()
    wait_for(lambda: town.get("/learning")["items"], "a learning run", 20)
    run = town.get("/learning")["items"][0]
    assert run["trigger"]["because"] == "app asked for it"
    expect(page.get_by_text("app asked for it")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Drop the open run").click()
    wait_for(lambda: town.get("/learning")["items"][0]["step"] == "dropped", "its end", 20)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_tab_is_looked_at(town: Town, visit: Callable[..., Page], size: str, theme: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    wait_for(lambda: town.get("/reviews")["items"], "frames to ask about", 60)
    page = visit(size, dark=theme == "dark")
    until_shown(page, set(CAMERAS), more=1)
    for name in TABS:
        tab(page, name)
        if name not in {"Streets", "Cameras", "Zones"}:
            expect(page.locator(_CONTENT).locator("visible=true").first).to_be_visible()
        page.wait_for_function(_LOADED)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} is wider than the screen"
        file = f"{name.lower().replace(' ', '-')}-{size}-{theme}.png"
        page.screenshot(path=SCREENSHOTS / file, full_page=True)
        assert (SCREENSHOTS / file).stat().st_size > 5_000
