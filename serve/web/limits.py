"""A bound on what a client may send."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.web.api.problems import problem
from streetloop.errors import InputTooLarge


class BodyLimit:
    """ASGI middleware: a body of more than ``limit_bytes`` raises `InputTooLarge` while it comes.

    A stated length is believed only when it is too large already. Whatever an application makes of
    the error, the answer is a 413: FastAPI takes any error of a body for one of its syntax.

    Args:
        app: The application.
        limit_bytes: Of a body.
        by_path: Other limits, by path.
    """

    def __init__(self, app: ASGIApp, limit_bytes: int, by_path: Mapping[str, int] = {}) -> None:
        self._app = app
        self._limit, self._by_path = limit_bytes, by_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._by_path.get(scope["path"], self._limit)
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        too_long = stated.isdigit() and int(stated) > limit
        received = 0
        error = InputTooLarge(f"the body has more than {limit // 2**20} MB")
        refused = False

        async def bounded() -> Message:
            nonlocal received, refused
            message = await receive()
            received += len(message.get("body", b""))
            refused = too_long or received > limit
            if refused:
                raise error
            return message

        async def answer(message: Message) -> None:
            if not refused:
                await send(message)
            elif message["type"] == "http.response.start":
                await problem(413, "Content Too Large", str(error))(scope, receive, send)

        await self._app(scope, bounded, answer)
