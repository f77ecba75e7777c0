"""How an annotator's browser gets the picture of a frame."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from streetloop.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Label Studio keeps a copy; works everywhere, and takes its disk."""


UPLOADED = Uploaded()


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """Label Studio serves the object store's own folder, on a machine where both see it.

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
    """Pictures are somewhere the browser can reach, such as presigned in MinIO.

    Attributes:
        url: Gives the address of an image by its key.
        lasts: How long an address is good; of frames that wait longer it is renewed in time.
            None for ever.
    """

    url: Callable[[str], str]
    lasts: timedelta | None = None

    def until(self, now: datetime) -> str:
        """Up to when an address that is made now is good; empty for ever."""
        return "" if self.lasts is None else (now + self.lasts).isoformat()

    def is_old(self, until: object, now: datetime) -> bool:
        """True if less than half of its time is left to an address; see `until`."""
        if self.lasts is None:
            return False
        try:
            return datetime.fromisoformat(str(until)) - now < self.lasts / 2
        except (TypeError, ValueError):
            return True  # somebody has changed it: a new one is right in any case


Images = Uploaded | LocalFiles | ByUrl
"""How pictures get there."""
