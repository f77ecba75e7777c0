"""What the environment says to HTTP clients: proxies, not for this machine, and certificates."""

import os
from collections.abc import Mapping, MutableMapping

from streetloop.errors import ConfigError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PROXIES = ("all_proxy", "http_proxy", "https_proxy")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def exempt_loopback(environ: MutableMapping[str, str]) -> None:
    """Reach servers on this machine without a proxy.

    >>> environ = {"http_proxy": "http://proxy:3128", "NO_PROXY": "intra.net"}
    >>> exempt_loopback(environ)
    >>> environ["NO_PROXY"]
    'intra.net,localhost,127.0.0.1,::1'

    Args:
        environ: The environment of the process; changed only if it names a proxy.
    """
    if not any(name.lower() in _PROXIES and value for name, value in environ.items()):
        return
    given = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    if given.strip() == "*":
        return
    known = [part.strip() for part in given.split(",") if part.strip()]
    whole = ",".join([*known, *(host for host in _LOOPBACK if host not in known)])
    environ["NO_PROXY"] = environ["no_proxy"] = whole


def require_http_client(environ: Mapping[str, str]) -> None:
    """Refuse variables with which no HTTP client starts: odd proxies, missing certificates.

    Args:
        environ: The environment of the process.

    Raises:
        ConfigError: There is one; the message names the variable and no secret of its value.
    """
    for name, value in environ.items():
        if name.lower() in _PROXIES and value:
            _refuse_odd_proxy(name, value)
        if name in _CERTIFICATES and value and not os.access(value, os.R_OK):
            raise ConfigError(
                f"{name}: {value[:200]} cannot be read; unset it, or name certificates that are there"
            )


def _refuse_odd_proxy(name: str, value: str) -> None:
    scheme, mark, _ = value.partition("://")
    if scheme.lower().startswith("socks"):
        raise ConfigError(
            f"{name}: SOCKS proxies are not supported; unset it, or name an http:// proxy instead"
        )
    if mark and scheme.lower() not in {"http", "https"}:
        raise ConfigError(f"{name}: only http:// and https:// proxies are supported; unset it, or name one")
