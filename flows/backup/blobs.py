"""The files of a backup, each once, under the SHA-256 of its content."""

import hashlib
import re
import shutil
from collections.abc import Collection
from pathlib import Path

from streetloop.errors import BackupError
from streetloop.host.files import PRIVATE, write_whole

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """Contents by their digest.

    Args:
        folder: Where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, digest: str, length: int) -> bool:
        """True if a content of that digest and length in bytes is there."""
        path = self.path(digest)
        return path.is_file() and path.stat().st_size == length

    def add(self, data: bytes) -> str:
        """Keep a content; its digest.

        Raises:
            OSError: It cannot be written.
        """
        digest = hashlib.sha256(data).hexdigest()
        if not self.has(digest, len(data)):
            write_whole(self.path(digest), data, PRIVATE)
        return digest

    def add_file(self, file: Path) -> str:
        """Keep the content of a file; its digest.

        Raises:
            OSError: It cannot be read or written.
        """
        digest = sha256_of(file)
        if not self.has(digest, file.stat().st_size):
            path = self.path(digest)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.part")
            shutil.copyfile(file, part)
            part.chmod(PRIVATE)
            part.replace(path)
        return digest

    def verify(self, digest: str, name: str) -> None:
        """Read a content and compare it with its digest.

        Args:
            digest: SHA-256.
            name: Stands for it in messages.

        Raises:
            BackupError: It is missing, or is another one.
        """
        try:
            is_right = sha256_of(self.path(digest)) == digest
        except OSError as error:
            raise BackupError(f"{name}: cannot be read: {error.strerror}; nothing was restored") from error
        if not is_right:
            raise BackupError(f"{name}: was changed, or is damaged; nothing was restored")

    def keep_only(self, digests: Collection[str]) -> None:
        """Remove all other contents, and what interrupted writers left."""
        for file in self._folder.glob("*/*"):
            if file.name not in digests and (_SHA256.fullmatch(file.name) or file.name.endswith(".part")):
                file.unlink()

    def path(self, digest: str) -> Path:
        """Where a content is."""
        return self._folder / digest[:2] / digest


def sha256_of(file: Path) -> str:
    """SHA-256 of a file.

    Raises:
        OSError: It cannot be read.
    """
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
