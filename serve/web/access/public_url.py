"""The page under the name that browsers know, whatever name a proxy asks by."""

from starlette.types import ASGIApp, Receive, Scope, Send

_FORWARDED, _SERVER = b"x-forwarded-host", b"x-gradio-server"


class PublicUrl:
    """Tells Gradio where its page is.

    Gradio puts the address of its server into the page. It takes that from the headers of the
    request, which behind a proxy have the proxy's view. Its own option for a whole address makes
    each of its paths unknown with this Starlette.

    Args:
        app: What is behind it.
        path: Where the page is mounted, such as ``/app``.
        url: Where browsers reach the server, without a path.
    """

    def __init__(self, app: ASGIApp, path: str, url: str) -> None:
        self._app, self._path = app, path
        self._header = (_SERVER, f"{url.rstrip('/')}{path}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{self._path}/"):
            others = [one for one in scope["headers"] if one[0] not in {_FORWARDED, _SERVER}]
            scope = {**scope, "headers": [*others, self._header]}
        await self._app(scope, receive, send)
