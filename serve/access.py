"""Who may come in."""

import ipaddress
import secrets

from starlette.exceptions import HTTPException
from starlette.requests import Request

from streetloop.errors import ConfigError


class Guard:
    """Lets a request pass that shows the token, if there is one."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: Request) -> None:
        """Raise a 401 unless ``request`` may pass."""
        if self._token is None:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        same = secrets.compare_digest(given.encode(), self._token.encode())
        if scheme.lower() != "bearer" or not same:
            raise HTTPException(
                401,
                "send the header 'Authorization: Bearer <token>'",
                {"WWW-Authenticate": "Bearer"},
            )


def refuse_open_door(host: str, *, has_token: bool) -> None:
    """Other machines may only come in with a token.

    Raises:
        ConfigError: ``host`` is wider than loopback and there is no token.
    """
    if not has_token and not _is_loopback(host):
        raise ConfigError(
            f"listening on {host} lets other machines in; "
            "set STREETLOOP_API_TOKEN to a secret of your choice first"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
