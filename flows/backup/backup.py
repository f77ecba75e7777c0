"""Copies ledger, registry and store of a running system into a folder."""

import contextlib
import fcntl
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from flows.backup.blobs import Blobs
from flows.backup.manifest import (
    ARTIFACTS,
    FORMAT,
    LEDGER,
    REGISTRY,
    STORE,
    BackupFile,
    Manifest,
    has_manifest,
    read_manifest,
    write_manifest,
)
from streetloop.errors import BackupError, ConfigError, StoreError
from streetloop.secrets import redact
from streetloop.settings import Settings
from streetloop.sqlite_url import sqlite_path
from streetloop.storage.open import open_store
from streetloop.storage.store import ObjectStore, StoredObject

BLOBS = "blobs"
"""Folder of a backup's contents."""

_LOCK, _COPY = "lock", ".copy-"
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class BackupResult:
    """What a backup did.

    Attributes:
        files: Files that the backup has now.
        bytes: Their length.
        copied: Contents that were not there yet.
        copied_bytes: Their length.
        notes: What is not in the backup, one sentence each.
    """

    files: int
    bytes: int
    copied: int
    copied_bytes: int
    notes: tuple[str, ...]


def back_up(settings: Settings, folder: Path) -> BackupResult:
    """Bring a backup up to date, while the system may run.

    The databases are copied first and the store last, so that what they name is in the backup.
    The manifest is written at the end; until then the backup is the one before.

    Args:
        settings: Of the system.
        folder: The backup; it is made if it is not there.

    Raises:
        ConfigError: There is nothing to back up, the ledger is in PostgreSQL, or the folder cannot
            be used.
        BackupError: A file could not be copied.
        StoreError: The store does not answer.
    """
    ledger = sqlite_path(settings.ledger)
    if ledger is None:
        raise ConfigError(
            "the ledger is in PostgreSQL: back it up with pg_dump, and the bucket by its own means"
        )
    if not ledger.is_file():
        raise ConfigError(f"{settings.home} has no ledger to back up: {ledger.name} is not there")
    _refuse_inside(folder, settings)
    with _locked(folder):
        try:
            return _Backup(settings, folder).run(ledger)
        except OSError as error:
            kept = "; the backup before it is whole" if has_manifest(folder) else ""
            raise BackupError(f"{folder}: the backup failed: {error.strerror}{kept}") from error
        except sqlite3.Error as error:
            raise BackupError(
                f"{folder}: the backup failed: a database could not be copied: {error}"
            ) from error


class _Backup:
    """One run of a backup."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._blobs = Blobs(folder / BLOBS)
        self._before = {one.path: one for one in read_manifest(folder).files} if has_manifest(folder) else {}
        self._had = {one.sha256 for one in self._before.values()}
        self._files: list[BackupFile] = []

    def run(self, ledger: Path) -> BackupResult:
        made_at = datetime.now(UTC)
        artifacts = self._settings.home.absolute() / "mlflow" / "artifacts"
        self._database(ledger, LEDGER)
        notes = self._registry(artifacts)
        store = open_store(self._settings)
        for one in store.objects():
            self._object(store, one)
        plain, secrets = _settings_without_secrets(self._settings)
        files = tuple(sorted(self._files, key=lambda one: one.path))
        write_manifest(
            self._folder,
            Manifest(
                format=FORMAT,
                made_at=made_at,
                artifacts=artifacts.as_uri(),
                settings=plain,
                secrets=secrets,
                files=files,
            ),
        )
        new = {one.sha256: one.bytes for one in files if one.sha256 not in self._had}
        self._blobs.keep_only({one.sha256 for one in files})
        return BackupResult(
            len(files), sum(one.bytes for one in files), len(new), sum(new.values()), tuple(notes)
        )

    def _registry(self, artifacts: Path) -> list[str]:
        database = sqlite_path(self._settings.tracking)
        if database is None:
            return ["the registry is an MLflow server, which is not in the backup"]
        if not database.is_file():
            return []
        self._database(database, REGISTRY)
        for file in sorted(artifacts.rglob("*")):
            # A run that was deleted meanwhile takes its files along.
            with contextlib.suppress(FileNotFoundError):
                if file.is_file():
                    self._add_file(file, ARTIFACTS + file.relative_to(artifacts).as_posix())
        return []

    def _database(self, database: Path, path: str) -> None:
        """A copy of one moment; whoever writes meanwhile does not wait."""
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=_COPY) as folder:
            copy = Path(folder) / database.name
            source = sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True, timeout=_PATIENCE_S)
            with contextlib.closing(source), contextlib.closing(sqlite3.connect(copy)) as target:
                source.backup(target)
                target.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
            self._add_file(copy, path)

    def _add_file(self, file: Path, path: str) -> None:
        digest = self._blobs.add_file(file)
        self._files.append(BackupFile(path=path, sha256=digest, bytes=file.stat().st_size))

    def _object(self, store: ObjectStore, one: StoredObject) -> None:
        """An object; one that is as it was in the backup before is not read again."""
        path = STORE + one.key
        known = self._before.get(path)
        same = known is not None and (known.bytes, known.stored_at) == (one.bytes, one.stored_at)
        if known is not None and same and self._blobs.has(known.sha256, known.bytes):
            self._files.append(known)
            return
        try:
            data = store.get(one.key)
        except StoreError:
            if one.key not in store.keys(one.key):
                return  # retention removed it meanwhile
            raise
        digest = self._blobs.add(data)
        self._files.append(BackupFile(path=path, sha256=digest, bytes=len(data), stored_at=one.stored_at))


def _refuse_inside(folder: Path, settings: Settings) -> None:
    inside = folder.resolve()
    for place in (settings.home, Path(settings.store_url or settings.store)):
        if inside.is_relative_to(place.resolve()):
            raise ConfigError(f"{folder}: is inside {place}; name a folder elsewhere, best on another disk")


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Make the folder, and keep other backups out of it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not has_manifest(folder) and any(not _is_ours(one) for one in folder.iterdir()):
            raise ConfigError(f"{folder}: holds other files; name an empty folder, or that of a backup")
        file = (folder / _LOCK).open("a")
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror}; name another folder") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{folder}: another backup writes to it; wait for its end") from None
        for left in folder.glob(f"{_COPY}*"):
            shutil.rmtree(left, ignore_errors=True)  # of one that was killed
        yield


def _is_ours(path: Path) -> bool:
    return path.name in {BLOBS, _LOCK} or path.name.startswith(_COPY)


def _settings_without_secrets(settings: Settings) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Settings that somebody made, and the names of secret ones."""
    made = sorted(settings.model_fields_set - {"home"})
    secrets = tuple(name for name in made if isinstance(getattr(settings, name), SecretStr))
    plain = settings.model_dump(mode="json", include=set(made) - set(secrets))
    return {name: _shown(value) for name, value in sorted(plain.items())}, secrets


def _shown(value: Any) -> Any:
    return redact(value) if isinstance(value, str) else value
