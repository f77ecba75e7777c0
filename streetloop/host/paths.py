"""Paths as people give them: what is there, and that they are no addresses."""

import enum
import re
import stat
from pathlib import Path

from streetloop.errors import ConfigError, StreetloopError

# With one slash where a path has swallowed the other; without a scheme where a login gives it away.
_ADDRESS = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]+:/|[^/\s]*:[^/\s]*@)")


class PathKind(enum.Enum):
    """What is at a path."""

    NOTHING = enum.auto()
    FILE = enum.auto()
    FOLDER = enum.auto()
    SPECIAL = enum.auto()
    """A pipe, a socket or a device."""


def kind_of(path: Path, refused: type[StreetloopError]) -> PathKind:
    """What is at a path.

    Args:
        path: Where to look; a link is followed.
        refused: Is raised where one cannot look: a folder may not be entered, a name is too long.

    Raises:
        StreetloopError: One cannot look; the message names the path and the reason.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return PathKind.NOTHING
    except OSError as error:
        raise refused(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError:  # a zero byte, which no name has
        return PathKind.NOTHING
    if stat.S_ISREG(mode):
        return PathKind.FILE
    return PathKind.FOLDER if stat.S_ISDIR(mode) else PathKind.SPECIAL


def is_file(path: Path, refused: type[StreetloopError]) -> bool:
    """Whether a file is at a path; see `kind_of`."""
    return kind_of(path, refused) is PathKind.FILE


def is_folder(path: Path, refused: type[StreetloopError]) -> bool:
    """Whether a folder is at a path; see `kind_of`."""
    return kind_of(path, refused) is PathKind.FOLDER


def refuse_address(given: str, name: str, way_out: str, refused: type[StreetloopError] = ConfigError) -> None:
    """Refuse an address where a file or a folder is expected; nothing of it is repeated.

    >>> refuse_address("rtsp://admin:s3cret@10.0.0.7/ch1", "X", "try Y")
    Traceback (most recent call last):
    ...
    streetloop.errors.ConfigError: X: that is an address, not a file; try Y

    Args:
        given: What was given.
        name: Of the argument or option.
        way_out: What to do instead.
        refused: Is raised.

    Raises:
        StreetloopError: It is an address.
    """
    if _ADDRESS.match(given):
        raise refused(f"{name}: that is an address, not a file; {way_out}")
