"""Keeps the pages of strangers from acting through a user's browser, also behind a proxy."""

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from serve.web.access.roles import SAFE_METHODS
from serve.web.api.problems import problem

_PORTS = {"http": 80, "https": 443}
_Place = tuple[str, int]  # name and port


class OwnPages:
    """ASGI middleware: what changes something, and every WebSocket, must come from our own pages.

    A browser names the page that a request comes from as its ``Origin``. It is ours if it has the
    name and port of the request, as ``Host`` or as what a proxy says of it in ``X-Forwarded-Host``
    and ``X-Forwarded-Port``, or those of the public URL. A page of another server can send none of
    these headers. A standard port may be left out.

    A server without a token answers only under names of this machine, or a name that a stranger
    lets point here would count as its own.

    Args:
        app: What is behind it.
        has_token: Whether those who come must show a token.
        public_url: Where browsers reach this server; None if it is where it listens.
    """

    def __init__(self, app: ASGIApp, has_token: bool, public_url: str | None = None) -> None:
        self._app, self._has_token = app, has_token
        self._public = None if public_url is None else _place_of_origin(public_url)

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
        names = [_name_of(host) for host in (headers.get("host", ""), *_forwarded(headers))]
        if not self._has_token and not all(is_loopback(name) for name in names):
            return "without a token this server answers under names of this machine only"
        origin = headers.get("origin")
        if origin is None or method in SAFE_METHODS or self._is_ours(origin, headers):
            return None
        return (
            "this comes from the page of another server; behind a proxy, set STREETLOOP_PUBLIC_URL "
            "to the address that browsers use"
        )

    def _is_ours(self, origin: str, headers: Headers) -> bool:
        page = _place_of_origin(origin)
        if page is None:
            return False
        usual = _PORTS[urlsplit(origin).scheme]
        return page == self._public or page in _places(headers, usual)


def _places(headers: Headers, usual: int) -> Iterator[_Place]:
    """Where the request was sent to, as its headers say; ``usual`` is the port to leave out."""
    port = headers.get("x-forwarded-port", "").partition(",")[0].strip()
    for host in (headers.get("host", ""), *_forwarded(headers)):
        name, given = _name_of(host), _port_of(host)
        yield name, given or usual
        if given is None and port.isascii() and port.isdigit():
            yield name, int(port[:6])


def _forwarded(headers: Headers) -> list[str]:
    """The first of the hosts that proxies name, which is the one that the browser asked for."""
    host = headers.get("x-forwarded-host", "").partition(",")[0].strip()
    return [host] if host else []


def _place_of_origin(origin: str) -> _Place | None:
    scheme, found, rest = origin.partition("://")
    if scheme not in _PORTS or not found or rest != rest.rstrip("/") or "/" in rest:
        return None
    name = _name_of(rest)
    return (name, _port_of(rest) or _PORTS[scheme]) if name else None


def _name_of(host: str) -> str:
    """The name in a ``Host`` header; empty for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _port_of(host: str) -> int | None:
    try:
        return urlsplit(f"//{host}").port
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether a name or an address is of this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
