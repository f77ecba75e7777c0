"""What is wrong with a camera file: one sentence a mistake, without the values of the file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from streetloop.errors import ConfigError, FieldsInvalid
from streetloop.secrets import redact

MOST_FAULTS = 20
"""More are counted, and not said."""

CAMERA_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Ids of cameras."""

_PLAIN = (
    (
        r"Input should be a valid dictionary( or instance of \w+)?",
        "must be a mapping, such as {{key: value}}",
    ),
    (r"Input should be a valid (?:list|tuple)", "must be a list"),
    (r"Input should be a valid string", "must be text; quote it"),
    (r"Input should be a valid number(, unable to parse string as a number)?", "must be a number"),
    (r"Input should be a valid integer.*", "must be a whole number"),
    (r"Input should be a valid boolean(, unable to interpret input)?", "must be true or false"),
    (
        r"(?:List|Tuple) should have at least (\d+) items? after validation, not (\d+)",
        "has {1} values, and needs {0}",
    ),
    (
        r"(?:List|Tuple) should have at most (\d+) items? after validation, not (\d+)",
        "has {1} values; at most {0} are taken",
    ),
    (r"String should have at least 1 character", "is empty"),
    (r"String should match pattern '\^\(([\w|-]+)\)\$'", "must be one of {0}"),
)
"""What the validator says, and how people say it."""

_LONGEST_KEY = 60


def refusal(faults: Sequence[str], name: str = "") -> ConfigError:
    r"""The error that says all faults, a line each.

    >>> print(refusal(["'cameras' is missing", "unknown key 'camera'"], "city.yaml"))
    city.yaml: 'cameras' is missing
    city.yaml: unknown key 'camera'

    Args:
        faults: Sentences; of more than `MOST_FAULTS` the rest is counted.
        name: Stands for the file; nothing is put before a sentence without it.
    """
    said = list(faults[:MOST_FAULTS])
    if len(faults) > MOST_FAULTS:
        more = len(faults) - MOST_FAULTS
        said.append(f"{more} more mistake{'s' if more > 1 else ''}, said once these are mended")
    before = f"{name}: " if name else ""
    return ConfigError("\n".join(redact(before + sentence) for sentence in said))


def refusal_of_one(faults: Sequence[str], by_key: Mapping[str, str] | None = None) -> FieldsInvalid:
    """The error that says all faults of one camera, in one line.

    >>> str(refusal_of_one(["camera 'a': 'uri' is missing", "camera 'a': fps: must be a number"]))
    "camera 'a': 'uri' is missing; fps: must be a number"

    Args:
        faults: Sentences.
        by_key: The same from `faults_by_key`.
    """
    who = faults[0].partition(": ")[0] + ": "
    lines = str(refusal(faults)).splitlines()
    return FieldsInvalid("; ".join([lines[0], *(line.removeprefix(who) for line in lines[1:])]), by_key)


def faults_by_key(error: ValidationError, of_camera: type[BaseModel]) -> dict[str, str]:
    """What is wrong with the only camera of a file, by its key; an unknown key has an empty one.

    Args:
        error: What is wrong.
        of_camera: Has the keys of a camera.
    """
    found: dict[str, list[str]] = {}
    for fault in error.errors(include_input=False, include_url=False):
        where = list(fault["loc"])[2:]
        key = str(where[0]) if where and where[0] in of_camera.model_fields else ""
        said = found.setdefault(key, [])
        if key and len(where) == 1 and fault["type"] == "missing":
            said.append("is missing")
        else:
            said.extend(_said(fault, where[1:] if key else where, None if key else of_camera))
    return {key: "; ".join(map(redact, said[:MOST_FAULTS])) for key, said in found.items()}


def sentences(
    error: ValidationError, raw: Mapping[Any, Any], of_file: type[BaseModel], of_camera: type[BaseModel]
) -> list[str]:
    """Every fault as a sentence that names the camera and the key, and not the offending value.

    Args:
        error: What is wrong.
        raw: The file.
        of_file: Has the keys of the file.
        of_camera: Has the keys of a camera.
    """
    found: list[str] = []
    for fault in error.errors(include_input=False, include_url=False):
        where = list(fault["loc"])
        who, keys = "", of_file
        if len(where) >= 2 and where[0] == "cameras":
            who, keys = f"camera {_camera_label(raw, int(where[1]))}: ", of_camera
            where = where[2:]
        found.extend(who + sentence for sentence in _said(fault, where, keys))
    return found


def plain(message: str) -> str:
    """A message of the validator as the end of a sentence."""
    text = message.removeprefix("Value error, ")
    for pattern, words in _PLAIN:
        if found := re.fullmatch(pattern, text):
            text = words.format(*(group.replace("|", ", ") for group in found.groups("")))
    return text[:1].lower() + text[1:]


def twice(raw: Mapping[Any, Any]) -> list[str]:
    """A sentence for each id that two cameras have.

    Ids become folder names, and some file systems do not tell case apart.
    """
    seen: set[str] = set()
    found = []
    for entry in _entries(raw):
        label = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(label, str):
            continue
        if label.lower() in seen:
            found.append(f"camera {_shown(label)!r} is there twice; ids must differ")
        seen.add(label.lower())
    return found


def _said(fault: ErrorDetails, where: Sequence[int | str], keys: type[BaseModel] | None) -> Iterator[str]:
    path = ".".join(_shown(str(part)) for part in where if part != "[key]")
    if fault["type"] == "extra_forbidden":
        known = f"; known are {', '.join(keys.model_fields)}" if keys is not None and len(where) == 1 else ""
        yield f"unknown key {path!r}{known}"
    elif fault["type"] == "missing":
        yield f"{path!r} is missing"
    else:
        for line in plain(fault["msg"]).splitlines():
            yield f"{path + ': ' if path else ''}{line}"


def _shown(key: str) -> str:
    key = redact(key)  # before it is cut: half an address hides nothing
    kept = "".join(one if one.isprintable() else "?" for one in key[:_LONGEST_KEY])
    return kept + "..." if len(key) > _LONGEST_KEY else kept


def _entries(raw: Mapping[Any, Any]) -> list[Any]:
    entries = raw.get("cameras")
    return entries if isinstance(entries, list) else []


def _camera_label(raw: Mapping[Any, Any], index: int) -> str:
    entry = _entries(raw)[index] if index < len(_entries(raw)) else None
    label = entry.get("id") if isinstance(entry, dict) else None
    return repr(label) if isinstance(label, str) and CAMERA_ID.fullmatch(label) else f"number {index + 1}"
