"""How an annotator's browser gets the image of a frame."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from streetloop.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Label Studio keeps a copy. Works everywhere; uses disk space on the server."""


UPLOADED = Uploaded()


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """Label Studio serves the object store's folder, where both run on one machine.

    Attributes:
        document_root: The server's ``LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT``.
        folder: The object store as the server sees it; must lie below the document root.
    """

    document_root: Path
    folder: Path

    def __post_init__(self) -> None:
        if self.document_root not in self.folder.parents:
            raise ConfigError(f"{self.folder} must lie below {self.document_root}, which Label Studio serves")

    def url(self, image_key: str) -> str:
        """The address of an image, on the Label Studio server."""
        path = (self.folder / image_key).relative_to(self.document_root).as_posix()
        return f"/data/local-files/?d={quote(path)}"


@dataclass(frozen=True, slots=True)
class ByUrl:
    """The browser fetches images from elsewhere, such as by presigned URLs from MinIO.

    Attributes:
        url: Returns the address of an image by its key.
        lasts: Lifetime of an address; the addresses of waiting frames are renewed in time. None
            if they never expire.
    """

    url: Callable[[str], str]
    lasts: timedelta | None = None

    def until(self, now: datetime) -> str:
        """When an address made now expires, in ISO 8601; empty if never.

        Args:
            now: The present (UTC).
        """
        return "" if self.lasts is None else (now + self.lasts).isoformat()

    def is_old(self, until: object, now: datetime) -> bool:
        """True if an address has used up half of its lifetime; see `until`.

        Args:
            until: What `until` gave.
            now: The present (UTC).
        """
        if self.lasts is None:
            return False
        try:
            return datetime.fromisoformat(str(until)) - now < self.lasts / 2
        except (TypeError, ValueError):
            return True  # somebody edited the task; a new address is right in any case


Images = Uploaded | LocalFiles | ByUrl
"""How images reach the annotator's browser."""
