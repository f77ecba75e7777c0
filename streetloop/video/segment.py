"""Packets of a stream, written to an MP4 without being decoded."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error

from streetloop.errors import StoreError
from streetloop.video.closing import Closing
from streetloop.video.packets import EncodedPacket
from streetloop.video.sound import SoundTrack

FRAGMENTS = {
    # Fragments while it grows; at its end it becomes a plain MP4, in which every player seeks.
    "movflags": "hybrid_fragmented+frag_keyframe+default_base_moof",
    "frag_duration": str(10**6),
    "flush_packets": "1",
}
"""Options of an MP4 that can be played up to its last second, whatever ends its writer."""

_TIME_BASE = Fraction(1, 90_000)


class SegmentWriter(Closing):
    """Writes the packets of one video stream to an MP4, as they are.

    Args:
        path: The file; its folder is there.
        first: A key packet, with which the file begins.
        headers: Parameter sets of the packets if they are no longer those of the stream.
        size: Width and height in pixels if they are no longer those of the stream.

    Attributes:
        codec: FFmpeg's name of the codec.

    Raises:
        StoreError: The file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        first: EncodedPacket,
        headers: bytes | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        self._path = path
        self._last_dts: int | None = None
        self.codec = first.codec
        with self._translated():
            self._container = av.open(str(path), "w", format="mp4", options=FRAGMENTS)
            source = first.vendor.stream
            self._stream = self._container.add_stream_from_template(source)
            if headers is not None:
                self._stream.codec_context.extradata = headers
            if size is not None:
                self._stream.codec_context.width, self._stream.codec_context.height = size
            self._sound = None if first.sound is None else SoundTrack(self._container, first.sound)

    def write(self, packet: EncodedPacket, time_s: float) -> None:
        """Append a packet; it can be written once.

        Args:
            packet: The packet.
            time_s: When it is to be decoded, in seconds since the begin of the file.

        Raises:
            StoreError: The file cannot be written.
        """
        raw = packet.vendor
        delay = Fraction(0)
        if raw.pts is not None and raw.dts is not None:
            delay = max(Fraction(0), (raw.pts - raw.dts) * raw.time_base)
        dts = round(time_s / _TIME_BASE)
        if self._last_dts is not None:
            dts = max(dts, self._last_dts + 1)
        self._last_dts = dts
        raw.stream = self._stream
        raw.time_base = _TIME_BASE
        raw.dts, raw.pts, raw.duration = dts, dts + round(delay / _TIME_BASE), 0
        with self._translated():
            self._container.mux(raw)

    def write_sound(self, packet: EncodedPacket, time_s: float) -> None:
        """Append a packet of sound; it can be written once.

        Args:
            packet: The packet.
            time_s: When it is heard, in seconds since the begin of the file; before 0 it is left
                out.

        Raises:
            StoreError: The file cannot be written.
        """
        if self._sound is not None and time_s >= 0:
            with self._translated():
                self._sound.write(packet.vendor, time_s)

    def close(self) -> None:
        """Finish the file.

        Raises:
            StoreError: The file cannot be written; what was written can still be read.
        """
        with self._translated():
            if self._sound is not None:
                self._sound.close()
            self._container.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise StoreError(f"{self._path} cannot be written: {error}") from error


def video_length_s(path: Path) -> float | None:
    """Seconds from the first picture of a file to the end of its last; None without pictures.

    It reads what is there, also of a file whose writer was killed.
    """
    first, last, step = None, 0.0, 0.0
    try:
        with av.open(str(path)) as container:
            for packet in container.demux(video=0):
                if packet.pts is None:
                    continue
                time_s = float(packet.pts * packet.time_base)
                first = time_s if first is None else first
                step = time_s - last if time_s > last else step
                last = max(last, time_s)
    except (av.error.FFmpegError, OSError, IndexError):
        pass  # what was read until there counts
    return None if first is None else last - first + step
