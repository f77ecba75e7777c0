"""Options that Ultralytics would refuse in a worker are refused before one starts."""

from typing import Any

import pytest

from streetloop.errors import ConfigError
from train.fine_tuning.recipe import RECIPE
from train.fine_tuning.recipe_check import refuse_bad_options


def test_the_default_options_are_good() -> None:
    refuse_bad_options(RECIPE | {"threads": 2, "batch": 0.7, "time": None, "scale": [0.5, 1.5], "freeze": 10})


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("epochs", "abc", "whole number from 1 on"),
        ("epochs", 0, "whole number from 1 on"),
        ("epochs", True, "whole number from 1 on"),
        ("imgsz", 8, "whole number from 32 on"),
        ("imgsz", [320, 640], "whole number from 32 on"),
        ("threads", 0, "whole number from 1 on"),
        ("lr0", "fast", "number from 0 to 1"),
        ("lr0", float("nan"), "number from 0 to 1"),
        ("blend", 1.5, "number from 0 to 1"),
        ("box", "x", "number"),
        ("cos_lr", 1, "true or false"),
    ],
)
def test_a_value_that_is_none_is_named(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(ConfigError, match=f"option {name}: .* is no {wanted}$"):
        refuse_bad_options({name: value})


@pytest.mark.parametrize("name", ["epoch", "device", "amp"])
def test_an_option_that_cannot_be_set_is_unknown(name: str) -> None:
    with pytest.raises(ConfigError, match=f"'{name}' is unknown"):
        refuse_bad_options({name: 1})
