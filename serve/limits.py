"""A bound on what a client may send."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streetloop.errors import InputTooLarge


class BodyLimit:
    """ASGI middleware: a body of more than ``limit_bytes`` raises `InputTooLarge` while it comes.

    A stated length is believed only when it is too large already.
    """

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        too_long = stated.isdigit() and int(stated) > self._limit
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if too_long or received > self._limit:
                raise InputTooLarge(f"the body has more than {self._limit // 2**20} MB")
            return message

        await self._app(scope, bounded, send)
