"""YAML as people write it: names stay as they are written, and no key is there twice."""

import datetime
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from streetloop.errors import ConfigError
from streetloop.secrets import redact

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # a PyYAML without libyaml, some twenty times slower
    from yaml import SafeLoader as _Base  # type: ignore[assignment]

_MAX_FILE_BYTES = 4 * 2**20
_MOST_LEVELS, _MOST_VALUES = 50, 500_000

_NAMES = {"id", "city"}
"""Keys whose values are names: 0017 stays 0017."""

_INTEGER = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")


def read_text(path: Path, name: str | None = None) -> str:
    """The text of a camera file, or of a list of cameras.

    Args:
        path: The file.
        name: Stands for it in messages; None for its path.

    Raises:
        ConfigError: It cannot be read, is larger than 4 MB, or is not UTF-8.
    """
    name = name or str(path)
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise ConfigError(f"{name}: larger than {_MAX_FILE_BYTES // 2**20} MB")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        # `from None`: the vendor's exception holds the whole file.
        raise ConfigError(f"{name}: is not UTF-8 text; save it as UTF-8") from None


def read_yaml(text: str, name: str, faults: list[str] | None = None) -> Any:
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
        faults: Receives a sentence for each key that is there twice; the last one counts. None
            raises instead.

    Raises:
        ConfigError: It is not valid YAML, too large or too deep, or a mapping has a key twice; the
            message names the line and quotes nothing of it but such a key.
    """
    try:
        _refuse_excess(text, name)
        loader = _Loader(text)
        try:
            value = loader.get_single_data()
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        # `from None`: the vendor's message quotes the line, and a line may hold a password.
        raise ConfigError(f"{name}{where}: {_why(error)}") from None
    if faults is None and loader.twice:
        raise ConfigError("\n".join(f"{name}: {sentence}" for sentence in loader.twice))
    if faults is not None:
        faults += loader.twice
    return value


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


def _why(error: Exception) -> str:
    """What is wrong with a document, without a word of it."""
    problem = f"{getattr(error, 'context', '')} {getattr(error, 'problem', '')}"
    if "constructor for the tag" in problem:
        return "has a tag, as !secret or !include, and none is known here; write the value"
    if "single document" in problem:
        return "a second document begins; leave out ---, or split the file"
    if "character" in problem and "any token" in problem:
        return "is not valid YAML: a tab, or a character such as @, % or ` that has to be quoted"
    return "is not valid YAML"


def _refuse_excess(text: str, name: str) -> None:
    """Refuse what is too deep for the reader's stack, and what nobody has written by hand.

    Raises:
        ConfigError: It is.
        yaml.YAMLError: It is not valid YAML.
    """
    depth = values = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        values += isinstance(event, yaml.NodeEvent)
        if depth > _MOST_LEVELS:
            where = f", line {event.start_mark.line + 1}" if event.start_mark is not None else ""
            raise ConfigError(f"{name}{where}: is nested deeper than {_MOST_LEVELS} levels")
        if values > _MOST_VALUES:
            raise ConfigError(f"{name}: has more than {_MOST_VALUES:,} values; split the cameras into files")


class _Loader(_Base):
    """Keeps what people wrote.

    Attributes:
        twice: A sentence for each key that a mapping has twice; YAML would silently take the last.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.twice: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.YAMLError("a key is no text")
            if key.value in seen:
                line = key.start_mark.line + 1
                self.twice.append(redact(f"line {line}: the key {key.value!r} is there twice"))
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
