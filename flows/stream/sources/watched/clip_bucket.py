"""A bucket that clips are dropped into: ``watch+s3://bucket/prefix``."""

import contextlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flows.stream.sources.watched.watched_source import ClipLook, is_clip
from streetloop.errors import ConfigError, SourceUnavailable, StoreError
from streetloop.secrets import redact
from streetloop.storage.minio import MinioBucket
from streetloop.storage.s3_access import S3Access

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MOST_BYTES = 20 * 2**30


class ClipBucket:
    """A `ClipPlace` on an S3 server. An object is whole when it appears.

    A clip is fetched to this machine before it is played. Objects of more than 20 GB are no clips.

    Args:
        uri: ``watch+s3://bucket`` or ``watch+s3://bucket/prefix``; the prefix is a folder.
        access: How to reach the server.
        folder: Where a clip lies while it is played.

    Raises:
        ConfigError: The URI is malformed.
    """

    settle = False

    def __init__(self, uri: str, access: S3Access, folder: Path) -> None:
        bucket, prefix = parse_bucket_uri(uri)
        self._prefix = f"{prefix}/" if prefix else ""
        self._bucket, self._folder = MinioBucket(bucket, access), folder
        self.shown = f"s3://{bucket}/{prefix}".rstrip("/")

    def clips(self) -> dict[str, ClipLook]:
        """See `ClipPlace.clips`."""
        with self._available():
            found = self._bucket.objects(self._prefix)
        clips = (one for one in found if is_clip(one.name) and one.bytes <= _MOST_BYTES)
        looks = {one.name.removeprefix(self._prefix): ClipLook(one.bytes, one.etag) for one in clips}
        return dict(sorted(looks.items()))

    @contextlib.contextmanager
    def fetch(self, name: str) -> Iterator[Path]:
        """See `ClipPlace.fetch`."""
        with contextlib.ExitStack() as stack:
            with self._available():
                self._folder.mkdir(parents=True, exist_ok=True)
                folder = stack.enter_context(tempfile.TemporaryDirectory(dir=self._folder))
                path = Path(folder) / f"clip{Path(name).suffix}"
                self._bucket.download(self._prefix + name, path)
            yield path

    @contextlib.contextmanager
    def _available(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            raise SourceUnavailable(str(error)) from error
        except OSError as error:
            raise SourceUnavailable(f"{self._folder} cannot take a clip: {error.strerror}") from error


def parse_bucket_uri(uri: str) -> tuple[str, str]:
    """Bucket and prefix of a ``watch+s3://`` URI.

    >>> parse_bucket_uri("watch+s3://traffic/north%20gate/")
    ('traffic', 'north gate')

    Raises:
        ConfigError: It names no bucket, or has an option or a password.
    """
    parts = urlsplit(uri)
    if not _BUCKET.fullmatch(parts.netloc) or parts.query:
        raise ConfigError(
            f"{redact(uri)}: write watch+s3://bucket/prefix; the server and its password are "
            "STREETLOOP_S3_ENDPOINT, _S3_ACCESS_KEY and _S3_SECRET_KEY"
        )
    return parts.netloc, unquote(parts.path).strip("/")
