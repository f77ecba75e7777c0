"""What exporters write into a model file about it: class names, stride, NMS."""

import ast
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from streetloop.counted_classes import is_class_name
from streetloop.errors import ModelUnsupported

_MAX_STRIDE = 1024
_ANY_STRIDE = 64  # multiples of it fit strides of 8, 16, 32 and 64


def class_names(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Class names from the key ``names``; a class id is an index into them.

    A Python literal or JSON: a list, or a table by class id, whose keys may be texts.

    >>> class_names({"names": "{'0': 'car', '1': 'bus'}"})
    ('car', 'bus')

    Raises:
        ModelUnsupported: There are none, one is missing or of several lines, a class has two, or
            two classes share one.
    """
    if not metadata.get("names"):
        raise ModelUnsupported("does not name its classes; export it with Ultralytics, which does")
    found = _literal(metadata["names"])
    if isinstance(found, list | tuple):
        found = dict(enumerate(found))
    if not isinstance(found, dict) or not found or not all(str(key).isdecimal() for key in found):
        raise ModelUnsupported("names its classes in no form that is known; write {0: 'car', 1: 'bus'}")
    if any(isinstance(name, list | tuple | dict | None) for name in found.values()):
        raise ModelUnsupported("names a class by something else than text; write {0: 'car', 1: 'bus'}")
    _refuse_a_class_twice(_keys_of(metadata["names"]) or list(found))
    table = {int(key): str(name).strip() for key, name in found.items()}
    for number in range(max(table) + 1):
        if not table.get(number):
            raise ModelUnsupported(f"names its classes up to {max(table)}, but class {number} has no name")
        if not is_class_name(table[number]):
            raise ModelUnsupported(f"the name of its class {number} has a line break or a control character")
    names = tuple(table[number] for number in range(len(table)))
    for number, name in enumerate(names):
        if (first := names.index(name)) != number:
            raise ModelUnsupported(f"has the name {name!r} twice, for the classes {first} and {number}")
    return names


def stride(metadata: Mapping[str, str]) -> int:
    """The stride in pixels: a number, or the largest of a list; 64, which fits all, if unknown.

    >>> stride({"stride": "[8, 16, 32]"})
    32

    Raises:
        ModelUnsupported: It is no number of pixels.
    """
    text = metadata.get("stride", "").strip()
    if not text:
        return _ANY_STRIDE
    found = _literal(text)
    values = found if isinstance(found, list | tuple) else [found]
    if not values or not all(_is_stride(value) for value in values):
        raise ModelUnsupported(f"its stride {text[:40]!r} is not a number of pixels")
    return int(max(values))


def is_end_to_end(metadata: Mapping[str, str]) -> bool:
    """True if the network needs no NMS."""
    return metadata.get("end2end", "").strip().lower() in {"true", "1"}


def has_nms(metadata: Mapping[str, str]) -> bool:
    """True if the exporter added NMS to the network."""
    options = _literal(metadata.get("args", ""))
    return isinstance(options, dict) and bool(options.get("nms"))


def nms_batch(metadata: Mapping[str, str]) -> int:
    """Images that an exported NMS answers for: its loop over them is unrolled at the export."""
    text = metadata.get("batch", "")
    return int(text) if text.isdecimal() and int(text) else 1


def _refuse_a_class_twice(keys: Sequence[object]) -> None:
    """Refuse a table in which two keys are one number, as 0 and '0' are.

    Raises:
        ModelUnsupported: It is such a table.
    """
    for number, times in Counter(int(str(key)) for key in keys).items():
        if times > 1:
            raise ModelUnsupported(f"names its class {number} {times} times")


def _keys_of(text: str) -> list[object]:
    """Keys of a table as they are written; the value of the text has only the last of two alike."""
    try:
        table = ast.parse(text.strip(), mode="eval").body
        return [ast.literal_eval(key) for key in table.keys if key] if isinstance(table, ast.Dict) else []
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return []


def _is_stride(value: object) -> bool:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
    return whole and 0 < float(str(value)) <= _MAX_STRIDE


def _literal(text: str) -> Any:
    """The value of a Python literal or of JSON; None if it is neither."""
    for read in (ast.literal_eval, json.loads):
        try:
            return read(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return None
