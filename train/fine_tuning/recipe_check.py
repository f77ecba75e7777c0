"""Refuses training options that Ultralytics would refuse, before a training begins."""

import ast
import math
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from streetloop.errors import ConfigError
from train.fine_tuning.recipe import BLEND, THREADS

_SET_BY_US = frozenset(
    [
        "task",
        "mode",
        "model",
        "data",
        "project",
        "name",
        "exist_ok",
        "plots",
        "device",
        "workers",
        "amp",
        "resume",
        "save",
        "val",
    ]
)
_LEAST_SIDE = 32  # pixels; the coarsest stride of a detector


def refuse_bad_options(recipe: Mapping[str, Any]) -> None:
    """Refuse training options that Ultralytics does not have, that are set here, or of a bad value.

    >>> refuse_bad_options({"epochs": 3, "lr": 0.1})
    Traceback (most recent call last):
    ...
    streetloop.errors.ConfigError: training option 'lr' is unknown; perhaps lr0 or lrf
    >>> refuse_bad_options({"epochs": "many"})
    Traceback (most recent call last):
    ...
    streetloop.errors.ConfigError: training option epochs: 'many' is no whole number from 1 on

    Raises:
        ConfigError: One cannot be set so; the message names it.
    """
    known = _options()
    for name, value in recipe.items():
        if name not in known:
            near = " or ".join(sorted(get_close_matches(name, known, 2)))
            raise ConfigError(f"training option {name!r} is unknown" + (f"; perhaps {near}" if near else ""))
        if (wanted := _fault(name, value)) is not None:
            raise ConfigError(f"training option {name}: {str(value)[:40]!r} is no {wanted}")


def _fault(name: str, value: Any) -> str | None:
    """What a value should be; None if it is that, or if Ultralytics leaves its kind open."""
    kinds = _kinds()
    if name in {*kinds["CFG_INT_KEYS"], "imgsz", THREADS}:
        least = {"imgsz": _LEAST_SIDE, THREADS: 1, **kinds["CFG_INT_MIN"]}.get(name)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if is_whole and (least is None or value >= least):
            return None
        return "whole number" + ("" if least is None else f" from {least} on")
    if name == "fraction":
        return None  # also lists and counts
    if name in {*kinds["CFG_FRACTION_KEYS"], BLEND}:
        return None if _is_number(value) and 0 <= value <= 1 else "number from 0 to 1"
    if name in kinds["CFG_FLOAT_KEYS"]:
        return None if value is None or _is_number(value) else "number"
    if name in kinds["CFG_BOOL_KEYS"]:
        return None if isinstance(value, bool) else "true or false"
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _options() -> frozenset[str]:
    """Names of Ultralytics' options, and of our own."""
    defaults = yaml.safe_load((_folder() / "default.yaml").read_text("utf-8"))
    return (frozenset(defaults) - _SET_BY_US) | {BLEND, THREADS}


@lru_cache(maxsize=1)
def _kinds() -> dict[str, Any]:
    """Names of options by kind, as Ultralytics' source has them: its import loads PyTorch."""
    found: dict[str, Any] = {"CFG_INT_MIN": {}}
    found |= dict.fromkeys(("CFG_INT_KEYS", "CFG_FRACTION_KEYS", "CFG_FLOAT_KEYS", "CFG_BOOL_KEYS"), ())
    for node in ast.parse((_folder() / "__init__.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
            if name in found:
                found[name] = ast.literal_eval(value.args[0] if isinstance(value, ast.Call) else value)
    return found


def _folder() -> Path:
    spec = find_spec("ultralytics")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "cfg"
