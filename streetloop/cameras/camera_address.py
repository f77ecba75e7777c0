"""Addresses of cameras: which are understood, and which are refused before anything is called."""

import re
from collections import Counter
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from streetloop.counted_classes import is_one_line
from streetloop.secrets import SecretUri, has_mask

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
_NO_PORT = (
    "its port is not a number from 1 to 65535; write HOST:PORT, and an address of IPv6 in brackets, "
    "as [::1]:554"
)
_ESCAPED = "write # as %23, / as %2F, ? as %3F and @ as %40"
_BAD_PORT = re.compile(r"[^/]*//(?:[^/?#]*@)?[^/?#@\[\]]*:[^/?#@\[\]]*(?:[/?][^@]*)?")
_VARIABLE = re.compile(r"\$?\{[A-Za-z_]\w*\}")


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
    if has_mask(value):
        raise ValueError("*** stands for a user, password or token that is not shown; write them again")
    if "#" in value:
        raise ValueError("a # would end the address there; write # as %23")
    if not _URI.fullmatch(value):
        raise ValueError("has spaces, quotes, < or >; write < as %3C, > as %3E, a space as %20")
    parts = _split(value)
    if uri.scheme in NETWORK_SCHEMES:
        _refuse_another_host(parts)
        _refuse_variables(value)
    else:
        _refuse_control_characters(parts.path)
    _refuse_doubled_options(uri.scheme, parts.query)
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
    if parts.port == 0 or parts.netloc.endswith(":"):
        raise ValueError(_NO_PORT)


def _refuse_variables(value: str) -> None:
    """Refuse what other tools replace by a variable's value, such as ``${PASSWORD}``.

    Raises:
        ValueError: There is one.
    """
    if _VARIABLE.search(value):
        raise ValueError(
            "has a variable in braces, and none is replaced there; write its value, or { as %7B and } as %7D"
        )


def _refuse_control_characters(path: str) -> None:
    """Refuse a path of this machine that would break the lines in which it is told.

    Raises:
        ValueError: It would.
    """
    if not is_one_line(unquote(path)):
        raise ValueError("has a line break or another control character in its path")


def _refuse_doubled_options(scheme: str, query: str) -> None:
    """Refuse an option of ours that is there twice, of which one would have no effect.

    Raises:
        ValueError: One is.
    """
    keys = Counter(key for key, _ in parse_qsl(query, keep_blank_values=True))
    if scheme in NETWORK_SCHEMES:
        keys = Counter({"every": keys["every"]}) if scheme.startswith("snapshot+") else Counter()
    doubled = [key for key, count in keys.items() if count > 1]
    if doubled:
        raise ValueError(f"has the option {doubled[0][:20]!r} twice")


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
            raise ValueError(_NO_PORT) from None
        # `from None`: the vendor's message quotes the URI with its password.
        raise ValueError(
            f"is no valid URI; in user and password {_ESCAPED}, other special characters likewise"
        ) from None
    return parts
