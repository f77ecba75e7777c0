"""Keeping passwords out of everything that people or files see."""

import re

_SCHEME = r"[a-zA-Z][a-zA-Z0-9+.-]{0,30}://"
_URL = re.compile(rf"{_SCHEME}(?:(?!{_SCHEME})[^\s'\"])*")  # up to the next one, if one holds another
_USERINFO = re.compile(r"^(?P<scheme>[^:]*://)[^/?#]*@")
# The same where the password has an @ and, behind it, a / that was not escaped.
_USERINFO_AND_PATH = re.compile(r"^(?P<scheme>[^:]*://)[^/?#:@]*:[^?#]*@")
# A password with / ? or # that was not escaped; everything up to the last @ may be of it.
_UNESCAPED = re.compile(r"^(?P<scheme>[^:]*://)(?:[^/?#:@]*:|[^@#]*#).*@")
# A value ends at & only, but for recorders' paths such as user=a_password=b_channel=1_stream=0.sdp.
_PARAMETER = re.compile(
    r"(?P<name>(?:user|usr|login|pass|pwd|psw|token|auth|key|secret|sig|credential|streamid|jwt|sess|hdn"
    r"|hash|md5|ticket)[a-z0-9._-]*|(?<![a-z])(?:sid|pw|pin|p|u))=.*?(?=&|_(?:user|password|channel|stream)=|$)",
    re.IGNORECASE,
)
# What follows such a word in a path, as of /live/token/s3cret/a.m3u8.
_PART = re.compile(
    r"(?P<name>/(?:pass(?:word)?|pwd|(?:access[_-]?)?token|auth|(?:api[_-]?|stream[_-]?)?key|secret|sig(?:nature)?)/)"
    r"[^/?#&]+",
    re.IGNORECASE,
)
_OPEN_SCHEMES = ("sim://", "file://", "watch://")
"""Addresses of these schemes have options and no secrets."""


def redact(text: str) -> str:
    """``text`` with the secrets of every URL in it replaced.

    Secrets are user and password before the host, also where they were not escaped, and
    parameters and parts of the path or the query whose names say so, such as ``user`` and
    ``token``.

    >>> redact("cannot open rtsp://admin:s3cret@10.0.0.7/ch1: 401")
    'cannot open rtsp://***@10.0.0.7/ch1: 401'
    >>> redact("rtsp://10.0.0.7/user=admin&password=s3cret&channel=1")
    'rtsp://10.0.0.7/user=***&password=***&channel=1'
    >>> redact("rtsp://10.0.0.7/ch1")
    'rtsp://10.0.0.7/ch1'
    """
    return _URL.sub(lambda found: _redact_url(found[0]), text)


def _redact_url(url: str) -> str:
    is_open = url.lower().startswith(_OPEN_SCHEMES)
    if _USERINFO.match(url) or is_open:
        pattern = _USERINFO_AND_PATH if _USERINFO_AND_PATH.match(url) and not is_open else _USERINFO
    else:
        pattern = _UNESCAPED
    shown = pattern.sub(r"\g<scheme>***@", url)
    if is_open:
        return shown
    return _PART.sub(r"\g<name>***", _PARAMETER.sub(r"\g<name>=***", shown))


class SecretUri:
    """A URI that prints without its secrets; `reveal` is for the one who opens it.

    >>> uri = SecretUri("rtsp://admin:s3cret@10.0.0.7:8554/ch1")
    >>> f"{uri}", uri.scheme
    ('rtsp://***@10.0.0.7:8554/ch1', 'rtsp')
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The URI as it was given, with its credentials."""
        return self._value

    @property
    def scheme(self) -> str:
        """The part before ``://``, lower case."""
        scheme, found, _ = self._value.partition("://")
        return scheme.lower() if found else ""

    def __str__(self) -> str:
        return redact(self._value)

    def __repr__(self) -> str:
        return f"SecretUri({redact(self._value)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretUri) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)
