"""Keeping passwords out of everything that people or files see."""

import re

_USERINFO = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)[^/?#\s'\"]*@")


def redact(text: str) -> str:
    """``text`` with the user and password of every URL in it replaced.

    >>> redact("cannot open rtsp://admin:s3cret@10.0.0.7/ch1: 401")
    'cannot open rtsp://***@10.0.0.7/ch1: 401'
    >>> redact("rtsp://10.0.0.7/ch1")
    'rtsp://10.0.0.7/ch1'
    """
    return _USERINFO.sub(r"\g<scheme>***@", text)


class SecretUri:
    """A URI that prints without its credentials; `reveal` is for the one who opens it.

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
