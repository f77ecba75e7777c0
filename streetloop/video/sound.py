"""The sound of a stream, kept beside its pictures in an MP4."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import av.error

_KEPT = frozenset({"aac", "mp3", "opus", "flac", "ac3", "eac3"})
_TIME_BASE = Fraction(1, 90_000)


class SoundTrack:
    """Writes sound to an open MP4: as it is, or as AAC where MP4 or a browser does not know it.

    Cameras often send G.711, which becomes AAC.

    Args:
        container: The MP4; nothing has been written to it yet.
        source: PyAV's stream of the sound.
    """

    def __init__(self, container: "av.container.OutputContainer", source: Any) -> None:
        self._container, self._is_kept = container, source.codec_context.name in _KEPT
        self._last: int | None = None
        if self._is_kept:
            self._stream: Any = container.add_stream_from_template(source)
        else:
            self._stream = container.add_stream("aac", rate=max(16_000, source.codec_context.rate))
            # G.711 does not say where its channels are heard.
            self._stream.layout = "mono" if source.codec_context.channels == 1 else "stereo"

    def write(self, raw: "av.Packet[Any]", time_s: float) -> None:
        """Append a packet, which can be written once.

        Args:
            raw: The packet.
            time_s: When it is heard, in seconds since the begin of the file.
        """
        if not self._is_kept:
            self._encode(raw, time_s)
            return
        pts = round(time_s / _TIME_BASE)
        if self._last is not None:
            pts = max(pts, self._last + 1)
        self._last = pts
        raw.stream, raw.time_base = self._stream, _TIME_BASE
        raw.dts = raw.pts = pts
        self._container.mux(raw)

    def close(self) -> None:
        """Write what the encoder holds back."""
        if not self._is_kept and self._last is not None:
            self._container.mux(self._stream.encode(None))

    def _encode(self, raw: "av.Packet[Any]", time_s: float) -> None:
        for frame in _decoded(raw):
            frame.time_base = Fraction(1, frame.sample_rate)
            pts = round(time_s * frame.sample_rate)
            if self._last is not None:
                pts = max(pts, self._last)
            frame.pts, self._last = pts, pts + frame.samples
            time_s += frame.samples / frame.sample_rate
            self._container.mux(self._stream.encode(frame))


def _decoded(raw: "av.Packet[Any]") -> Iterator[Any]:
    """The samples of a packet; none of one that is damaged."""
    try:
        yield from raw.decode()
    except av.error.InvalidDataError:
        return
