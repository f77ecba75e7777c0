"""How an S3 server is reached; needs no SDK of it."""

from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import SecretStr

LINK_LIFETIME = timedelta(days=7)
"""Lifetime of a presigned address: the longest that S3's signatures allow."""


@dataclass(frozen=True, slots=True)
class S3Access:
    """How to reach a server.

    Attributes:
        endpoint: Its address, such as ``https://minio.example:9000``.
        access_key: Name of the user.
        secret_key: Their password.
        region: The server's region, which signatures contain.
        public_endpoint: Its address for browsers; None if that is the same.
    """

    endpoint: str
    access_key: SecretStr = field(repr=False)
    secret_key: SecretStr = field(repr=False)
    region: str = "us-east-1"
    public_endpoint: str | None = None
