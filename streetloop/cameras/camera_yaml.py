"""YAML as people write it: names stay as they are written, and no key is there twice."""

import datetime
import re
from collections.abc import Hashable
from typing import Any

import yaml

from streetloop.errors import ConfigError
from streetloop.secrets import redact

_NAMES = {"id", "city"}
"""Keys whose values are names: 0017 stays 0017."""

_INTEGER = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")


def read_yaml(text: str, name: str) -> Any:
    """The value of a YAML document.

    Keys are text as they are written, and so are whole numbers where a name is expected.

    >>> read_yaml("{id: 0017, fps: 10, no: {10: x}}", "a")
    {'id': '0017', 'fps': 10, 'no': {'10': 'x'}}

    Numbers are those that people mean: 010 is ten and not eight, 12:30 is a text and not 750.

    >>> read_yaml("{fps: 010, at: 12:30}", "a")
    {'fps': 10, 'at': '12:30'}

    Args:
        text: The document.
        name: Stands for the file in messages.

    Raises:
        ConfigError: It is not valid YAML, or a mapping has a key twice; the message names the line
            and quotes nothing of it but such a key.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        # `from None`: the vendor's message quotes the line, and a line may hold a password.
        why = str(error) if isinstance(error, _DuplicateKey) else "is not valid YAML"
        raise ConfigError(f"{name}{where}: {why}") from None


def misread(value: object) -> str | None:
    """What YAML took for something else than text; None if it did not.

    >>> misread(False)
    'is read as a truth value by YAML; quote it'
    """
    kinds: dict[type, str] = {
        bool: "a truth value",
        int: "a number",
        float: "a number",
        datetime.date: "a date",
        datetime.datetime: "a date",
    }
    kind = kinds.get(type(value))
    return kind and f"is read as {kind} by YAML; quote it"


class _DuplicateKey(yaml.YAMLError):
    """A mapping names a key twice; YAML would silently take the last."""


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.YAMLError("a key is no text")
            if key.value in seen:
                raise _DuplicateKey(redact(f"the key {key.value!r} is there twice"))
            seen.add(key.value)
        self.flatten_mapping(node)
        return {key.value: self._value(key, value, deep) for key, value in node.value}

    def _value(self, key: yaml.ScalarNode, value: yaml.Node, deep: bool) -> Any:
        if key.value in _NAMES and isinstance(value, yaml.ScalarNode) and value.tag == _INTEGER:
            return value.value
        return self.construct_object(value, deep=deep)


def _number(loader: _Loader, node: yaml.ScalarNode) -> int | float | str:
    """A number of YAML 1.2: with colons it is a text, and with a leading zero it is decimal."""
    if ":" in node.value:
        return str(node.value)
    if node.tag == _FLOAT:
        return loader.construct_yaml_float(node)
    if _LEADING_ZERO.fullmatch(node.value):
        return int(node.value.replace("_", ""))
    return loader.construct_yaml_int(node)


_Loader.add_constructor(_INTEGER, _number)
_Loader.add_constructor(_FLOAT, _number)
