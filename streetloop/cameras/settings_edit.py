"""Changes settings in the text of a camera file; all else stays as people wrote it."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from streetloop.cameras.camera_file import load_cameras, parse_cameras
from streetloop.cameras.camera_yaml import read_yaml
from streetloop.errors import ConfigError
from streetloop.host.files import write_whole


def write_settings(path: Path, values: Mapping[str, str | int]) -> None:
    """Set settings in a camera file; its other lines and its permissions stay.

    Args:
        path: The camera file.
        values: Plain words and whole numbers by setting.

    Raises:
        ConfigError: It is no camera file, is written so that it cannot be changed, or cannot be
            written.
    """
    load_cameras(path)
    try:
        real = path.resolve()
        with real.open(encoding="utf-8", newline="") as file:
            text = file.read()
        write_whole(real, with_settings(text, values, str(path)), real.stat().st_mode & 0o777)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error


def with_settings(text: str, values: Mapping[str, str | int], name: str = "cameras") -> str:
    r"""The text of a camera file with other settings.

    >>> print(with_settings("settings:\n  threads: 2  # of four\ncameras: [{id: a, uri: 'sim://x/y'}]",
    ...                     {"threads": 4, "backend": "onnx"}))
    settings:
      backend: onnx
      threads: 4  # of four
    cameras: [{id: a, uri: 'sim://x/y'}]

    Args:
        text: A camera file that can be read.
        values: Plain words and whole numbers by setting.
        name: Stands for the file in messages.

    Raises:
        ConfigError: It is written in a way, such as with YAML's anchors, that this does not change.
    """
    changed = _changed(text, values)
    before = read_yaml(text, name)
    wanted = {**before, "settings": {**before.get("settings", {}), **values}}
    try:
        is_right = read_yaml(changed, name) == wanted
    except ConfigError:
        is_right = False
    if not is_right:
        lines = ", ".join(f"{key}: {value}" for key, value in values.items())
        raise ConfigError(f"{name}: is written so that it must be changed by hand; set {lines}")
    parse_cameras(changed, name)
    return changed


def _changed(text: str, values: Mapping[str, str | int]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    settings = _settings_node(text)
    if settings is None:
        end = "" if text.endswith(("\n", "\r")) else newline
        return text + end + newline.join(["settings:", *(f"  {k}: {v}" for k, v in values.items())]) + newline
    there = {key.value: value for key, value in settings.value}
    edits = [
        (there[key].start_mark.index, there[key].end_mark.index, str(values[key]))
        for key in values
        if key in there
    ]
    new = [f"{key}: {value}" for key, value in values.items() if key not in there]
    if new:
        edits.append(_insertion(settings, new, newline))
    for start, end, word in sorted(edits, reverse=True):
        text = text[:start] + word + text[end:]
    return text


def _settings_node(text: str) -> yaml.MappingNode | None:
    """The mapping under ``settings``; None without the key."""
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    entries = document.value if isinstance(document, yaml.MappingNode) else []
    for key, value in entries:
        if key.value == "settings" and isinstance(value, yaml.MappingNode):
            return value
    return None


def _insertion(settings: yaml.MappingNode, new: list[str], newline: str) -> tuple[int, int, str]:
    """Where new settings go, and as what: before the first one."""
    start = settings.start_mark.index
    if settings.flow_style:
        return start + 1, start + 1, ", ".join(new) + (", " if settings.value else "")
    indent = " " * settings.start_mark.column
    return start, start, "".join(f"{line}{newline}{indent}" for line in new)
