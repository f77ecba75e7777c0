"""What is wrong with a form is said by its fields; the rest is a notice."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from serve.web.app.action_buttons import begin_rollout
from serve.web.app.camera_form import _FIELDS, _NEW_CAMERA, _document, _judged, _put, _saved, _tried
from serve.web.app.cities.city_panel import put_there, rename_it
from serve.web.app.forms.field_faults import has_faults, judged, no_faults
from streetloop.cameras.camera_file import parse_camera
from streetloop.errors import FieldsInvalid, NotFound
from tests.support.control_service import PASSWORD, Content

SIM = "sim://larkfield/gantry"
ADDRESS = f"rtsp://admin:{PASSWORD}@10.0.0.7/a"


@pytest.fixture
def content(tmp_path: Path) -> Iterator[Content]:
    content = Content(tmp_path / "home")
    yield content
    content.ledger.close()


def faults_of(said: str) -> dict[str, str]:
    return dict(json.loads(said)["faults"])


# Errors


@pytest.mark.parametrize(
    ("document", "faults"),
    [
        ({"id": "a"}, {"uri": "is missing"}),
        ({"id": "a", "uri": ADDRESS, "fps": "fast"}, {"fps": "must be a number"}),
        ({"id": "a", "uri": "rtsp:///x", "record": "on"}, {"uri": "names no host", "record": "must be one"}),
        ({"id": "a", "uri": ADDRESS, "lines": {"in": [[0, 0], [9, 9]]}}, {"lines": "in"}),
        ({"id": "a", "uri": ADDRESS, "colour": "red"}, {"": "unknown key 'colour'; known are id, uri"}),
        ({"id": "a", "uri": ADDRESS, "mask": [[0, 0]]}, {"mask": "must be a list of polygons"}),
    ],
)
def test_a_camera_that_is_wrong_names_its_keys(document: dict[str, Any], faults: dict[str, str]) -> None:
    with pytest.raises(FieldsInvalid) as caught:
        parse_camera(document)
    assert caught.value.faults.keys() == faults.keys()
    for key, words in faults.items():
        assert caught.value.faults[key].startswith(words)
    assert PASSWORD not in str(caught.value.faults)


@pytest.mark.parametrize(
    ("which", "fields", "faults"),
    [
        (_NEW_CAMERA, ("a40", "", "", SIM, "", ""), {"id"}),
        (_NEW_CAMERA, ("", "", "fast", SIM, "", ""), {"id", "fps"}),
        (_NEW_CAMERA, ("new", "", "", "file:///no/such.mp4", "", ""), {"uri"}),
        (_NEW_CAMERA, ("new", "", "", SIM, "in", "car,,"), {"lines", "classes"}),
        ("a40", ("b", "", "", SIM, "", ""), {"id"}),
    ],
)
def test_the_form_of_a_camera_says_which_fields_are_wrong(
    content: Content, which: str, fields: tuple[str, ...], faults: set[str]
) -> None:
    with pytest.raises(FieldsInvalid) as caught:
        _put(content.service, "app", which, *fields)
    assert caught.value.faults.keys() == faults
    updates = _saved(content.service, "app", which, "", *fields)
    assert updates[:-1] == [gr.skip()] * (3 + len(_FIELDS)), "what was written stays"
    assert faults_of(updates[-1]).keys() == {f"sl-camera-{name}" for name in faults}


def test_a_camera_is_tried_without_an_id_but_not_with_a_wrong_field(content: Content) -> None:
    seen, said = _tried(content.service, "", "", "fast", SIM, "", "")
    assert (seen, list(faults_of(said))) == ("", ["sl-camera-fps"])
    seen, said = _tried(content.service, "", "", "", SIM, "", "")
    assert "It opens" in seen
    assert not has_faults(said)


def test_forms_of_cities_and_rollouts_name_their_fields(content: Content) -> None:
    service: Any = content.service
    for call, faults in (
        (lambda: put_there(service, "ann", " ", ["a40"]), {"city"}),
        (lambda: put_there(service, "ann", "Oslo", []), {"cameras"}),
        (lambda: put_there(service, "ann", "x" * 101, ["a40"]), {"city"}),
        (lambda: rename_it(service, "ann", None, " "), {"old", "city"}),
        (lambda: rename_it(service, "ann", "London", "kingsport"), {"city"}),
        (lambda: begin_rollout(service, None, None, "ann"), {"version"}),
    ):
        with pytest.raises(FieldsInvalid) as caught:
            call()
        assert caught.value.faults.keys() == faults


# Beside the fields, or as a notice


def refuse(**faults: str) -> Any:
    def ask() -> None:
        raise FieldsInvalid("this and that", faults)

    return ask


def test_what_no_field_can_say_is_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(gr, "Warning", lambda text, **_: warned.append(text))
    with pytest.raises(gr.Error, match="this and that"):
        judged("camera", ["fps"], refuse(mask="is wrong"))
    answer, said = judged("camera", ["fps", "uri"], refuse(fps="is wrong", mask="is <b>"))
    assert (answer, faults_of(said), warned) == (None, {"sl-camera-fps": "is wrong"}, ["is &lt;b&gt;"])

    def fail() -> None:
        raise NotFound("no camera")

    with pytest.raises(gr.Error, match="no camera"):
        judged("camera", ["fps"], fail)


def test_without_a_fault_the_fields_say_nothing() -> None:
    assert judged("camera", ["fps"], lambda: 7) == (7, no_faults("camera"))
    assert not has_faults(no_faults("camera"))
    assert not has_faults("")
    document, said = _judged(lambda: _document("a", "", "1", SIM, "", ""))
    assert document is not None
    assert not has_faults(said)
