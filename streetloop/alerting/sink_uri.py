"""Addresses of event sinks: what of them may be shown, and variables in them."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from streetloop.secrets import SecretUri

SCHEMES: Mapping[str, tuple[str, ...]] = {
    "webhook": ("http", "https"),
    "mqtt": ("mqtt", "mqtts"),
    "kafka": ("kafka", "kafkas"),
    "email": ("smtp", "smtps"),
}
"""Schemes of an address by type of sink; the second of each is encrypted."""

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SHOWN_SCHEMES = {scheme for schemes in SCHEMES.values() for scheme in schemes}


class SinkUri(SecretUri):
    """The address of a sink; it prints without user, path and query, of which any may be a secret.

    >>> uri = SinkUri("https://hooks.example.org/services/T0/B0/s3cret")
    >>> f"{uri}", repr(uri)
    ('https://hooks.example.org', "SinkUri('https://hooks.example.org')")
    """

    __slots__ = ()

    def __str__(self) -> str:
        if self.scheme not in _SHOWN_SCHEMES:
            return "***"
        parts = urlsplit(self.reveal())
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def __repr__(self) -> str:
        return f"SinkUri({str(self)!r})"


def fill_variables(text: str, environment: Mapping[str, str], *, in_uri: bool = False) -> str:
    """``text`` with the value of each ``${NAME}`` in its place.

    >>> fill_variables("mqtt://u:${PW}@host", {"PW": "a/b"}, in_uri=True)
    'mqtt://u:a%2Fb@host'

    Args:
        text: As somebody wrote it.
        environment: Variables by name.
        in_uri: Escape values for a URI, unless ``text`` is one variable and nothing else.

    Raises:
        KeyError: A variable is not set, or is empty; the key is its name.
    """
    escapes = in_uri and not _VARIABLE.fullmatch(text)

    def value(found: re.Match[str]) -> str:
        it = environment.get(found[1])
        if not it:
            raise KeyError(found[1])
        return quote(it, safe="") if escapes else it

    return _VARIABLE.sub(value, text)


def has_variable(text: str) -> bool:
    """Whether a ``${NAME}`` is in it."""
    return _VARIABLE.search(text) is not None


def refuse_bad_uri(uri: SecretUri, kind: str) -> None:
    """Refuse an address that a type of sink cannot have.

    Raises:
        ValueError: The message quotes nothing of it but its scheme.
    """
    schemes = SCHEMES[kind]
    if uri.scheme not in schemes:
        raise ValueError(f"url: begins with {' or '.join(f'{s}://' for s in schemes)} for type {kind}")
    if "://***@" in uri.reveal():
        raise ValueError("url: *** stands for a user or password that is not shown; write them again")
    try:
        parts = urlsplit(uri.reveal())
        host, _ = parts.hostname, None if kind == "kafka" else parts.port
    except ValueError:
        # `from None`: the vendor's message quotes the address with its password.
        raise ValueError("url: is no valid address; in user and password write / as %2F, @ as %40") from None
    if not host or re.search(r"[\s'\"<>\\]", uri.reveal()):
        raise ValueError("url: names no host, or has spaces, quotes, < or >")
