"""An object store on MinIO or any other S3 server: the only adapter of MinIO's SDK."""

import contextlib
import io
import mimetypes
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.etree.ElementTree import ParseError

import urllib3
from minio import Minio
from minio.datatypes import Object
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError, MaxRetryError

from streetloop.errors import ConfigError, StoreError
from streetloop.secrets import redact
from streetloop.storage.s3_access import LINK_LIFETIME, S3Access
from streetloop.storage.store import StoredObject, is_key, is_prefix

# Streams wait while an object is stored: a server that is away must not hold them up for long.
_CONNECT_TIMEOUT_S = 2.0
_READ_TIMEOUT_S = 10.0
_RETRY = urllib3.Retry(total=1, connect=0, status_forcelist=(500, 502, 503, 504))
_PAUSE_S = 10.0  # without requests after a server was not reached

VENDOR_ERRORS: tuple[type[Exception], ...] = (MinioException, HTTPError, ParseError, ValueError, OSError)
"""All that the SDK, its HTTP client and its XML parser raise; each becomes `StoreError`."""


class MinioStore:
    """An `ObjectStore` in a bucket; the first write creates the bucket.

    After a server was not reached, every call fails for 10 s without asking it.

    Args:
        bucket: Name of the bucket.
        prefix: Stands before every key; empty, or names joined by ``/``.
        access: How to reach the server.

    Raises:
        ConfigError: An endpoint is no address.
    """

    def __init__(self, bucket: str, prefix: str, access: S3Access) -> None:
        self._made_of = (bucket, prefix, access)
        self._bucket = bucket
        self._before = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._shown = f"s3://{bucket} at {access.endpoint}"
        self._away_until = 0.0
        self._client = _client(access.endpoint, access)
        self._public = _client(access.public_endpoint or access.endpoint, access)

    def __reduce__(self) -> tuple[type["MinioStore"], tuple[str, str, S3Access]]:
        # Stores go to workers in other processes; connections cannot.
        return MinioStore, self._made_of

    def put(self, key: str, data: bytes) -> None:
        """See `ObjectStore.put`."""
        name = self._name(key)
        with self._translated(f"cannot store {key!r} in"):
            try:
                self._put(name, data)
            except S3Error as error:
                if error.code != "NoSuchBucket":
                    raise
                self._make_bucket()
                self._put(name, data)

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        name = self._name(key)
        with self._translated(f"cannot read {key!r} from"):
            response = self._client.get_object(self._bucket, name)
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        name = self._name(key)
        with self._translated(f"cannot remove {key!r} from"):
            self._client.remove_object(self._bucket, name)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See `ObjectStore.keys`."""
        if not is_prefix(prefix):
            return
        with self._translated("cannot list"):
            names = self._names(prefix)
        found = (name.removeprefix(self._before) for name in names)
        yield from sorted(key for key in found if is_key(key))

    def objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """See `ObjectStore.objects`."""
        if not is_prefix(prefix):
            return
        with self._translated("cannot list"):
            found = list(self._listed(prefix))
        for one in found:
            key = (one.object_name or "").removeprefix(self._before)
            if is_key(key) and one.last_modified is not None:
                yield StoredObject(key, one.size or 0, one.last_modified)

    def uri(self, prefix: str) -> str:
        """See `ObjectStore.uri`."""
        name = self._name(prefix.rstrip("/")) if prefix else self._before.rstrip("/")
        return f"s3://{self._bucket}/{name}".rstrip("/")

    def link(self, key: str) -> str:
        """A presigned address, at which anybody can read an object for `LINK_LIFETIME`.

        It is signed here, without asking the server whether there is such an object.

        Raises:
            StoreError: The key is malformed.
        """
        # By the public address, which this machine may not reach.
        link = self._public.presigned_get_object(self._bucket, self._name(key), expires=LINK_LIFETIME)
        return str(link)

    def _name(self, key: str) -> str:
        if not is_key(key):
            raise StoreError(f"{key!r} is not a key: parts must be names")
        return self._before + key

    def _names(self, prefix: str) -> list[str]:
        return [one.object_name for one in self._listed(prefix) if one.object_name]

    def _listed(self, prefix: str) -> list[Object]:
        try:
            return list(self._client.list_objects(self._bucket, self._before + prefix, recursive=True))
        except S3Error as error:
            if error.code == "NoSuchBucket":
                return []  # nothing was written yet
            raise

    def _put(self, name: str, data: bytes) -> None:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._client.put_object(self._bucket, name, io.BytesIO(data), len(data), content_type=kind)

    def _make_bucket(self) -> None:
        try:
            self._client.make_bucket(self._bucket)
        except S3Error as error:  # another writer was faster
            if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                raise

    @contextlib.contextmanager
    def _translated(self, failed: str) -> Iterator[None]:
        if time.monotonic() < self._away_until:
            raise StoreError(f"{failed} {self._shown}: not reached a moment ago")
        try:
            with _translated(f"{failed} {self._shown}"):
                yield
        except StoreError as error:
            if isinstance(error.__cause__, MaxRetryError):
                self._away_until = time.monotonic() + _PAUSE_S
            raise


class BucketObject(NamedTuple):
    """An object of any name.

    Attributes:
        name: Its name, with its folders.
        bytes: Its length.
        etag: Changes with its content.
    """

    name: str
    bytes: int
    etag: str


class MinioBucket:
    """A bucket that others write into.

    Args:
        bucket: Its name.
        access: How to reach the server.

    Raises:
        ConfigError: The endpoint is no address.
    """

    def __init__(self, bucket: str, access: S3Access) -> None:
        self._bucket, self._client = bucket, _client(access.endpoint, access)
        self._shown = f"s3://{bucket} at {access.endpoint}"

    def objects(self, prefix: str = "") -> list[BucketObject]:
        """Objects whose names begin so.

        Raises:
            StoreError: The server does not answer or refuses, or there is no such bucket.
        """
        with _translated(f"cannot list {self._shown}"):
            found = list(self._client.list_objects(self._bucket, prefix, recursive=True))
        return [
            BucketObject(one.object_name, one.size or 0, one.etag or "") for one in found if one.object_name
        ]

    def download(self, name: str, path: Path) -> None:
        """Write an object to a file, which appears whole or not at all.

        Raises:
            StoreError: It cannot be read.
        """
        with _translated(f"cannot read {name!r} from {self._shown}"):
            self._client.fget_object(self._bucket, name, str(path))


@contextlib.contextmanager
def _translated(failed: str) -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        raise StoreError(f"{failed}: {redact(f'{error.code}: {error.message}')[:300]}") from error
    except MaxRetryError as error:
        raise StoreError(f"{failed}: not reached") from error
    except VENDOR_ERRORS as error:
        # `from None`: the vendor's message may repeat a request with its signature.
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise StoreError(f"{failed}: {reason}") from None


def _client(endpoint: str, access: S3Access) -> Minio:
    parts = urlsplit(endpoint)
    rest = parts.path.strip("/") + parts.query + parts.fragment
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or rest:
        raise ConfigError(f"{redact(endpoint)!r} is no address of an S3 server: http(s)://host:port")
    try:
        return Minio(
            endpoint=parts.netloc,
            access_key=access.access_key.get_secret_value(),
            secret_key=access.secret_key.get_secret_value(),
            secure=parts.scheme == "https",
            region=access.region,
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=_READ_TIMEOUT_S),
                retries=_RETRY,
                maxsize=10,
            ),
        )
    except ValueError as error:
        raise ConfigError(f"{redact(endpoint)!r} is no address of an S3 server: {error}") from error
