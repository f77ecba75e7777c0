"""What an annotator sees, in a real Chromium."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from labeling.answers import Labeled
from labeling.label_studio.adapter import LabelStudio
from labeling.label_studio.image_links import ByUrl
from streetloop.ledger.reviews import FrameRecord
from streetloop.storage.minio import MinioStore
from streetloop.storage.s3_access import LINK_LIFETIME
from streetloop.storage.store import FolderStore
from tests.support.samples.frames import asked
from tests.support.servers.browser import chromium
from tests.support.servers.gateway import Gateway
from tests.support.servers.labels.label_studio import HEIGHT, WIDTH, Studio, frames

pytestmark = [pytest.mark.label_studio, pytest.mark.browser, pytest.mark.timeout(1500)]


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(60_000)
        yield page


def _open_task(studio: Studio, page: Page, title: str) -> None:
    """Log in, and open the one task of a project."""
    with studio.owner() as ann:
        (there,) = ann.tasks(title)
    page.goto(f"{studio.access.url}/user/login/")
    page.fill("input[name=email]", studio.access.user)
    page.fill("input[name=password]", studio.access.password.get_secret_value())
    page.click("button[type=submit], input[type=submit]")
    page.goto(f"{studio.access.url}/projects/{there['project']}/data?task={there['id']}")


def _see_picture(page: Page, task: FrameRecord) -> Locator:
    """Wait until the picture of a frame is there, whole."""
    picture = page.locator(f"img[src*='{task.digest}']").last
    expect(picture).to_be_attached()
    page.wait_for_function(
        "digest => [...document.images].some(i => i.src.includes(digest) && i.naturalWidth > 0)",
        arg=task.digest,
    )
    size = picture.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert size == [WIDTH, HEIGHT]
    return picture


def test_annotator_sees_image_and_boxes_and_submits(
    studio: Studio, page: Page, store: FolderStore, title: str, tmp_path: Path
) -> None:
    (task,) = frames(store, 1, seed=5)
    labeler = LabelStudio(studio.access.url, studio.access.token, title, store)
    labeler.push([task], lambda _: None)
    _open_task(studio, page, title)
    _see_picture(page, task)
    regions = "window.Htx.annotationStore.selected.regionStore.regions"
    page.wait_for_function(f"window.Htx?.annotationStore?.selected && {regions}.length > 0")
    shown = page.evaluate(f"{regions}.map(region => region.labels[0])")
    assert sorted(shown) == ["car", "person"]
    why = "unsure: the model is between yes and no about a box, fog"
    expect(page.get_by_text(f"old-oak, 2026-03-01 12:00:00 UTC: {why}")).to_be_visible()
    page.screenshot(path=tmp_path / "task.png")
    assert (tmp_path / "task.png").stat().st_size > 10_000

    page.get_by_role("button", name="Submit").click()
    page.wait_for_function("window.Htx.annotationStore.selected.pk > 0")
    (answer,) = labeler.pull(asked(task.digest))
    assert isinstance(answer, Labeled)
    np.testing.assert_allclose(answer.boxes.xyxy, [box.xyxy for box in task.boxes], atol=0.5)
    assert answer.boxes.class_id.tolist() == [0, 2]


@pytest.mark.minio
def test_annotator_sees_an_image_that_is_in_minio(
    studio: Studio, page: Page, gateway: Gateway, title: str
) -> None:
    # By another name than ours, as a browser may have to.
    access = replace(gateway.access, public_endpoint=f"http://localhost:{gateway.port}")
    store = MinioStore(f"b{uuid.uuid4().hex[:20]}", "", access)
    (task,) = frames(store, 1, seed=6)
    images = ByUrl(store.link, LINK_LIFETIME)
    labeler = LabelStudio(studio.access.url, studio.access.token, title, store, images)
    labeler.push([task], lambda _: None)
    _open_task(studio, page, title)
    picture = _see_picture(page, task)
    assert str(picture.get_attribute("src")).startswith(f"http://localhost:{gateway.port}/")
