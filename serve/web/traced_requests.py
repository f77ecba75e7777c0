"""A span for each request, where spans are sent, and its status for whoever counts."""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streetloop.host.tracing import request_span

_NO_ANSWER = 500


class TracedRequests:
    """An ASGI middleware; WebSockets pass through.

    Args:
        app: What answers.
        answered: Called with the template of the path, or None, and the status of each request.
    """

    def __init__(self, app: ASGIApp, answered: Callable[[str | None, int], None]) -> None:
        self._app, self._answered = app, answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = _NO_ANSWER

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with request_span(scope["method"], headers) as span:
            try:
                await self._app(scope, receive, note)
            finally:
                route = getattr(scope.get("route"), "path", None)
                span.answered(route, status)
                self._answered(route, status)
