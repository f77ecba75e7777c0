"""Remembers which clips of a watched place were played."""

import json
import logging
from pathlib import Path

from streetloop.errors import SourceUnavailable

_log = logging.getLogger(__name__)


class PlayedClips:
    """The clips that were played, and how they looked then.

    Args:
        file: Keeps them, a JSON line each; None to remember them in this process alone. Lines that
            cannot be read are left out: their clips are played again.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._looks = {} if file is None else _read(file)

    def look(self, name: str) -> tuple[int, str] | None:
        """How a clip looked when it was played; None if it was not."""
        return self._looks.get(name)

    def note(self, name: str, look: tuple[int, str]) -> None:
        """Note a clip as played.

        Raises:
            SourceUnavailable: It cannot be written down, and would be played again.
        """
        self._looks[name] = look
        if self._file is None:
            return
        line = json.dumps({"name": name, "size": look[0], "changed": look[1]})
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a") as file:
                file.write(f"{line}\n")
        except OSError as error:
            raise SourceUnavailable(f"{self._file} cannot be written: {error.strerror}") from error


def _read(file: Path) -> dict[str, tuple[int, str]]:
    looks = {}
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SourceUnavailable(f"{file} cannot be read: {error}") from error
    for line in lines:
        try:
            found = json.loads(line)
            looks[str(found["name"])] = (int(found["size"]), str(found["changed"]))
        except (ValueError, KeyError, TypeError):
            _log.warning("%s: a line says of no clip that it was played", file)
    return looks
