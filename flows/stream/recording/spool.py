"""The spool: segments on the disk of this machine until the object store has them."""

import contextlib
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from flows.stream.recording.segment_note import SUFFIX
from streetloop.errors import StoreError

VIDEO = ".mp4"
_LOCK = "lock"
_ASK_EVERY_S = 1.0


class Spool:
    """The folder of one writer within the spool of a home, locked as long as its process lives.

    Folders of writers that are gone are handed to whoever asks first. The kernel ends a lock with
    its process, however that ends.

    Args:
        root: The spool of the home; made when the first segment comes.
        limit_bytes: What all writers may keep there together.
        reserve_bytes: What is left free of the disk, so that ledger, logs and detection go on.
        now_s: A monotonic clock.
    """

    def __init__(
        self, root: Path, limit_bytes: int, reserve_bytes: int, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._root, self._limit, self._reserve, self._now_s = root, limit_bytes, reserve_bytes, now_s
        self._folder = root / f"writer-{uuid.uuid4().hex}"
        self._lock: int | None = None
        self._asked_s: float | None = None
        self._full: str | None = None

    def open(self, camera_id: str, name: str) -> Path:
        """Where a new segment goes.

        Raises:
            StoreError: There is no room, or the folder cannot be made.
        """
        self.require_room()
        folder = self._folder / camera_id
        try:
            if self._lock is None:
                self._take_folder()
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise StoreError(f"the spool {self._root} cannot be written: {error.strerror}") from error
        return folder / f"{name}{VIDEO}"

    def require_room(self) -> None:
        """Ask, once a second, whether there is room.

        Raises:
            StoreError: There is none.
        """
        now = self._now_s()
        if self._asked_s is None or now - self._asked_s >= _ASK_EVERY_S:
            self._asked_s, self._full = now, self._lack()
        if self._full is not None:
            raise StoreError(self._full)

    def videos(self) -> list[Path]:
        """The segments of this writer, with what is still written; by camera, the oldest first."""
        return _videos(self._folder)

    @contextlib.contextmanager
    def left_behind(self) -> Iterator[list[Path]]:
        """Segments of writers that are gone; nobody else has them within the ``with`` block."""
        locks: list[tuple[Path, int]] = []
        for folder in sorted(self._root.glob("writer-*")):
            if folder != self._folder and (lock := _locked(folder)) is not None:
                locks.append((folder, lock))
        try:
            yield [video for folder, _ in locks for video in _videos(folder)]
        finally:
            for folder, lock in locks:
                _sweep(folder)
                os.close(lock)

    def remove(self, video: Path) -> None:
        """Take a segment out of the spool.

        Raises:
            StoreError: The disk refused.
        """
        try:
            video.unlink(missing_ok=True)
            video.with_suffix(SUFFIX).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{video} cannot be removed: {error.strerror}") from error
        self._asked_s = None

    def close(self) -> None:
        """Give the folder back; what is left in it is for the next writer."""
        if self._lock is not None:
            _sweep(self._folder)
            os.close(self._lock)
            self._lock = None

    def _take_folder(self) -> None:
        """Make the folder; it gets its name once it is locked, or another writer might take it."""
        unnamed = self._root / f".{self._folder.name}"
        unnamed.mkdir(parents=True)
        self._lock = _locked(unnamed)
        unnamed.rename(self._folder)

    def _lack(self) -> str | None:
        """Why there is no room; None if there is."""
        used = sum(_size(path) for path in self._root.rglob(f"*{VIDEO}"))
        if used >= self._limit:
            return (
                f"the spool {self._root} is full ({used / 2**20:.0f} MB): recording rests until the object "
                "store takes its segments"
            )
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(_existing(self._root)).free
            if free < self._reserve:
                return (
                    f"the disk of {self._root} has only {free / 2**20:.0f} MB left: recording rests until "
                    "there is room"
                )
        return None


def _locked(folder: Path) -> int | None:
    """The lock of a writer's folder; None if its process has it."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None  # another process has just removed it
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _videos(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*/*{VIDEO}"), key=lambda video: (video.parent.name, video.name))


def _sweep(folder: Path) -> None:
    """Remove a folder that has no video any more."""
    if not _videos(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # it was removed meanwhile


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
