"""RTSP cameras, over TCP or UDP."""

import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from flows.stream.sources.source import SourceFrame
from streetloop.clock import Clock
from streetloop.errors import ConfigError, SourceError, SourceRefused, SourceUnavailable
from streetloop.secrets import SecretUri
from streetloop.video import VideoInfo, VideoReader

_OPEN_TIMEOUT_S = 5.0
_PING_EVERY_S = 1.5
_PING_TIMEOUT_S = 1.0
_DEFAULT_PORT = 554


class RtspSource:
    """A `Source` that reads an RTSP server.

    While the server is away, attempts to connect back off. A ping (``OPTIONS``, which needs no
    session and no password) detects its return early.

    Args:
        uri: The address, with credentials if the server asks for them.
        transport: ``tcp`` or ``udp``.
        clock: Time.
        stall_s: Seconds of silence that count as a loss. A camera pauses up to half a second
            around a keyframe, so lower values than one second lose healthy streams.

    Raises:
        ConfigError: The URI names no host.
    """

    live = True

    def __init__(self, uri: SecretUri, transport: str, clock: Clock, stall_s: float = 2.2) -> None:
        self._uri = uri
        self._stall_s = stall_s
        self._transport = transport
        self._clock = clock
        self.nominal_fps = 0.0
        try:
            parts = urlsplit(uri.reveal())
            host, port = parts.hostname, parts.port or _DEFAULT_PORT
        except ValueError:
            # `from None`: the library's message quotes the URI with its password.
            raise ConfigError(f"{uri}: is not a valid URI") from None
        if not host:
            raise ConfigError(f"{uri}: names no host")
        self._address = (host, port)

    def probe(self) -> VideoInfo:
        """See `Source.probe`."""
        with self._open() as reader:
            if next(iter(reader.pictures()), None) is None:
                raise SourceUnavailable(f"{self._uri} closed the stream before a first picture")
            return reader.info

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`."""
        with self._open() as reader:
            self.nominal_fps = reader.info.fps
            for time_s, picture in reader.pictures():
                if stop.is_set():
                    return
                yield SourceFrame(time_s, picture)
        # FFmpeg reports a closed connection as the end of the stream; a live one has no end.
        raise SourceUnavailable(f"{self._uri} closed the stream")

    def is_final(self, error: SourceError) -> bool:
        """See `Source.is_final`: repeating a wrong password only locks the account."""
        return isinstance(error, SourceRefused)

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

    def _open(self) -> VideoReader:
        # After a first time-out FFmpeg still returns the picture that it held back, so silence is
        # noticed after two. PyAV's own limit is the safety net.
        patience_s = self._stall_s / 2
        options = {
            "rtsp_transport": self._transport,
            "timeout": str(round(patience_s * 1e6)),
            # The first pictures suffice to identify the stream; more only delays it.
            "fpsprobesize": "0",
            "analyzeduration": "500000",
        }
        return VideoReader(
            self._uri.reveal(), str(self._uri), options, _OPEN_TIMEOUT_S, patience_s * 1.5, live=True
        )

    def _answers(self) -> bool:
        """True if the server answers a ping; a frozen one accepts connections but does not."""
        host, port = self._address
        bracketed = f"[{host}]" if ":" in host else host
        ping = f"OPTIONS rtsp://{bracketed}:{port}/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"
        try:
            with socket.create_connection(self._address, timeout=_PING_TIMEOUT_S) as connection:
                connection.sendall(ping.encode("ascii"))
                return connection.recv(8) == b"RTSP/1.0"
        except (OSError, UnicodeError):  # the latter: no valid host name
            return False
