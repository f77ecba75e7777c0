"""The object store: whole objects under slash-separated keys."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from streetloop.errors import StoreError
from streetloop.host.files import is_part, write_whole


class StoredObject(NamedTuple):
    """An object without its bytes.

    Attributes:
        key: Its key.
        bytes: Its length.
        stored_at: When it was stored last (UTC).
    """

    key: str
    bytes: int
    stored_at: datetime


class ObjectWriter(Protocol):
    """Takes objects; all that a log needs of a store."""

    def put(self, key: str, data: bytes) -> None:
        """See `ObjectStore.put`."""


class ObjectStore(Protocol):
    """Keeps immutable byte strings by key.

    A key is one or more non-empty parts joined by ``/``; no part is ``.`` or ``..``. An object
    appears whole or not at all: a reader never sees half of one, also if the writer is killed.
    Workers in other processes are given stores: they can be pickled.

    Raises:
        StoreError: A key is malformed, or the store does not answer.
    """

    def put(self, key: str, data: bytes) -> None:
        """Store an object; one of that key is replaced."""

    def get(self, key: str) -> bytes:
        """The object of that key.

        Raises:
            StoreError: There is none.
        """

    def delete(self, key: str) -> None:
        """Remove an object, if there is one of that key."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """All keys that start with ``prefix``, sorted."""

    def objects(self, prefix: str = "") -> Iterator["StoredObject"]:
        """Key, length and age of all objects whose key starts with ``prefix``, in any order."""

    def uri(self, prefix: str) -> str:
        """Where a reader such as DuckDB finds the objects under ``prefix``."""


class FolderStore:
    """An object store that is a folder; a key is a path in it.

    >>> import tempfile
    >>> store = FolderStore(Path(tempfile.mkdtemp()))
    >>> store.put("a/b.txt", b"hello")
    >>> store.get("a/b.txt"), list(store.keys("a/"))
    (b'hello', ['a/b.txt'])
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, data: bytes) -> None:
        """See `ObjectStore.put`."""
        path = self._path(key)
        try:
            write_whole(path, data)
        except (OSError, ValueError) as error:
            raise StoreError(f"cannot store {key!r} in {self._root}: {error}") from error

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        try:
            return self._path(key).read_bytes()
        except (OSError, ValueError) as error:
            raise StoreError(f"no object {key!r} in {self._root}: {error}") from error

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        try:
            self._path(key).unlink(missing_ok=True)
        except (OSError, ValueError) as error:
            raise StoreError(f"cannot remove {key!r} from {self._root}: {error}") from error

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See `ObjectStore.keys`."""
        if not is_prefix(prefix):
            return
        folder = self._root / prefix.rpartition("/")[0]  # not the whole store for a part of it
        found = (
            path.relative_to(self._root).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and not is_part(path)
        )
        yield from sorted(key for key in found if key.startswith(prefix))

    def objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """See `ObjectStore.objects`."""
        for key in self.keys(prefix):
            try:
                status = self._path(key).stat()
            except OSError:
                continue  # it was removed meanwhile
            yield StoredObject(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def uri(self, prefix: str) -> str:
        """See `ObjectStore.uri`."""
        folder = self._path(prefix.rstrip("/")) if prefix else self._root
        return str(folder.absolute())

    def _path(self, key: str) -> Path:
        if not is_key(key):
            raise StoreError(f"{key!r} is not a key: parts must be names")
        return self._root.joinpath(*key.split("/"))


def put_image(store: ObjectStore, data: bytes, suffix: str = "jpg") -> tuple[str, str]:
    """Store an image by its content; returns its SHA-256 and its key.

    Args:
        store: The store.
        data: The encoded image; storing it again changes nothing.
        suffix: Ending of the key, with its dot.
    """
    digest, key = image_key(data, suffix)
    store.put(key, data)
    return digest, key


def image_key(data: bytes, suffix: str = "jpg") -> tuple[str, str]:
    """SHA-256 of an image, and the key under which `put_image` stores it.

    Args:
        data: The encoded image.
        suffix: Ending of the key, with its dot.
    """
    digest = hashlib.sha256(data).hexdigest()
    return digest, f"frames/{digest[:2]}/{digest}.{suffix}"


def is_key(text: str) -> bool:
    """True if it can name an object.

    Args:
        text: Non-empty parts joined by ``/``; none may be ``.`` or ``..``.
    """
    return not any(part in {"", ".", ".."} or "\0" in part for part in text.split("/"))


def is_prefix(text: str) -> bool:
    """True if a key can begin like that."""
    where = text.rpartition("/")[0]
    return not text.startswith("/") and (not where or is_key(where))
