"""A small HTTP server for Label Studio's webhook, authenticated by one secret."""

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
    """Calls a function for each genuine webhook call; ignores the request's content.

    Args:
        host: Address to listen on.
        port: TCP port; 0 for a free one.
        secret: Authenticates a call; see `labeling.webhook.verify.is_genuine`.
        heard: Called for each genuine call, from several threads.

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
        """Start listening."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening; does not wait for requests under way."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, secret: SecretStr, heard: Callable[[], None]) -> None:
        self.secret = secret
        self.heard = heard
        self._slots = threading.BoundedSemaphore(_MAX_AT_ONCE)
        super().__init__((host, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Limit concurrent requests; a rejected hint only delays the next pull."""
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one request."""
        # A client that sends a byte now and then would otherwise block its slot forever.
        end = threading.Timer(2 * _SILENCE_S, _cut, [request])
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect in the middle of a request."""


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
        self.rfile.read(int(length))  # or the sender would see a reset connection
        self.server.heard()
        return HTTPStatus.NO_CONTENT

    def log_message(self, *_: object) -> None:
        """Log nothing: a request may carry secrets."""


def _cut(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)
