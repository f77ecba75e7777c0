"""Network streams that FFmpeg opens; RTSP adds a ping."""

import threading
from collections.abc import Iterator, Mapping

from flows.stream.sources.source import SourceFrame
from flows.stream.sources.stall_limit import StallLimit
from streetloop.clock import Clock
from streetloop.errors import SourceError, SourceRefused, SourceUnavailable
from streetloop.secrets import SecretUri
from streetloop.video import VideoInfo, VideoReader

HANDSHAKE_S = 20.0
"""Longest wait for the answer to a connection: a relay may start its camera first."""

_PROBE_S = 45.0  # FFmpeg wants to see some pictures first, which may be ten seconds apart


class NetworkSource:
    """A `Source` of a live stream.

    Two time-outs apply. Connecting may take `HANDSHAKE_S`, and there is one attempt at a time. A
    stream that runs may be silent for ``stall_s`` or for three of its own periods, whichever is
    longer.

    Credentials that are refused at the start are wrong. Those of a stream that was there before
    are tried again, with backoff: cameras refuse everybody while they restart.

    Args:
        uri: The address, with credentials if the server asks for them.
        options: FFmpeg's options.
        clock: Time.
        stall_s: Least silence that counts as a loss, see `StallLimit`.
        sound: See `VideoReader`.
    """

    live = True

    def __init__(
        self,
        uri: SecretUri,
        options: Mapping[str, str],
        clock: Clock,
        stall_s: float = 2.2,
        *,
        sound: bool = False,
    ) -> None:
        self._sound = sound
        self._uri = uri
        self._options = dict(options)
        self._clock = clock
        self._stall_s = stall_s
        self._was_live = False
        self.nominal_fps = 0.0

    def probe(self) -> VideoInfo:
        """See `Source.probe`."""
        with self._open() as reader:
            info = reader.probe()
        if info is None:
            raise SourceUnavailable(f"{self._uri} closed the stream before a first picture")
        return info

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`."""
        limit = StallLimit(self._stall_s, HANDSHAKE_S)
        with self._open() as reader:
            self.nominal_fps = reader.info.fps
            for time_s, picture in reader.pictures():
                if stop.is_set():
                    return
                self._was_live = True
                limit.note(self._clock.monotonic(), time_s)
                reader.read_timeout_s = _patience_s(limit)
                yield SourceFrame(time_s, picture, picture.held_s, encoded=picture.encoded)
        # FFmpeg reports a closed connection as the end of the stream; a live one has no end.
        raise SourceUnavailable(f"{self._uri} closed the stream")

    def is_final(self, error: SourceError) -> bool:
        """See `Source.is_final`: repeating a password that never was right locks the account."""
        return isinstance(error, SourceRefused) and not self._was_live

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """See `Source.wait_for_return`."""
        self._clock.wait(stop, timeout_s)

    def _open(self) -> VideoReader:
        limit = StallLimit(self._stall_s, HANDSHAKE_S)
        return VideoReader(
            self._uri.reveal(),
            str(self._uri),
            self._options,
            _PROBE_S,
            _patience_s(limit),
            live=True,
            sound=self._sound,
        )


def _patience_s(limit: StallLimit) -> float:
    # After a first time-out FFmpeg still returns the picture that it held back, so silence is
    # noticed after two.
    return limit.limit_s / 2
