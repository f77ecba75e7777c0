"""The endpoint that Prometheus scrapes: our metrics, then those of Ray's own exporter."""

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

from serve.web.access.roles import AccessTokens, Guard
from streetloop.errors import ConfigError
from streetloop.host.files import write_whole
from streetloop.settings import Settings

_log = logging.getLogger(__name__)

TARGETS_FILE = "prometheus_targets.json"
"""Where Prometheus' ``file_sd_configs`` finds the endpoint, in the home."""

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_RAY_S = 2.0  # a scrape waits so long for Ray's own metrics
_OF_RAY = ("ray_node_", "ray_component_cpu", "ray_component_rss_bytes", "ray_serve_", "ray_streetloop_")
"""The metrics of Ray that are shown; its own exporter has a thousand series more."""


class MetricsEndpoint:
    """Answers ``GET /metrics``.

    It listens on ``app_host`` where there are tokens, and asks for one, of any role; else on
    loopback.

    Args:
        settings: Where to listen, and the tokens.
        port: TCP port; None for a free one.

    Attributes:
        text: Called at each scrape; our metrics as text.
        ray_address: Host and port of Ray's exporter; None while there is none.

    Raises:
        ConfigError: The port cannot be used, or two roles have the same token.
    """

    def __init__(self, settings: Settings, port: int | None) -> None:
        self.text: Callable[[], str] = str
        self.ray_address: str | None = None
        self._guard = Guard(AccessTokens.of(settings))
        host = settings.app_host if self._guard.tokens else "127.0.0.1"
        try:
            self._server = ThreadingHTTPServer((host, port or 0), self._handler())
        except OSError as error:
            raise ConfigError(
                f"--metrics-port {port}: {host}:{port} cannot be used: {error.strerror}; name another port"
            ) from error
        self._server.daemon_threads = True
        self._targets = settings.home / TARGETS_FILE
        self._thread = Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    @property
    def address(self) -> str:
        """Host and port of the endpoint."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def answer(self) -> str:
        """What a scrape gets."""
        return self.text() + self._of_ray()

    def start(self) -> None:
        """Answer, and say where in the file for Prometheus' service discovery."""
        self._thread.start()
        with contextlib.suppress(OSError):  # nobody needs the file to run
            write_whole(self._targets, json.dumps([{"targets": [self.address], "labels": {}}]) + "\n")

    def close(self) -> None:
        """Stop."""
        with contextlib.suppress(OSError):
            self._targets.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _of_ray(self) -> str:
        if self.ray_address is None:
            return ""
        try:
            with httpx.Client(trust_env=False, timeout=_RAY_S) as client:
                return _shown(client.get(f"http://{self.ray_address}/metrics").raise_for_status().text)
        except httpx.HTTPError:
            return ""  # Ray starts its exporter late, and a scrape must not fail for it

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                endpoint._reply(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Scrapes are not worth a line."""

        return Handler

    def _reply(self, request: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if self._guard.role_of(headers, {}) is None:
            _send(request, HTTPStatus.UNAUTHORIZED, "send the header 'Authorization: Bearer <token>'\n")
        elif request.path.partition("?")[0] != "/metrics":
            _send(request, HTTPStatus.NOT_FOUND, "the metrics are at /metrics\n")
        else:
            try:
                text = self.answer()
            except Exception:  # noqa: BLE001 - the boundary of a scrape's thread
                _log.exception("the metrics cannot be read")
                _send(request, HTTPStatus.INTERNAL_SERVER_ERROR, "the metrics cannot be read\n")
            else:
                _send(request, HTTPStatus.OK, text)


def _shown(text: str) -> str:
    """The lines of the metrics in `_OF_RAY`, with their descriptions."""
    kept = (line for line in text.splitlines() if _name(line).startswith(_OF_RAY))
    return "".join(f"{line}\n" for line in kept)


def _name(line: str) -> str:
    return line.split(" ", 3)[2] if line.startswith("# ") and line.count(" ") > 1 else line


def _send(request: BaseHTTPRequestHandler, status: HTTPStatus, text: str) -> None:
    body = text.encode()
    request.send_response(status)
    request.send_header("Content-Type", _CONTENT_TYPE)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    with contextlib.suppress(OSError):  # whoever asked has gone
        request.wfile.write(body)


@contextlib.contextmanager
def metrics_endpoint(settings: Settings, port: int | None) -> Iterator[MetricsEndpoint]:
    """An endpoint that answers within the ``with`` block; see `MetricsEndpoint`."""
    endpoint = MetricsEndpoint(settings, port)
    endpoint.start()
    try:
        yield endpoint
    finally:
        endpoint.close()
