"""RTSP cameras, over TCP, UDP or TLS."""

import socket
import threading
from urllib.parse import urlsplit

from flows.stream.sources.network import HANDSHAKE_S, NetworkSource
from streetloop.clock import Clock
from streetloop.errors import ConfigError
from streetloop.secrets import SecretUri

_PING_EVERY_S = 1.5
_PING_TIMEOUT_S = 1.0
_PORTS = {"rtsp": 554, "rtsps": 322}


class RtspSource(NetworkSource):
    """A `Source` that reads an RTSP server.

    While the server is away, attempts to connect back off. A ping (``OPTIONS``, which needs no
    session and no password) detects its return early; of a server with TLS it is the connection.

    Args:
        uri: The address, with credentials if the server asks for them.
        transport: ``tcp`` or ``udp``; with TLS it is always TCP.
        clock: Time.
        stall_s: See `NetworkSource`.
        sound: See `VideoReader`.

    Raises:
        ConfigError: The URI names no host.
    """

    def __init__(
        self, uri: SecretUri, transport: str, clock: Clock, stall_s: float = 2.2, *, sound: bool = False
    ) -> None:
        self._is_encrypted = uri.scheme == "rtsps"
        options = {
            "rtsp_transport": "tcp" if self._is_encrypted else transport,
            "timeout": str(round(HANDSHAKE_S * 1e6)),
            # The first pictures suffice to identify the stream; more only delays it.
            "fpsprobesize": "0",
            "analyzeduration": "500000",
            # Sound is asked for if it is kept.
            "allowed_media_types": "video+audio" if sound else "video",
        }
        super().__init__(uri, options, clock, stall_s, sound=sound)
        try:
            parts = urlsplit(uri.reveal())
            host, port = parts.hostname, parts.port or _PORTS[uri.scheme]
        except ValueError:
            # `from None`: the library's message quotes the URI with its password.
            raise ConfigError(f"{uri}: is not a valid URI") from None
        if not host:
            raise ConfigError(f"{uri}: names no host")
        self._address = (host, port)

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """See `Source.wait_for_return`."""
        deadline = self._clock.monotonic() + timeout_s
        # Only a change counts: a server that answers but lacks the stream is not asked more often.
        was_up = self._answers()
        while (left := deadline - self._clock.monotonic()) > 0:
            if self._clock.wait(stop, min(left, _PING_EVERY_S)):
                return
            if not was_up and self._answers():
                return

    def _answers(self) -> bool:
        """True if the server answers a ping; a frozen one accepts connections but does not."""
        host, port = self._address
        bracketed = f"[{host}]" if ":" in host else host
        ping = f"OPTIONS rtsp://{bracketed}:{port}/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"
        try:
            with socket.create_connection(self._address, timeout=_PING_TIMEOUT_S) as connection:
                if self._is_encrypted:
                    return True
                connection.sendall(ping.encode("ascii"))
                return connection.recv(8) == b"RTSP/1.0"
        except (OSError, UnicodeError):  # the latter: no valid host name
            return False
