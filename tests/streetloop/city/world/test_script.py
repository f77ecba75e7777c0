import pytest

from streetloop.city.world.script import entries
from streetloop.errors import ConfigError

KNOWN = ("rain", "night")


def _read(text: str) -> list[tuple[str, float | None, float | None]]:
    return list(entries(text, "condition", KNOWN, "write night"))


def test_numbers_that_are_left_out_are_none() -> None:
    assert _read("rain, night@60,night@60:0") == [
        ("rain", None, None),
        ("night", 60.0, None),
        ("night", 60.0, 0.0),
    ]


def test_an_unknown_name_lists_what_exists() -> None:
    with pytest.raises(ConfigError, match="unknown condition 'hail'; known are rain, night"):
        _read("rain,hail")


@pytest.mark.parametrize("text", ["", "rain,", "night@", "night@-1", "Night", "night@1:2:3"])
def test_what_is_malformed_says_how_to_write_it(text: str) -> None:
    with pytest.raises(ConfigError, match="is not understood; write night"):
        _read(text)


def test_a_number_with_two_points_is_none() -> None:
    with pytest.raises(ConfigError, match="no such number"):
        _read("night@1.2.3")
