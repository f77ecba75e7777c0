"""A folder that clips are dropped into: ``watch:///clips``."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from flows.stream.sources.watched.watched_source import ClipLook, is_clip
from streetloop.errors import ConfigError, SourceUnavailable
from streetloop.secrets import redact


class ClipFolder:
    """A `ClipPlace` on this machine. A clip is whole once it has not grown for a second.

    Args:
        uri: ``watch:///absolute/path``.

    Raises:
        ConfigError: The URI names no absolute folder, or has an option.
    """

    settle = True

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        if parts.netloc or not parts.path.startswith("/"):
            raise ConfigError(f"{redact(uri)}: write a folder as watch:///absolute/path")
        if parse_qsl(parts.query, keep_blank_values=True):
            raise ConfigError(f"{redact(uri)}: takes no options")
        self._folder = Path(unquote(parts.path))
        self.shown = str(self._folder)

    def clips(self) -> dict[str, ClipLook]:
        """See `ClipPlace.clips`."""
        try:
            files = sorted(file for file in self._folder.iterdir() if is_clip(file.name))
        except OSError as error:
            raise SourceUnavailable(f"{self._folder} cannot be read: {error.strerror}") from error
        looks: dict[str, ClipLook] = {}
        for file in files:
            # A link may lead nowhere, and a clip may be taken away right now.
            with contextlib.suppress(OSError):
                status = file.stat()
                looks[file.name] = ClipLook(status.st_size, str(status.st_mtime_ns))
        return looks

    @contextlib.contextmanager
    def fetch(self, name: str) -> Iterator[Path]:
        """See `ClipPlace.fetch`."""
        yield self._folder / name
