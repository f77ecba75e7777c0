"""The form for cameras: what people write, what becomes of it, and what is refused."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.web.api.cameras import CameraIn
from serve.web.app.camera_form import (
    _NEW_CAMERA,
    _OPTIONS,
    _document,
    _hidden,
    _put,
    _removal,
    _shown,
    _values,
    read_lines,
    write_lines,
)
from serve.web.app.notices import asked
from streetloop.cameras.anomaly_parameters import Anomalies
from streetloop.cameras.camera_file import Camera, CountingLine, parse_camera
from streetloop.control.views import CameraView
from streetloop.errors import ChangedMeanwhile, ConfigError, NotFound, StreetloopError
from streetloop.ledger.cameras import newest_changes
from streetloop.setting_types import KeepSetting
from tests.support.control_service import FILE, PASSWORD, Content

SIM = "sim://larkfield/gantry"

_fractions = st.floats(0, 1)
_points = st.tuples(_fractions, _fractions)
_names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=100)
_lines = st.dictionaries(
    _names, st.tuples(_points, _points).filter(lambda ends: ends[0] != ends[1]), max_size=5
)


@pytest.fixture
def content(tmp_path: Path) -> Iterator[Content]:
    content = Content(tmp_path / "home")
    yield content
    content.ledger.close()


def view(lines: Any) -> CameraView:
    return CameraView(id="a", uri=SIM, lines=lines)


# Counting lines


@given(lines=_lines)
def test_lines_are_read_as_they_were_written(lines: dict[str, Any]) -> None:
    again = read_lines(write_lines(view(lines)))
    assert {name: tuple(map(tuple, ends)) for name, ends in again.items()} == lines
    parse_camera({"id": "a", "uri": SIM, "lines": again})


@given(text=st.text(max_size=200))
def test_whatever_is_written_is_read_or_refused_in_a_sentence(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert all(len(end) == 2 for ends in read_lines(text).values() for end in ends)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", {}),
        ("\n  \n", {}),
        ("a: 0 0 1 1", {"a": [[0, 0], [1, 1]]}),
        (
            " to the left :0.5,0.5, 1,1\n\nb: .1 .2 .3 .4",
            {"to the left": [[0.5, 0.5], [1, 1]], "b": [[0.1, 0.2], [0.3, 0.4]]},
        ),
        ("a: b: 0 0 1 1", {"a: b": [[0, 0], [1, 1]]}),
    ],
)
def test_lines_as_people_write_them(text: str, lines: dict[str, Any]) -> None:
    assert read_lines(text) == lines


@pytest.mark.parametrize("text", ["a", "a: 1 2 3", "a: 1 2 3 4 5", "a: x y z w", "a; 0 0 1 1"])
def test_lines_that_are_written_otherwise_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="write a name, a colon and four numbers"):
        read_lines(text)


def test_a_line_is_there_once() -> None:
    with pytest.raises(ConfigError, match="'a' is given twice"):
        read_lines("a: 0 0 1 1\na : 0 0 0 1")


# Fields


def test_a_camera_that_is_shown_and_saved_is_the_same(content: Content) -> None:
    shown = content.service.cameras()[0]
    values = _values(shown)
    assert PASSWORD not in "".join(values)
    again = _put(content.service, "app", "a40", *values)
    assert again == shown
    document = newest_changes(content.ledger)[0].document
    assert document == {**FILE[0], "fps": 10.0}, "the password is still there"


def test_saving_keeps_what_the_form_does_not_show(content: Content) -> None:
    document = {
        "id": "udp",
        "uri": SIM,
        "transport": "udp",
        "fps": 29.97002997,
        "zones": {"bays": {"polygon": [[0, 0], [1, 0], [1, 1]], "kind": "parking"}},
        "mask": [[[0, 0], [0.2, 0], [0.2, 0.2]]],
        "anomalies": {"stopped_vehicle": {"min_stop_s": 30}, "queue": None},
    }
    content.service.put_camera(document, "api", new=True)
    shown = next(view for view in content.service.cameras() if view.id == "udp")
    assert _put(content.service, "app", "udp", *_values(shown)) == shown


def test_every_key_of_a_camera_is_shown_or_kept() -> None:
    full = CameraView(
        id="a",
        uri=SIM,
        city="x",
        site="denver",
        fps=1.0,
        transport="udp",
        classes={"car": ("car",)},
        anomalies=Anomalies(),
        keep={"motion": KeepSetting(days=1)},
        anonymise="off",
    )
    shown = set(_document("a", "x", "1", SIM, "", "car", "off", "denver"))
    assert shown | set(_hidden(full)) == set(Camera.model_fields), "a new key is shown, or is in CameraView"
    assert set(CameraIn.model_fields) | {"id"} == set(Camera.model_fields)
    assert set(_OPTIONS) | {"points"} == set(CountingLine.model_fields)


def test_empty_fields_are_what_is_usual(content: Content) -> None:
    made = _put(content.service, "app", _NEW_CAMERA, " new ", " ", "", f" {SIM} ", "", "")
    assert (made.id, made.city, made.fps, made.uri, made.lines) == ("new", None, None, SIM, {})
    assert newest_changes(content.ledger)[0].author == "app"
    assert _values(None) == ["", None, *[""] * 4, "off", ""]
    assert _values(made) == ["new", None, "", SIM, "", "", "off", ""]


@pytest.mark.parametrize(
    ("which", "fields", "words"),
    [
        (_NEW_CAMERA, ("a40", "", "", SIM, ""), "is there already"),
        (_NEW_CAMERA, ("A40", "", "", SIM, ""), "is there already"),
        (_NEW_CAMERA, ("", "", "", SIM, ""), "must be 1 to 64 letters"),
        (_NEW_CAMERA, ("../x", "", "", SIM, ""), "must be 1 to 64 letters"),
        (_NEW_CAMERA, ("new", "", "", "", ""), "has no scheme"),
        (_NEW_CAMERA, ("new", "", "fast", SIM, ""), "fps"),
        (_NEW_CAMERA, ("new", "", "nan", SIM, ""), "fps"),
        (_NEW_CAMERA, ("new", "", "1e9", SIM, ""), "fps"),
        (_NEW_CAMERA, ("new", "", "", SIM, "in"), "counting line 'in'"),
        (_NEW_CAMERA, ("new", "", "", SIM, "in: 0 0 9 9"), "lines.in"),
        (_NEW_CAMERA, ("new", "", "", SIM, ": 0 0 1 1"), "no name of a line"),
        (_NEW_CAMERA, ("new", "x" * 101, "", SIM, ""), "city"),
        ("a40", ("crossing", "", "", SIM, ""), "the id of a40 stays"),
        ("a40", ("new", "", "", SIM, ""), "the id of a40 stays"),
        ("gone", ("gone", "", "", SIM, ""), "no camera 'gone'"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_changes(
    content: Content, which: str, fields: tuple[str, ...], words: str
) -> None:
    with pytest.raises(StreetloopError, match=words):
        _put(content.service, "app", which, *fields, "")
    assert newest_changes(content.ledger) == []


def test_a_document_is_as_the_file_has_it() -> None:
    fields = ("new", "larkfield", "2.5", SIM, "in: 0 0 1 1", "car, heavy=bus+truck", "off", " depot ")
    assert _document(*fields) == {
        "id": "new",
        "city": "larkfield",
        "site": "depot",
        "fps": "2.5",
        "uri": SIM,
        "lines": {"in": [[0, 0], [1, 1]]},
        "classes": {"car": ["car"], "heavy": ["bus", "truck"]},
        "record": "off",
    }


def test_what_a_line_counts_survives_the_form(content: Content) -> None:
    line = "in: 0.0 0.0 1.0 1.0 'classes=car,traffic light'"
    made = _put(content.service, "app", _NEW_CAMERA, "new", "", "", SIM, line, "car,heavy=bus+truck")
    assert made.lines["in"].classes == {"car": ("car",), "traffic light": ("traffic light",)}
    assert made.classes == {"car": ("car",), "heavy": ("bus", "truck")}
    assert _put(content.service, "app", "new", *_values(made)) == made


def test_the_length_of_a_line_survives_the_form(content: Content) -> None:
    made = _put(content.service, "app", _NEW_CAMERA, "new", "", "", SIM, "in: 0 0 1 1 length_m=62.5", "")
    assert made.lines["in"].length_m == 62.5
    assert _put(content.service, "app", "new", *_values(made)) == made


# Notices


def test_a_refusal_is_a_notice_that_shows_html_as_text() -> None:
    def refuse() -> None:
        raise NotFound("no camera '<img src=x onerror=alert(1)>'")

    with pytest.raises(gr.Error) as caught:
        asked(refuse)
    assert caught.value.message == "no camera &#x27;&lt;img src=x onerror=alert(1)&gt;&#x27;"
    assert asked(lambda: 7) == 7


def test_a_fault_of_ours_is_no_notice() -> None:
    def fail() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        asked(fail)


def test_what_somebody_else_has_changed_meanwhile_is_not_undone(content: Content) -> None:
    before = content.service.camera("a40")
    _put(content.service, "bob", "a40", *_values(before)[:2], "3", *_values(before)[3:])
    with pytest.raises(ChangedMeanwhile, match="'a40' was changed meanwhile by bob at "):
        _put(content.service, "ann", "a40", *_values(before), seen=before.revision)
    now = content.service.camera("a40")
    assert (now.fps, _put(content.service, "ann", "a40", *_values(now), seen=now.revision)) == (3, now)


# Removal


def test_a_removal_offers_its_undo_which_shows_the_camera_again(
    content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serve.web.app.camera_form.require", lambda *_: None)
    nobody: Any = None
    take_out, put_back = _removal(content.service, "app")
    which, undo, chosen, remove, *fields = take_out(nobody, "a40")
    assert (which, undo["value"], undo["visible"]) == ("a40", "Undo: add a40 again", True)
    assert (chosen["value"], remove["interactive"], fields[0]) == (_NEW_CAMERA, False, "")
    assert "a40" not in chosen["choices"]
    which, undo, chosen, remove, *fields = put_back(nobody, which)
    assert (which, undo["visible"], chosen["value"], remove["interactive"]) == ("", False, "a40", True)
    assert fields == _shown(content.service.camera("a40"))
