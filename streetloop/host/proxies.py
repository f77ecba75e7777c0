"""The proxies that the environment names: not for this machine, and not of SOCKS."""

from collections.abc import MutableMapping

from streetloop.errors import ConfigError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PROXIES = ("all_proxy", "http_proxy", "https_proxy")


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


def refuse_socks(environ: MutableMapping[str, str]) -> None:
    """Refuse a SOCKS proxy, with which neither the app nor Label Studio's client starts.

    Args:
        environ: The environment of the process.

    Raises:
        ConfigError: There is one; the message names the variable and not its value.
    """
    for name, value in environ.items():
        if name.lower() in _PROXIES and value.lower().startswith("socks"):
            raise ConfigError(
                f"{name}: SOCKS proxies are not supported; unset it, or name an http:// proxy instead"
            )
