"""Addresses of cameras: which are understood, and which are refused before anything is called."""

import re
from urllib.parse import SplitResult, urlsplit

from streetloop.secrets import SecretUri

NETWORK_SCHEMES = (
    "rtsp",
    "rtsps",
    "rtmp",
    "rtmps",
    "srt",
    "http",
    "https",
    "snapshot+http",
    "snapshot+https",
)
"""Schemes whose address has a host, and may have a user and a password."""

SCHEMES = (*NETWORK_SCHEMES, "v4l2", "file", "watch", "watch+s3", "sim")
"""All that are known."""

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"\\<>]+")
_ESCAPED = "write # as %23, / as %2F, ? as %3F and @ as %40"
_BAD_PORT = re.compile(r"[^/]*//(?:[^/?#]*@)?[^/?#@:\[\]]+:[0-9]+(?:[/?][^@]*)?")


def parse_address(value: object) -> SecretUri:
    """The address that ``value`` is, ready to be opened by the source of its scheme.

    Its scheme is in lower case, and space around it is left out.

    >>> str(parse_address("RTSP://admin:s%23cret@10.0.0.7/ch1"))
    'rtsp://***@10.0.0.7/ch1'
    >>> parse_address("rtsp://admin:s#cret@10.0.0.7/ch1")
    Traceback (most recent call last):
    ...
    ValueError: a # would end the address there; write # as %23

    Raises:
        ValueError: It is none; the message says how to write it, and holds nothing of it but an
            unknown scheme.
    """
    if isinstance(value, SecretUri):
        return value
    if not isinstance(value, str):
        raise ValueError("must be text such as rtsp://host/path or file:///clip.mp4")  # noqa: TRY004
    value = value.strip()  # it was pasted
    uri = SecretUri(value)
    if uri.scheme not in SCHEMES:
        raise ValueError(_unknown_scheme(uri.scheme))
    value = value.replace(value[: len(uri.scheme)], uri.scheme, 1)  # FFmpeg knows lower case alone
    if "://***@" in value or "=***" in value:
        raise ValueError("*** stands for a user, password or token that is not shown; write them again")
    if "#" in value:
        raise ValueError("a # would end the address there; write # as %23")
    if not _URI.fullmatch(value):
        raise ValueError("has spaces, quotes, < or >; write < as %3C, > as %3E, a space as %20")
    parts = _split(value)
    if uri.scheme in NETWORK_SCHEMES:
        _refuse_another_host(parts)
    return SecretUri(value)


def _refuse_another_host(parts: SplitResult) -> None:
    """Refuse what would call another host.

    Raises:
        ValueError: It would.
    """
    if "@" in parts.path + parts.query:
        raise ValueError(f"has an @ behind its host; in user, password, path and query {_ESCAPED}")
    if not parts.hostname:
        raise ValueError("names no host")


def _unknown_scheme(scheme: str) -> str:
    known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
    if not scheme:
        return f"has no scheme; write a file as file:///absolute/path.mp4; others are {known}"
    return f"unknown scheme {scheme[:20]!r}; known are {known}"


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.hostname, parts.port
    except ValueError:
        if _BAD_PORT.fullmatch(value):
            raise ValueError("its port is not a number from 0 to 65535") from None
        # `from None`: the vendor's message quotes the URI with its password.
        raise ValueError(
            f"is no valid URI; in user and password {_ESCAPED}, other special characters likewise"
        ) from None
    return parts
