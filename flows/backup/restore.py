"""Puts a backup into an empty home."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.backup.backup import BLOBS
from flows.backup.blobs import Blobs
from flows.backup.manifest import LEDGER, REGISTRY, BackupFile, Manifest, read_manifest
from streetloop.errors import BackupError, ConfigError
from streetloop.host.files import PRIVATE
from streetloop.host.home import lock_home
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.storage.store import ObjectStore
from train.registry_move import move_artifacts

_STAGING, _LOCK = ".restoring", "running"
_LAST = LEDGER  # a home without it has not been restored


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """What was restored.

    Attributes:
        files: Files of the backup.
        bytes: Their length.
        made_at: When the backup was made (UTC), in ISO 8601.
        settings: Settings of the old system by name, without secrets.
        secrets: Names of secret settings that it had.
    """

    files: int
    bytes: int
    made_at: str
    settings: dict[str, Any]
    secrets: tuple[str, ...]


def restore(source: Path, settings: Settings) -> RestoreResult:
    """Restore a backup: verify all of it, then fill an empty home.

    Args:
        source: Folder of the backup.
        settings: Of the new system; its home must be empty or missing.

    Raises:
        ConfigError: There is no backup, or the home is not empty or cannot be written.
        BackupError: A file is not what the manifest says, or could not be written. The home is as
            it was before.
        StoreError: The store that the settings name did not take an object, or has another one
            under its key.
    """
    manifest = read_manifest(source)
    _refuse_other_places(manifest, settings)
    _refuse_filled(settings.home)
    blobs = Blobs(source / BLOBS)
    for digest, path in {file.sha256: file.path for file in manifest.files}.items():
        blobs.verify(digest, f"{source}: {path}")
    with _untouched_on_failure(settings.home), lock_home(settings.home):
        _refuse_filled(settings.home)
        try:
            _fill(manifest, blobs, settings)
        except OSError as error:
            raise BackupError(f"{settings.home}: cannot be restored: {error.strerror}") from error
        except sqlite3.Error as error:
            raise BackupError(f"{settings.home}: the registry cannot be restored: {error}") from error
    total = sum(file.bytes for file in manifest.files)
    made_at = manifest.made_at.isoformat()
    return RestoreResult(len(manifest.files), total, made_at, manifest.settings, manifest.secrets)


def _refuse_other_places(manifest: Manifest, settings: Settings) -> None:
    if settings.ledger_url is not None:
        raise ConfigError("a backup is restored into the home: unset STREETLOOP_LEDGER_URL")
    if settings.tracking_uri is not None and any(file.path == REGISTRY for file in manifest.files):
        raise ConfigError("the registry is restored into the home: unset STREETLOOP_TRACKING_URI")


def _refuse_filled(home: Path) -> None:
    try:
        filled = home.exists() and any(one.name not in {_STAGING, _LOCK} for one in home.iterdir())
    except OSError as error:
        raise ConfigError(f"STREETLOOP_HOME: {home} cannot be read: {error.strerror}") from error
    if filled:
        raise ConfigError(f"STREETLOOP_HOME: {home} is not empty; name a folder that is, or a new one")


@contextlib.contextmanager
def _untouched_on_failure(home: Path) -> Iterator[None]:
    """Leave a home empty, or missing, as it was, if the block fails."""
    existed = home.exists()
    try:
        yield
    except BaseException:
        shutil.rmtree(home / _STAGING, ignore_errors=True)
        with contextlib.suppress(OSError):
            (home / _LOCK).unlink(missing_ok=True)
        if not existed:
            with contextlib.suppress(OSError):  # it holds something that is not ours
                home.rmdir()
        raise


def _fill(manifest: Manifest, blobs: Blobs, settings: Settings) -> None:
    """All files into a folder beside their places, then into these, the ledger last."""
    staging = settings.home / _STAGING
    shutil.rmtree(staging, ignore_errors=True)  # of a restore that was killed
    staging.mkdir(mode=0o700)
    elsewhere = None if settings.store_url is None else open_store(settings)
    for file in manifest.files:
        if file.key is not None and elsewhere is not None:
            _put(elsewhere, file.key, file, blobs)
            continue
        path = staging / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(blobs.path(file.sha256), path)
        if file.path in {LEDGER, REGISTRY}:
            path.chmod(PRIVATE)
        if file.stored_at is not None:
            os.utime(path, (file.stored_at.timestamp(),) * 2)
    registry = staging / REGISTRY
    if registry.is_file():
        artifacts = settings.home.absolute() / "mlflow" / "artifacts"
        move_artifacts(registry, manifest.artifacts, artifacts.as_uri())
    for one in sorted(staging.iterdir(), key=lambda path: path.name == _LAST):
        one.replace(settings.home / one.name)
    staging.rmdir()


def _put(store: ObjectStore, key: str, file: BackupFile, blobs: Blobs) -> None:
    """An object into a store that may have it already."""
    there = next((one for one in store.objects(key) if one.key == key), None)
    if there is None:
        store.put(key, blobs.path(file.sha256).read_bytes())
    elif there.bytes != file.bytes:
        raise BackupError(f"the store has another object under {key!r}; restore into an empty store")
