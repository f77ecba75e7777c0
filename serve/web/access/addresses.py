"""Which addresses the app may listen on, and be reached at."""

import socket
from urllib.parse import urlsplit

from serve.web.access.own_pages import is_loopback
from serve.web.access.roles import AccessTokens
from streetloop.errors import ConfigError
from streetloop.settings import Settings


def refuse_open_door(host: str, settings: Settings) -> None:
    """Refuse to let other machines in without a token.

    Args:
        host: Address to listen on.
        settings: Tokens, and the public URL.

    Raises:
        ConfigError: ``host`` is wider than loopback, or the public URL is of another name, and
            there is no token; or two roles have the same.
    """
    if AccessTokens.of(settings):
        return
    lets_in = None if is_loopback(host) else f"listening on {host}"
    if settings.public_url and not is_loopback(urlsplit(settings.public_url).hostname or ""):
        lets_in = lets_in or f"the public URL {settings.public_url}"
    if lets_in is not None:
        raise ConfigError(
            f"{lets_in} lets other machines in; set STREETLOOP_API_TOKEN to a secret of your choice first"
        )


def refuse_bad_address(settings: Settings) -> None:
    """Check that the app may listen on its address, and that its port is free.

    Args:
        settings: Host, port, public URL and tokens of the app.

    Raises:
        ConfigError: As `refuse_open_door`, or the port is taken.
    """
    refuse_open_door(settings.app_host, settings)
    refuse_taken_port(settings.app_host, settings.app_port)


def refuse_taken_port(host: str, port: int) -> None:
    """Check that a port is free.

    Args:
        host: Address to listen on.
        port: 0 stands for any free port.

    Raises:
        ConfigError: Another program listens there, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}") from error
