"""What a new installation is led through: steps, and the simulated city with one click."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from flows.service.control_service import ControlService
from serve.web.app import panels
from serve.web.app.first_run.first_run_panel import FirstRunPanel, try_the_city
from serve.web.app.first_run.first_steps import first_steps
from serve.web.app.first_run.sample_cameras import sample_cameras
from serve.web.app.page import build_page
from streetloop.cameras.camera_file import parse_camera
from streetloop.city.address import parse_address
from streetloop.control.views import CameraView
from streetloop.ledger.cameras import newest_changes
from tests.support.app_page import Tags, words
from tests.support.control_service import Content, running

SIM = "sim://kingsport/crossing"
CITY = ["kingsport-crossing", "larkfield-gantry", "stonebridge-west", "millbrook-high-street"]


@pytest.fixture
def nothing(tmp_path: Path) -> Iterator[Content]:
    """A home without a camera."""
    content = Content(tmp_path / "home")
    content.service = ControlService(content.settings, [], live=lambda: content.live)
    yield content
    content.ledger.close()


def done(*cameras: CameraView) -> list[str]:
    return [step.name for step in first_steps(cameras) if step.done]


def said(number: int, *cameras: CameraView) -> str:
    return first_steps(cameras)[number].text


def shown(content: Content) -> tuple[str, bool]:
    with gr.Blocks():
        steps, row = FirstRunPanel(content.service, "app").fresh()
    return words(steps), row["visible"]


# Steps


def test_steps_are_ticked_one_after_the_other() -> None:
    assert done() == []
    assert done(CameraView(id="a", uri=SIM)) == ["Add a camera"]
    live: dict[str, Any] = {"uri": SIM, "crossings": {}}
    assert done(running("a", **live, model=None)) == ["Add a camera", "See it live"]
    assert done(running("a", **live)) == ["Add a camera", "See it live", "Choose a model"]
    lines = {"in": [[0, 0], [1, 1]]}
    assert len(done(running("a", **live, lines=lines))) == 4
    assert said(2, running("a", lines=lines)) == "1 line counts"


def test_a_camera_that_does_not_open_is_named() -> None:
    assert said(1, CameraView(id="a", uri=SIM, error="no answer")) == "a: no answer"
    assert said(1, CameraView(id="a", uri=SIM)) == "it connects within seconds"


@pytest.mark.parametrize(
    ("uri", "model", "is_done", "text"),
    [
        (SIM, "baseline-269eb9d0e78f", True, "baseline-269eb9d0e78f detects"),
        ("rtsp://10.0.0.7/a", "baseline-269eb9d0e78f", False, "a is a real street"),
        ("rtsp://10.0.0.7/a", None, False, "a is a real street"),
        ("rtsp://10.0.0.7/a", "yolov8n-31e20dde3def", True, "yolov8n-31e20dde3def detects"),
        (SIM, None, False, "a real street needs --model"),
    ],
)
def test_a_real_street_needs_another_model_than_the_shipped_one(
    uri: str, model: str | None, is_done: bool, text: str
) -> None:
    camera = running("a", uri=uri, model=model)
    assert ("Choose a model" in done(camera)) is is_done
    assert text in said(3, camera)


# The panel


def test_without_a_camera_the_panel_leads_and_offers_the_city(nothing: Content) -> None:
    steps, offers = shown(nothing)
    assert "Welcome: four steps to the first count 0 of 4 done" in steps
    assert "Hide" not in steps
    assert offers
    assert panels.loop(nothing.service) == "", "the loop comes later"


def test_with_a_camera_what_is_left_can_be_hidden(nothing: Content) -> None:
    try_the_city(nothing.service, "ann", 1)
    steps, offers = shown(nothing)
    assert "1 of 4 done" in steps
    assert "Hide" in steps
    assert not offers
    assert panels.loop(nothing.service)


def test_once_all_is_done_the_panel_is_gone(nothing: Content) -> None:
    try_the_city(nothing.service, "ann", 1)
    nothing.live.append(running(CITY[0], uri=SIM, lines={"in": [[0, 0], [1, 1]]}))
    assert shown(nothing) == ("", False)


def test_its_html_closes_and_leads_to_the_tabs(nothing: Content) -> None:
    with gr.Blocks():
        page = FirstRunPanel(nothing.service, "app").fresh()[0]
    links = [attributes["href"] for tag, attributes in Tags(page).tags if tag == "a"]
    assert links == ["#cameras", "#streets", "#zones", "#models"]


def test_the_buttons_are_an_admins(nothing: Content) -> None:
    config = build_page(nothing.service).get_config_file()
    rows = [c["props"] for c in config["components"] if c["type"] == "row"]
    (row,) = (props for props in rows if props.get("visible") is False)
    assert "sl-admin" in row["elem_classes"]


# The city


def test_every_sample_is_a_camera_of_the_city() -> None:
    cameras = [parse_camera(one) for one in sample_cameras(4)]
    assert [camera.id for camera in cameras] == CITY
    assert len({parse_address(camera.uri.reveal()).city for camera in cameras}) == 4


def test_the_city_is_tried_with_one_street_then_four(nothing: Content) -> None:
    assert "kingsport-crossing: added" in try_the_city(nothing.service, "ann", 1)
    assert [camera.id for camera in nothing.service.cameras()] == CITY[:1]
    try_the_city(nothing.service, "ann")
    assert [camera.id for camera in nothing.service.cameras()] == CITY
    assert try_the_city(nothing.service, "ann") == "The streets of the city are there already."
    assert {change.author for change in newest_changes(nothing.ledger)} == {"ann"}
    assert nothing.service.camera("kingsport-crossing").fps == 5
