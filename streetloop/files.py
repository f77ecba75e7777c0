"""Files that appear whole or not at all, whatever ends the process that writes them."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

PRIVATE = 0o600
"""Mode of a file that only its owner may read."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def write_whole(path: Path, data: bytes | str, mode: int = 0o666) -> None:
    """Replace a file in one step: a reader sees the old content or the new, never a part.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "folder" / "note.txt"
    >>> write_whole(path, "first")
    >>> write_whole(path, b"second")
    >>> path.read_text(), [file.name for file in path.parent.iterdir()]
    ('second', ['note.txt'])

    Args:
        path: The file; missing folders are made.
        data: The content; text is written as UTF-8.
        mode: Permissions of the new file, less the process's umask.

    Raises:
        OSError: The folder cannot be written to; the old file still stands.
    """
    with _part(path) as part, os.fdopen(os.open(part, _NEW, mode), "wb") as out:
        out.write(data.encode() if isinstance(data, str) else data)


def copy_whole(source: Path, path: Path) -> None:
    """Copy the content of ``source`` to ``path`` as `write_whole` does.

    Raises:
        OSError: One cannot be read, or the other not written; the old file still stands.
    """
    with _part(path) as part:
        shutil.copyfile(source, part)


def is_part(path: Path) -> bool:
    """True for what an interrupted `write_whole` leaves behind.

    >>> is_part(Path("images/.a.jpg.1f.part")), is_part(Path("images/a.part"))
    (True, False)
    """
    return path.name.startswith(".") and path.suffix == ".part"


@contextlib.contextmanager
def _part(path: Path) -> Iterator[Path]:
    """A name beside ``path`` that no other writer has; it becomes ``path`` at the end."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield part
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError, ValueError):
            part.unlink()
        raise
