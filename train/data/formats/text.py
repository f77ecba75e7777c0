"""Text files as people's tools write them: UTF-8 or UTF-16, with or without a byte order mark."""

import codecs
import json
from pathlib import Path
from typing import Any

import yaml

from streetloop.errors import DatasetError

_MAX_BYTES = 1 << 30
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_text(path: Path) -> str:
    """Read a text file.

    Args:
        path: UTF-8, or UTF-16 with its byte order mark.

    Raises:
        DatasetError: It cannot be read, is of another encoding, or larger than 1 GB.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DatasetError(f"{path}: is larger than {_MAX_BYTES >> 20} MB")
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # UTF-16 without its mark, UTF-32, or no text at all
        raise DatasetError(f"{path}: is not UTF-8 text; save it as UTF-8")
    return text


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        DatasetError: It cannot be read, or is not JSON.
    """
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: is not JSON ({error})") from error


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file whose content is a mapping.

    Raises:
        DatasetError: It cannot be read, or is no mapping.
    """
    try:
        content = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: is not YAML ({type(error).__name__})") from error
    if not isinstance(content, dict):
        raise DatasetError(f"{path}: is no data.yaml")
    return content
