"""Odd camera files: each a ConfigError that shows no password."""

import traceback
from pathlib import Path

import pytest

from streetloop.cameras.camera_file import load_cameras, parse_cameras
from streetloop.errors import ConfigError

PASSWORD = "hunter2"
URI = f"rtsp://admin:{PASSWORD}@10.0.0.7/ch1"
GOOD = f"cameras: [{{id: a40, uri: '{URI}'}}]"


def one(keys: str) -> str:
    return f"cameras: [{{id: a40, uri: '{URI}', {keys}}}]"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"cameras: [{{id: a40, uri: 'rtsp://admin:[{PASSWORD}]@10.0.0.7/'}}]", id="brackets"),
        pytest.param(f"cameras: [{{id: a40, uri: 'rtsp://admin:{PASSWORD}℀@10.0.0.7/'}}]", id="NFKC"),
        pytest.param(one(f"'{URI}': 1"), id="address as unknown key of a camera"),
        pytest.param(f"{GOOD}\n'{URI}': 1", id="address as unknown top-level key"),
        pytest.param(f"{GOOD}\nsettings: {{'{URI}': 1}}", id="address as setting"),
        pytest.param(one(f"lines: {{'{URI}': [[0, 0], [0, 0]]}}"), id="address as name of a line"),
    ],
)
def test_no_message_shows_the_password(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_cameras(text, name="city.yaml")
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x: 2020-13-45", id="date that does not exist"),
        pytest.param("x: 1" + "0" * 5000, id="long number"),
        pytest.param("x: !!int ''", id="empty int"),
        pytest.param("[" * 3000, id="deep nesting"),
        pytest.param("cameras: !!set {a, b}", id="a set"),
        pytest.param(f"{GOOD}\nsettings: {{image_size: 7}}", id="value of a setting out of bounds"),
        pytest.param(f"{GOOD}\ncameras: [{{id: b1, uri: 'rtsp://h/x'}}]", id="a key twice"),
        pytest.param("cameras: [{id: a, uri: 'rtsp:'}]", id="no host"),
        pytest.param("cameras: [{id: a, uri: 'rtsp://'}]", id="no host either"),
        pytest.param(f"cameras: [{{id: a, uri: 'rtsp:/admin:{PASSWORD}@10.0.0.7/'}}]", id="one slash"),
    ],
)
def test_bad_files_are_config_errors(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_cameras(text, name="city.yaml")


def test_not_even_the_cause_holds_the_password(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_bytes(GOOD.encode() + b" # \xff")
    with pytest.raises(ConfigError) as caught:
        load_cameras(path)
    assert PASSWORD not in repr(caught.value.__cause__)
