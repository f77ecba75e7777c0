"""A list of cameras that comes from elsewhere: a camera file, or a table as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from streetloop.cameras.camera_faults import MOST_FAULTS, refusal
from streetloop.cameras.camera_yaml import read_yaml
from streetloop.errors import ConfigError

ListFormat = Literal["csv", "yaml"]

MAX_LIST_CHARACTERS = 4 * 2**20

_COLUMNS = ("id", "uri", "city", "site", "fps", "transport", "record")
_MUST = ("id", "uri")


def read_camera_list(text: str, form: ListFormat, name: str) -> list[dict[str, Any]]:
    r"""The cameras of a list, not yet checked.

    >>> read_camera_list("id;uri;fps\na40;sim://kingsport/crossing;2.5\n", "csv", "fleet.csv")
    [{'id': 'a40', 'uri': 'sim://kingsport/crossing', 'fps': 2.5}]

    Args:
        text: CSV with a header and columns that are separated by commas or semicolons, or YAML
            with the key ``cameras``.
        form: Which of them.
        name: Stands for the list in messages.

    Returns:
        A mapping a camera. A cell without text is left out.

    Raises:
        ConfigError: It is no such list, or has no camera.
    """
    if len(text) > MAX_LIST_CHARACTERS:
        raise ConfigError(f"{name}: larger than {MAX_LIST_CHARACTERS // 2**20} MB")
    text = text.removeprefix("\ufeff")
    found = _rows(text, name) if form == "csv" else _entries(read_yaml(text, name), name)
    if not found:
        raise ConfigError(f"{name}: has no camera")
    return found


def _rows(text: str, name: str) -> list[dict[str, Any]]:
    header = text.partition("\n")[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    columns = [(column or "").strip() for column in table.fieldnames or []]
    table.fieldnames = columns
    faults = [f"the column {column!r} is missing" for column in _MUST if column not in columns]
    unknown = [column for column in columns if column not in _COLUMNS]
    faults += [f"unknown column {column[:60]!r}; known are {', '.join(_COLUMNS)}" for column in unknown]
    if faults:
        raise refusal(faults, name)
    rows: list[dict[str, Any]] = []
    for row in table:
        if row.get(None):
            faults.append(f"line {table.line_num}: has more cells than columns")
        rows.append({column: _cell(column, value) for column, value in row.items() if column and value})
    if faults:
        raise refusal(faults[: MOST_FAULTS + 1], name)
    return [row for row in rows if row]


def _cell(column: str, value: str) -> str | float:
    text = value.strip()
    if column != "fps":
        return text
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text  # the check of the camera says what is wrong


def _entries(raw: object, name: str) -> list[dict[str, Any]]:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("cameras"), Sequence):
        raise ConfigError(f"{name}: must be a mapping with the key 'cameras'")
    if others := sorted(str(key)[:60] for key in raw if key != "cameras"):
        raise ConfigError(f"{name}: a list of cameras has no {others[0]!r}; give that to `up` in its file")
    entries = raw["cameras"]
    if wrong := [number for number, entry in enumerate(entries, 1) if not isinstance(entry, Mapping)]:
        raise ConfigError(f"{name}: camera number {wrong[0]}: must be a mapping")
    return [dict(entry) for entry in entries]
