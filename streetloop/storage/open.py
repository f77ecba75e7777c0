"""Which object store the settings mean."""

from pathlib import Path

from streetloop.errors import ConfigError
from streetloop.settings import Settings
from streetloop.storage.s3_access import S3Access
from streetloop.storage.store import FolderStore, ObjectStore

_S3 = "s3://"


def open_store(settings: Settings) -> ObjectStore:
    """The object store of the settings; nothing is asked or made yet.

    Raises:
        ConfigError: A bucket is named, and not how to reach it.
    """
    url = settings.store_url
    if url is None:
        return FolderStore(settings.store)
    if not url.startswith(_S3):
        return FolderStore(Path(url))
    from streetloop.storage.minio import MinioStore  # its SDK takes a fifth of a second

    bucket, _, prefix = url.removeprefix(_S3).partition("/")
    return MinioStore(bucket, prefix, s3_access(settings, f"the object store is {url}"))


def s3_access(settings: Settings, what: str) -> S3Access:
    """How the settings say that the S3 server is reached.

    Args:
        settings: Have the ``s3_`` settings.
        what: Begins the message if one is missing.

    Raises:
        ConfigError: One is missing.
    """
    endpoint, user, password = settings.s3_endpoint, settings.s3_access_key, settings.s3_secret_key
    if endpoint is None or user is None or password is None:
        needed = ("s3_endpoint", "s3_access_key", "s3_secret_key")
        lacking = next(name for name in needed if getattr(settings, name) is None)
        raise ConfigError(f"{what}: set STREETLOOP_{lacking.upper()}, too")
    return S3Access(endpoint, user, password, settings.s3_region, settings.s3_public_endpoint)
