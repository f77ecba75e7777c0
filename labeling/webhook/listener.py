"""Listens for Label Studio's webhook: a small HTTP server that knows one secret."""

import contextlib
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import SecretStr

from labeling.webhook.verify import is_genuine
from streetloop.errors import ConfigError

_MAX_BODY_BYTES = 65_536
_MAX_AT_ONCE = 8
_SILENCE_S = 5.0


class HookListener:
    """Calls somebody when a genuine webhook comes; nothing that it carries is handed on.

    Args:
        host: Address to listen on.
        port: TCP port; 0 for a free one.
        secret: What a genuine webhook carries, see `labeling.webhook.verify.is_genuine`.
        heard: Called for each genuine one, from several threads.

    Raises:
        ConfigError: The port cannot be listened on.
    """

    def __init__(self, host: str, port: int, secret: SecretStr, heard: Callable[[], None]) -> None:
        try:
            self._server = _Server(host, port, secret, heard)
        except (OSError, OverflowError, UnicodeError) as error:
            raise ConfigError(
                f"port {port} of {host} is not free for Label Studio's webhook: {error}"
            ) from error
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="webhook", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening; what is under way is left to itself."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, secret: SecretStr, heard: Callable[[], None]) -> None:
        self.secret = secret
        self.heard = heard
        self._places = threading.BoundedSemaphore(_MAX_AT_ONCE)
        super().__init__((host, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take on so many at once; a hint that is turned away costs nothing but time."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one."""
        # One that sends a little now and then would otherwise keep its place for ever.
        end = threading.Timer(2 * _SILENCE_S, _cut, [request])
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up in the middle is nobody's concern."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SILENCE_S
    server_version = "streetloop"
    sys_version = ""

    def do_POST(self) -> None:
        self.send_response(self._judge())
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _judge(self) -> HTTPStatus:
        if not is_genuine(dict(self.headers.items()), self.server.secret):
            return HTTPStatus.FORBIDDEN
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length[:9]) > _MAX_BODY_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        self.rfile.read(int(length))  # or the sender would think that it was cut off
        self.server.heard()
        return HTTPStatus.NO_CONTENT

    def log_message(self, *_: object) -> None:
        """Nothing: what is asked is not to be in a log."""


def _cut(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)
