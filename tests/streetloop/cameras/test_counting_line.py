"""Counting lines in a camera file."""

import pytest

from streetloop.cameras.camera_file import parse_camera
from streetloop.errors import ConfigError

ENDS = [[0.1, 0.2], [0.3, 0.4]]


def line(value: object) -> object:
    camera = parse_camera({"id": "a", "uri": "rtsp://10.0.0.7/a", "lines": {"x": value}})
    return camera.lines["x"].model_dump(mode="json")


def test_it_is_written_as_short_as_it_can_be() -> None:
    assert line(ENDS) == line({"points": ENDS}) == ENDS
    assert line({"points": ENDS, "length_m": 40}) == {"points": ENDS, "length_m": 40.0}


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (0, "greater than or equal to 1"),
        (-3, "greater"),
        (20_000, "10000"),
        (True, "must be a number"),
        ("far", "number"),
    ],
)
def test_a_length_that_no_line_has_is_refused(length: object, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"lines.x.length_m: .*{said}"):
        line({"points": ENDS, "length_m": length})
