"""Pages lead to what they speak of, and tell of problems in title and icon; in a real Chromium."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from streetloop.ledger.reviews import ReviewState, add_reviews
from streetloop.storage.store import put_image
from tests.support.control_service import Content, Screens, jpeg, running
from tests.support.rollout import register_tiny
from tests.support.samples.frames import review
from tests.support.samples.tiny_model import NAMES, detector_output, write_tiny_model
from tests.support.servers.app_server import AppServer
from tests.support.servers.browser import Complaints
from train.model.find_model import open_registry
from train.model_registry import VersionRecord

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

_DATASET = "d" * 64
_RED, _GREEN = "%23dc2626", "%230f766e"
_WAIT_MS = 60_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """Two cameras that run, an event, two versions, and a frame that the second learned from."""
    content = Content(tmp_path_factory.mktemp("home"), labeler="app")
    content.live.extend([running(), running("crossing")])
    content.add_events()
    file = write_tiny_model(content.settings.home / "tiny.onnx", detector_output((32, 32, 9, 9, 0, 0.9)))
    registry = open_registry(content.settings)
    registry.set_alias("champion", register_tiny(registry, file))
    run = registry.start("tiny", {})
    registry.register(run, file, VersionRecord(_DATASET, 1, NAMES, ""))
    registry.finish(run)
    digest, key = put_image(content.store, jpeg(3))
    one = replace(review(0), digest=digest, image_key=key, captured_at=datetime.now(UTC), camera_id="a40")
    add_reviews(content.ledger, [replace(one, state=ReviewState.IN_DATASET, dataset=_DATASET)])
    served = AppServer(content, Screens(a40=(1, jpeg(3)), crossing=(1, jpeg(5))))
    yield served
    served.close()
    content.ledger.close()


@pytest.fixture
def page(browser: Browser, served: AppServer) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    complaints = Complaints(page, served.host)
    yield page
    page.close()
    # A page that is left while it asks for something breaks that off.
    left = ("AbortError", "Connection errored out")
    assert [error for error in complaints.errors if not any(word in error for word in left)] == []
    assert complaints.elsewhere == []


@pytest.mark.parametrize("path", ["versions/2", "events/1"])
def test_a_page_of_its_own_tells_of_problems_in_title_and_icon(
    page: Page, served: AppServer, path: str
) -> None:
    name = f"{path.split('/')[0].removesuffix('s').title()} {path[-1]} - streetloop"
    icon = page.locator("link[rel=icon][data-sl]")
    page.goto(f"http://{served.host}/app/{path}")
    expect(page).to_have_title(name)
    assert _GREEN in (icon.get_attribute("href") or "")
    try:
        served.content.live[1] = running("crossing", state="lost", error="no answer")
        expect(page).to_have_title(f"(1) {name}")
        assert _RED in (icon.get_attribute("href") or "")
    finally:
        served.content.live[1] = running("crossing")


def test_settings_and_recordings_of_a_camera_lead_to_that_camera(page: Page, served: AppServer) -> None:
    page.goto(f"http://{served.host}/app/cameras/crossing")
    page.get_by_role("link", name="Change them").click()
    expect(page.get_by_label("Camera", exact=True).and_(page.locator(":visible"))).to_have_value("crossing")
    expect(page.get_by_label("Address")).to_have_value("rtsp://***@10.0.0.7/crossing")
    page.goto(f"http://{served.host}/app/cameras/crossing")
    page.get_by_role("link", name="Recordings").click()
    expect(page.locator("#sl-days-note")).to_contain_text("Nothing of crossing was recorded on this day.")
    page.get_by_role("tab", name="Health").click()
    page.get_by_role("tab", name="Recordings").click()
    expect(page.locator("#sl-days-note")).to_contain_text("Nothing was recorded on this day.")


def test_a_frame_leads_to_the_page_of_the_version_that_it_trained(page: Page, served: AppServer) -> None:
    page.goto(f"http://{served.host}/app/#review")
    page.locator("#sl-review figure button").first.click()
    page.get_by_role("link", name="It trained version 2").click()
    expect(page).to_have_url(f"http://{served.host}/app/versions/2")
    expect(page.locator("h1")).to_contain_text("Version 2")
