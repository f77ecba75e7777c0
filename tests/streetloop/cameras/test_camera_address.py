"""Addresses that are refused before another host could be called, and what is never printed."""

import traceback

import pytest

from streetloop.cameras.camera_address import parse_address
from streetloop.cameras.camera_file import parse_camera, parse_cameras
from streetloop.errors import ConfigError


def _refusal(uri: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_camera({"id": "a40", "uri": uri})
    shown = "".join(traceback.format_exception(caught.value))
    assert not any(part in shown for part in ("hunter", "admin:", "@host"))
    return str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        "rtsp://admin:hunter#34@host",
        "rtsp://admin:hunter#34@host/ch1",
        "rtsp://admin:12/hunter@host/ch1",
        "rtsp://admin:1?hunter@host/ch1",
        "rtsp://:#hunter@host/ch1",
        "rtsp://us#er:hunter@host/ch1",
        "rtsp://admin:hunter/@host",
        "rtsp://admin:12?a=hunter@host",
    ],
)
def test_a_password_that_would_call_another_host_is_refused(uri: str) -> None:
    assert "write # as %23" in _refusal(uri)
    with pytest.raises(ConfigError, match="write # as %23"):
        parse_cameras(f"cameras: [{{id: a40, uri: '{uri}'}}]")


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("rtsp://admin:12%2334@host/ch1", "host"),
        ("rtsp://admin:a%2Fb%3Fc%40d@host/ch1", "host"),
        ("rtsp://admin:p@ss@host/ch1", "host"),  # one @ too many is clear
        ("rtsp://host/user=admin&password=s3cret&channel=1", "host"),
        ("rtsp://host/cam?user=admin&password=s3cret", "host"),
        ("rtsp://host/cam?token=s3cret", "host"),
        ("rtsp://host/cam?auth=s3cret", "host"),
        ("rtsp://host/mail%40example.org", "host"),
    ],
)
def test_what_is_escaped_and_what_stands_in_parameters_is_an_address(uri: str, host: str) -> None:
    address = parse_address(uri)
    assert address.reveal() == uri
    assert host in str(address)
    assert "s3cret" not in f"{address} {address!r}"
    assert "admin" not in str(address)


@pytest.mark.parametrize("sign", "<>")
def test_brackets_are_to_be_escaped(sign: str) -> None:
    assert "write < as %3C" in _refusal(f"rtsp://admin:pa{sign}hunter@host/ch1")


def test_a_clips_number_sign_is_to_be_escaped() -> None:
    assert "write # as %23" in _refusal("file:///clips/a#b.mp4")


@pytest.mark.parametrize(
    "shown", ["rtsp://***@host/ch1", "rtsp://host/ch1?token=***", "rtsp://host/user=***"]
)
def test_an_address_as_it_is_shown_is_refused(shown: str) -> None:
    assert "write them again" in _refusal(shown)


@pytest.mark.parametrize(
    "uri",
    [
        "rtsp://admin:50%25@host/ch1",
        "rtsp://admin:50%off@host/ch1",
        "rtsp://host/100%/ch1",
        "file:///clips/100%.mp4",
    ],
)
def test_a_percent_sign_that_escapes_nothing_stays(uri: str) -> None:
    assert parse_address(uri).reveal() == uri


@pytest.mark.parametrize(
    ("uri", "meant"),
    [
        ("RTSP://host/Ch1", "rtsp://host/Ch1"),
        ("Snapshot+HTTP://host/a.jpg", "snapshot+http://host/a.jpg"),
        ("FILE:///Clips/a.mp4", "file:///Clips/a.mp4"),
        (" rtsp://host/ch1\n", "rtsp://host/ch1"),
    ],
)
def test_a_scheme_in_capitals_and_space_around_an_address_are_understood(uri: str, meant: str) -> None:
    assert parse_address(uri).reveal() == meant


@pytest.mark.parametrize(
    "uri", ["/clips/a.mp4", "clips/a.mp4", "C:\\clips\\a.mp4", "rtsp:/host/ch1", "10.0.0.7"]
)
def test_what_has_no_scheme_is_told_how_a_file_is_written(uri: str) -> None:
    assert "write a file as file:///absolute/path.mp4" in _refusal(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "rtsp://${CAMERA_USER}:${CAMERA_PASSWORD}@host/ch1",
        "rtsp://admin:{CAMERA_PASSWORD}@host/ch1",
        "https://host/a.m3u8?token=${TOKEN}",
    ],
)
def test_a_variable_that_nobody_replaces_is_refused(uri: str) -> None:
    assert "has a variable in braces, and none is replaced there" in _refusal(uri)
    assert parse_address("rtsp://admin:%7Ba%7D$b@host/ch1").reveal() == "rtsp://admin:%7Ba%7D$b@host/ch1"
    assert parse_address("file:///clips/{a}.mp4").reveal() == "file:///clips/{a}.mp4"


@pytest.mark.parametrize(
    ("uri", "option"),
    [
        ("file:///a.mp4?fps=5&loop=1&fps=7", "fps"),
        ("sim://kingsport/crossing?size=64x64&size=96x64", "size"),
        ("v4l2:///dev/video0?fps=5&fps=5", "fps"),
        ("snapshot+http://host/a.jpg?every=2&c=1&c=2&every=3", "every"),
    ],
)
def test_an_option_that_is_there_twice_is_refused(uri: str, option: str) -> None:
    assert f"has the option {option!r} twice" in _refusal(uri)
    assert parse_address("https://host/a.mp4?channel=1&channel=2").scheme == "https"


@pytest.mark.parametrize("uri", ["file:///clips/a%0Ab.mp4", "watch:///clips%00", "v4l2:///dev/video0%1B"])
def test_a_path_that_would_break_a_line_is_refused(uri: str) -> None:
    assert "has a line break or another control character" in _refusal(uri)


@pytest.mark.parametrize(
    "host", ["host:0", "host:", "host:five", "host:554:554", "::1:554", "admin:hunter@host:five", "[::1]:"]
)
def test_a_port_that_is_none_is_said(host: str) -> None:
    assert "its port is not a number from 1 to 65535; write HOST:PORT" in _refusal(f"rtsp://{host}/ch1")


@pytest.mark.parametrize("port", ["65536", "99999"])
def test_a_port_that_does_not_exist_is_said(port: str) -> None:
    assert "its port is not a number from 1 to 65535" in _refusal(f"rtsp://host:{port}/ch1")
    assert "write # as %23" in _refusal(f"rtsp://admin:{port}/hunter@host/ch1")
