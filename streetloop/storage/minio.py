"""MinIO, or anything else that speaks S3, as an object store: the only file that knows its SDK."""

import contextlib
import io
import mimetypes
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit
from xml.etree.ElementTree import ParseError

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from pydantic import SecretStr
from urllib3.exceptions import HTTPError, MaxRetryError

from streetloop.errors import ConfigError, StoreError
from streetloop.secrets import redact
from streetloop.storage.store import is_key, is_prefix

LINK_LASTS = timedelta(days=7)
"""How long a presigned address is good: as long as S3's signatures allow."""

# Streams wait while something is stored: a server that is away must not hold them up for long.
_CONNECT_S = 2.0
_SILENCE_S = 10.0
_AGAIN = urllib3.Retry(total=1, connect=0, status_forcelist=(500, 502, 503, 504))
_REST_S = 10.0  # ... and is not asked again for as long


@dataclass(frozen=True, slots=True)
class S3Access:
    """How to reach a server.

    Attributes:
        endpoint: Its address, such as ``https://minio.example:9000``.
        access_key: Name of the user.
        secret_key: Their password.
        region: As the server calls it.
        public_endpoint: Its address as browsers reach it; None if that is the same.
    """

    endpoint: str
    access_key: SecretStr = field(repr=False)
    secret_key: SecretStr = field(repr=False)
    region: str = "us-east-1"
    public_endpoint: str | None = None


class MinioStore:
    """An `ObjectStore` in a bucket, which is made when it is first written to.

    Args:
        bucket: Its name.
        prefix: Before every key; empty, or names joined by ``/``.
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
        # Workers in other processes are given stores; connections stay here.
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

    def uri(self, prefix: str) -> str:
        """See `ObjectStore.uri`."""
        name = self._name(prefix.rstrip("/")) if prefix else self._before.rstrip("/")
        return f"s3://{self._bucket}/{name}".rstrip("/")

    def link(self, key: str) -> str:
        """An address that anybody can read an object at for `LINK_LASTS`, such as a browser.

        Whether there is such an object is not looked at.

        Raises:
            StoreError: The key is none.
        """
        # Signed here: the server is not asked, least of all by its public address.
        link = self._public.presigned_get_object(self._bucket, self._name(key), expires=LINK_LASTS)
        return str(link)

    def _name(self, key: str) -> str:
        if not is_key(key):
            raise StoreError(f"{key!r} is not a key: parts must be names")
        return self._before + key

    def _names(self, prefix: str) -> list[str]:
        try:
            found = self._client.list_objects(self._bucket, self._before + prefix, recursive=True)
            return [one.object_name for one in found if one.object_name]
        except S3Error as error:
            if error.code == "NoSuchBucket":
                return []  # nothing has been written yet
            raise

    def _put(self, name: str, data: bytes) -> None:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._client.put_object(self._bucket, name, io.BytesIO(data), len(data), content_type=kind)

    def _make_bucket(self) -> None:
        try:
            self._client.make_bucket(self._bucket)
        except S3Error as error:  # somebody else was faster
            if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                raise

    @contextlib.contextmanager
    def _translated(self, failed: str) -> Iterator[None]:
        if time.monotonic() < self._away_until:
            raise StoreError(f"{failed} {self._shown}: not reached a moment ago")
        try:
            yield
        except S3Error as error:
            said = f"{error.code}: {error.message}"
            raise StoreError(f"{failed} {self._shown}: {redact(said)[:300]}") from error
        except MaxRetryError as error:
            self._away_until = time.monotonic() + _REST_S
            raise StoreError(f"{failed} {self._shown}: not reached") from error
        except (MinioException, HTTPError, ParseError, ValueError, OSError) as error:
            # `from None`: a request may be in the vendor's message, with its signature.
            raise StoreError(f"{failed} {self._shown}: {type(error).__name__}") from None


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
                timeout=urllib3.Timeout(connect=_CONNECT_S, read=_SILENCE_S), retries=_AGAIN, maxsize=10
            ),
        )
    except ValueError as error:
        raise ConfigError(f"{redact(endpoint)!r} is no address of an S3 server: {error}") from error
