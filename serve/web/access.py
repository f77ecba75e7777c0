"""Who may come in."""

import hashlib
import ipaddress
import secrets
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from serve.web.api.problems import problem
from streetloop.errors import ConfigError
from streetloop.settings import Settings

COOKIE = "streetloop"
_SAFE = {"GET", "HEAD", "OPTIONS"}


class Guard:
    """Lets a request pass that shows the token, if there is one: as bearer, or as the cookie."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def admits(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> bool:
        """Whether a request may pass.

        Args:
            headers: May hold the token as a bearer token.
            cookies: May hold the token as a cookie.
        """
        if self._token is None:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.knows(given)
        return secrets.compare_digest(cookies.get(COOKIE, "").encode(), self.cookie.encode())

    def knows(self, shown: str) -> bool:
        """Whether this is the token.

        Args:
            shown: Compared in constant time.
        """
        return self._token is None or secrets.compare_digest(shown.encode(), self._token.encode())

    @property
    def cookie(self) -> str:
        """What a browser stores instead of the token, which cannot be derived from it."""
        return hashlib.sha256(f"streetloop cookie {self._token}".encode()).hexdigest()

    def __call__(self, connection: HTTPConnection) -> None:
        """Raise a 401 unless a request, or a WebSocket, may pass."""
        if not self.admits(connection.headers, connection.cookies):
            raise HTTPException(
                401,
                "send the header 'Authorization: Bearer <token>', or log in at /login",
                {"WWW-Authenticate": "Bearer"},
            )


class OwnPages:
    """ASGI middleware: keeps the pages of strangers from acting through the user's browser.

    A browser names the page that a request comes from. What changes something, and every
    WebSocket, must come from a page of this server; and a server without a token answers only
    under names of this machine, or a name that a stranger lets point here would count as its own.

    Args:
        app: What is behind it.
        has_token: Whether those who come must show a token.
    """

    def __init__(self, app: ASGIApp, has_token: bool) -> None:
        self._app, self._has_token = app, has_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        reason = self._objection(headers, scope.get("method", "WEBSOCKET"))
        if reason is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            await problem(403, "Forbidden", reason)(scope, receive, send)

    def _objection(self, headers: Headers, method: str) -> str | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._has_token and not _is_loopback(_name_of(host)):
            return "without a token this server answers under names of this machine only"
        foreign = origin is not None and origin.partition("://")[2] != host
        if foreign and method not in _SAFE:
            return "this comes from the page of another server"
        return None


def refuse_open_door(host: str, *, has_token: bool) -> None:
    """Refuse to listen beyond this machine without a token.

    Args:
        host: Address to listen on.
        has_token: Whether requests need a token.

    Raises:
        ConfigError: ``host`` is wider than loopback and there is no token.
    """
    if not has_token and not _is_loopback(host):
        raise ConfigError(
            f"listening on {host} lets other machines in; "
            "set STREETLOOP_API_TOKEN to a secret of your choice first"
        )


def _name_of(host: str) -> str:
    """The name in a ``Host`` header; empty for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_bad_address(settings: Settings) -> None:
    """Check that the app may listen on its address, and that its port is free.

    Args:
        settings: Host, port and token of the app.

    Raises:
        ConfigError: The address is wider than loopback and there is no token, or it is taken.
    """
    refuse_open_door(settings.app_host, has_token=settings.api_token is not None)
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
