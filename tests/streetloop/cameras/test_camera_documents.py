"""One camera, as a form or the ledger has it."""

import json
import re
import traceback
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from streetloop.cameras.camera_file import Camera, camera_document, parse_camera, parse_cameras
from streetloop.counted_classes import is_one_line
from streetloop.errors import ConfigError
from streetloop.secrets import SecretUri

PASSWORD = "hunter2"
URI = f"rtsp://admin:{PASSWORD}@10.0.0.7/ch1"
ID_AS_DOCUMENTED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def keeps_the_password(error: ConfigError) -> bool:
    shown = "".join(traceback.format_exception(error))
    return not any(PASSWORD in text for text in (str(error), repr(error), shown))


def refusal_of_one(document: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_camera(document)
    assert keeps_the_password(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


_fractions = st.floats(0, 1)
_points = st.tuples(_fractions, _fractions)
_line_names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=100)
_cameras = st.fixed_dictionaries(
    {
        "id": st.from_regex(ID_AS_DOCUMENTED, fullmatch=True),
        "uri": st.sampled_from([URI, "sim://kingsport/crossing?seed=2", "file:///a.mp4?loop=1"]),
    },
    optional={
        "city": st.text(st.characters(codec="utf-8"), min_size=1, max_size=100).filter(is_one_line),
        "fps": st.floats(0.001, 1000),
        "transport": st.sampled_from(["tcp", "udp"]),
        "lines": st.dictionaries(
            _line_names, st.tuples(_points, _points).filter(lambda ends: ends[0] != ends[1]), max_size=4
        ),
    },
)


@given(document=_cameras)
def test_a_camera_survives_its_document(document: dict[str, Any]) -> None:
    camera = parse_camera(document)
    again = parse_camera(json.loads(json.dumps(camera_document(camera))))
    assert again == camera
    assert again.uri.reveal() == document["uri"]


def test_a_document_says_no_more_than_was_said() -> None:
    camera = parse_camera({"id": "a40", "uri": URI})
    assert camera_document(camera) == {"id": "a40", "uri": URI}


def test_a_document_is_as_the_file_has_it() -> None:
    keys = "city: London, fps: 12.5, lines: {in: [[0, 0.25], [1, 1]]}"
    text = f"cameras: [{{id: a40, uri: '{URI}', {keys}}}]"
    (camera,) = parse_cameras(text).cameras
    document = camera_document(camera)
    assert parse_cameras(yaml.safe_dump({"cameras": [document]})).cameras == [camera]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"fps": -1}, "camera 'a40': fps"),
        ({"fps": "fast"}, "camera 'a40': fps"),
        ({"transport": "http"}, "camera 'a40': transport"),
        ({"city": ""}, "camera 'a40': city"),
        ({"speed": 3}, "camera 'a40': unknown key 'speed'; known are id, uri"),
        ({"uri": None}, "camera 'a40': uri: must be text"),
        ({"uri": URI.replace("rtsp", "ftp")}, "camera 'a40': uri: unknown scheme 'ftp'"),
        ({"id": ""}, "id: must be 1 to 64 letters"),
        ({"id": "../../etc/passwd"}, "id: must be 1 to 64 letters"),
        ({"id": "<b>bold</b>"}, "id: must be 1 to 64 letters"),
        ({"id": None}, "id: must"),
        ({"lines": []}, "camera 'a40': lines"),
        ({"lines": {"": [[0, 0], [1, 1]]}}, "no name of a line"),
        ({"lines": {" in": [[0, 0], [1, 1]]}}, "no name of a line"),
        ({"lines": {"a\nb": [[0, 0], [1, 1]]}}, "no name of a line"),
        ({"lines": {"x" * 101: [[0, 0], [1, 1]]}}, "no name of a line"),
        ({"lines": {f"l{k}": [[0, 0], [1, 1]] for k in range(51)}}, "more than 50 lines"),
    ],
)
def test_one_camera_that_is_wrong_is_refused_in_one_sentence(keys: dict[str, Any], words: str) -> None:
    assert words in refusal_of_one({"id": "a40", "uri": URI, **keys})


def test_one_camera_that_lacks_something_is_refused() -> None:
    assert refusal_of_one({"id": "a40"}) == "camera 'a40': 'uri' is missing"
    assert refusal_of_one({"uri": URI}) == "'id' is missing"
    assert "missing" in refusal_of_one({})


@pytest.mark.parametrize("path", ["", "/other", ":8554/ch1?a=b"])
def test_an_address_as_it_is_shown_is_no_address(path: str) -> None:
    shown = str(SecretUri(f"rtsp://admin:{PASSWORD}@10.0.0.7{path}"))
    assert "write them again" in refusal_of_one({"id": "a40", "uri": shown})


def test_a_camera_is_never_shown_with_its_password() -> None:
    camera = parse_camera({"id": "a40", "uri": URI})
    assert isinstance(camera, Camera)
    assert PASSWORD not in f"{camera!r} {camera} {camera.uri!r}"
