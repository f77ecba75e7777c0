"""Files that appear whole or not at all, whatever ends the process that writes them."""

import contextlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

PRIVATE = 0o600
"""Mode of a file that only its owner may read."""

_PRIVATE_FOLDER = 0o700
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


def keep_private(path: Path) -> None:
    """Make a file that only its owner may read, in a folder that only its owner may enter.

    A file and a folder that are there become so, if they are ours. A folder that others need stays
    as it is: one that all may write to, such as ``/tmp``, the root and its folders, a mount, and
    the home of a user.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "home" / "ledger.db"
    >>> keep_private(path)
    >>> oct(path.stat().st_mode & 0o777), oct(path.parent.stat().st_mode & 0o777)
    ('0o600', '0o700')

    Raises:
        OSError: The folder cannot be made, or the file in it.
    """
    path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, _NEW, PRIVATE))
    if path.stat().st_uid == os.getuid():
        path.chmod(PRIVATE)
    folder = path.parent.resolve()
    if folder.stat().st_uid == os.getuid() and not _is_needed_by_others(folder):
        folder.chmod(_PRIVATE_FOLDER)


def _is_needed_by_others(folder: Path) -> bool:
    return (
        bool(folder.stat().st_mode & stat.S_ISVTX)
        or len(folder.parts) <= 2  # the root, or a folder in it
        or folder.is_mount()
        or folder == Path.home()
    )


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
