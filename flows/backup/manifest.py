"""The manifest of a backup: which files it has, and the SHA-256 of each."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from streetloop.errors import BackupError, ConfigError
from streetloop.host.files import PRIVATE, write_whole
from streetloop.storage.store import is_key

FORMAT = 1
LEDGER, REGISTRY, ARTIFACTS, STORE = "ledger.db", "mlflow/mlflow.db", "mlflow/artifacts/", "store/"
_FILE = "manifest.json"
_SHA256 = r"^[0-9a-f]{64}$"


class BackupFile(BaseModel):
    """One file of a backup.

    Attributes:
        path: Its path in the home; of an object of the store, ``store/`` and its key.
        sha256: Of its content, by which it is found in the backup.
        bytes: Its length.
        stored_at: When the store got it (UTC); None for other files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    sha256: str = Field(pattern=_SHA256)
    bytes: int = Field(ge=0)
    stored_at: datetime | None = None

    @field_validator("path")
    @classmethod
    def _is_in_the_home(cls, path: str) -> str:
        if not is_key(path) or not (path in {LEDGER, REGISTRY} or path.startswith((ARTIFACTS, STORE))):
            raise ValueError("is no path of a backup")
        return path

    @property
    def key(self) -> str | None:
        """Key of an object of the store; None for another file."""
        return self.path.removeprefix(STORE) if self.path.startswith(STORE) else None


class Manifest(BaseModel):
    """What a backup has.

    Attributes:
        format: Of the manifest.
        made_at: When the ledger was copied (UTC).
        artifacts: URI of the registry's artifacts at that time.
        settings: Settings that differ from the defaults, by name, without secrets.
        secrets: Names of secret settings that were set.
        files: All files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    made_at: datetime
    artifacts: str
    settings: dict[str, Any]
    secrets: tuple[str, ...]
    files: tuple[BackupFile, ...]


class _Sealed(BaseModel):
    """The file: the manifest as text, and the SHA-256 of that text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str = Field(pattern=_SHA256)
    manifest: str


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a backup in one step.

    Raises:
        OSError: It cannot be written; the one before still stands.
    """
    text = manifest.model_dump_json()
    sealed = _Sealed(sha256=hashlib.sha256(text.encode()).hexdigest(), manifest=text)
    write_whole(folder / _FILE, sealed.model_dump_json(), PRIVATE)


def has_manifest(folder: Path) -> bool:
    """True if a folder holds a backup that was finished."""
    return (folder / _FILE).is_file()


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a backup.

    Raises:
        ConfigError: There is none, or it is of another format.
        BackupError: It was changed, or is damaged.
    """
    path = folder / _FILE
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder}: holds no backup: {_FILE}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BackupError(f"{path}: was changed, or is damaged") from error
    try:
        sealed = _Sealed.model_validate_json(text)
        if hashlib.sha256(sealed.manifest.encode()).hexdigest() != sealed.sha256:
            raise BackupError(f"{path}: was changed, or is damaged")
        manifest = Manifest.model_validate_json(sealed.manifest)
    except ValidationError as error:
        raise BackupError(f"{path}: was changed, or is damaged") from error
    if manifest.format != FORMAT:
        raise ConfigError(f"{path}: is of format {manifest.format}; this version restores {FORMAT}")
    return manifest
