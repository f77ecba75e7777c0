"""The pictures of a file or a network stream."""

import contextlib
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streetloop.errors import SourceStalled, SourceUnreadable
from streetloop.video.arrivals import Arrivals
from streetloop.video.closing import Closing
from streetloop.video.errors import OPENING, source_error
from streetloop.video.packets import Encoded, EncodedPacket
from streetloop.video.picture import Converter, DecodedPicture

_MIN_SIDE, _MAX_ASPECT, _MAX_PIXELS = 16, 10, 100_000_000
_MAX_PACKETS = 500  # that wait for a picture; more do not decode at all
_PEEK_PACKETS = 200  # of all streams; a cover has one of them
_METADATA_ERRORS = "replace"  # a title need not be UTF-8, and nobody reads it
_CUT_AT_THE_NEXT = {"rtsp", "mpegts"}  # formats in which a picture ends where the next one begins


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a container declares about its video stream.

    Attributes:
        codec: FFmpeg's name of the codec, such as ``h264``.
        width: In pixels.
        height: In pixels.
        fps: Frames per second; 0 if not declared.
        frames: Number of frames; 0 if not declared.
    """

    codec: str
    width: int
    height: int
    fps: float
    frames: int


class VideoReader(Closing):
    """Reads the film of a file or a URL: a still beside it, such as a cover, is passed over.

    Args:
        url: What FFmpeg opens; may hold credentials.
        name: Stands for the URL in messages.
        options: FFmpeg's options of the demuxer and protocol.
        open_timeout_s: Longest wait for an answer; None for no limit (files).
        read_timeout_s: See below.
        live: True for a stream that is read as it comes: its pictures are decoded without delay,
            on fewer threads, and FFmpeg may report its silence as bad data.
        sound: True gives out the packets of sound, too, if there are any; see `Encoded.sound`.

    Attributes:
        read_timeout_s: Longest wait for a picture; None for no limit. Shorter reports a dead
            camera sooner, and a slow one as dead. May be changed between two pictures of a live
            stream that was opened with a limit.
        corrupt_packets: Packets so far that did not decode.

    Raises:
        SourceError: The subclass that `TRANSLATED` names.
    """

    def __init__(
        self,
        url: str,
        name: str,
        options: dict[str, str] | None = None,
        open_timeout_s: float | None = None,
        read_timeout_s: float | None = None,
        *,
        live: bool = False,
        sound: bool = False,
    ) -> None:
        self._name = name
        self._live = live
        self._converter = Converter()
        self.read_timeout_s = read_timeout_s
        self.corrupt_packets = 0
        limit = None if read_timeout_s is None else _ReadTimeout(self)
        with self._translated(OPENING):
            self._container: InputContainer = av.open(
                url,
                options=options or {},
                metadata_errors=_METADATA_ERRORS,
                timeout=(open_timeout_s, limit),  # type: ignore[arg-type]
            )
            self._sound = self._container.streams.best("audio") if sound else None
            try:
                self._stream = self._film(url)
            except SourceUnreadable:
                self._container.close()
                raise
        # Threads for whole frames would hold back one picture each.
        self._stream.thread_type = "SLICE" if live else "AUTO"
        late = self.format in _CUT_AT_THE_NEXT and self.info.codec != "mjpeg"
        self._arrivals = Arrivals(late=late)

    @property
    def info(self) -> VideoInfo:
        """Codec, size and rate as the container declares them; `probe` has the size as shown."""
        stream = self._stream
        context = stream.codec_context
        rate = stream.average_rate or stream.guessed_rate
        return VideoInfo(context.name, context.width, context.height, float(rate or 0), stream.frames)

    @property
    def format(self) -> str:
        """FFmpeg's name of the container, such as ``rtsp`` or ``mov,mp4,m4a,3gp,3g2,mj2``."""
        return str(self._container.format.name)

    @property
    def is_recording(self) -> bool:
        """True if it states how long it is, so that its end is no loss."""
        return self._container.duration is not None

    @property
    def last_byte(self) -> int:
        """End of the last packet in bytes, by the container's index; 0 without an index."""
        entries = self._stream.index_entries
        return max((entry.pos + entry.size for entry in entries), default=0)

    def probe(self) -> VideoInfo | None:
        """Decode the first picture: `info` with its size, upright; None if there is none."""
        first = next((picture for _, picture in self.pictures()), None)
        return None if first is None else replace(self.info, width=first.width, height=first.height)

    def pictures(self) -> Iterator[tuple[float | None, DecodedPicture]]:
        """Iterate over pictures in display order, each with its time in seconds, if it has one.

        Ends when the container ends; on a live stream that means that the server went away.
        Skips packets that do not decode and counts them in ``corrupt_packets``.

        Raises:
            SourceStalled: Nothing came within the read time-out.
            SourceUnavailable: The connection broke.
            SourceUnreadable: The data is no longer a video, or its pictures have no size that a
                camera has.
        """
        with self._translated("broke off"):
            since: deque[EncodedPacket] = deque(maxlen=_MAX_PACKETS)
            heard: deque[EncodedPacket] = deque(maxlen=_MAX_PACKETS)
            seen_s = time.monotonic()
            for packet in self._packets():
                # By its stream: the last packet, which empties a decoder, has no index of its own.
                if packet.stream.index != self._stream.index:
                    if packet.size:
                        heard.append(EncodedPacket(packet))
                    self._refuse_sound_alone(time.monotonic() - seen_s)
                    continue
                seen_s = time.monotonic()
                if self._live:
                    self._arrivals.note(packet.pts)
                if packet.size:
                    since.append(EncodedPacket(packet, self._sound))
                for frame in self._decode(packet):
                    held_s = self._arrivals.held_s(frame.pts) if self._live else 0.0
                    encoded = Encoded(frame.time, tuple(since), tuple(heard))
                    since.clear()
                    heard.clear()
                    picture = DecodedPicture(frame, self._converter, held_s, encoded)
                    self._refuse_odd_size(picture)
                    yield frame.time, picture

    def _packets(self) -> Iterator["av.Packet[Any]"]:
        wanted = [self._stream] if self._sound is None else [self._stream, self._sound]
        if not self._live:
            yield from self._container.demux(*wanted)
            return
        while True:
            # PyAV reads the time-out when it begins to demultiplex, and so it begins anew.
            packets = self._container.demux(*wanted)
            packet = next(packets)
            yield packet
            if packet.dts is None and not packet.size:  # the end: one a stream empties its decoder
                yield from packets
                return

    def _refuse_sound_alone(self, silent_s: float) -> None:
        """The sound of a camera whose picture is frozen is no sign of life."""
        if self._live and self.read_timeout_s is not None and silent_s > self.read_timeout_s:
            raise SourceStalled(f"{self._name} sent sound and no picture for {silent_s:.1f} s")

    def _decode(self, packet: "av.Packet[VideoStream]") -> list[VideoFrame]:
        try:
            return list(packet.decode())
        except av.error.InvalidDataError:
            self.corrupt_packets += 1
            return []

    def _film(self, url: str) -> VideoStream:
        """The stream of moving pictures.

        Raises:
            SourceUnreadable: There is none that can be decoded.
        """
        streams = [s for s in self._container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams:
            raise SourceUnreadable(f"{self._name} has no video stream")
        if len(streams) > 1:
            # What is live cannot be looked at twice.
            best = self._container.streams.best("video")
            packets = Counter({best.index: 1}) if self._live and best else _count_packets(url)
            streams.sort(key=lambda stream: -packets[stream.index])
        if streams[0].codec_context is None:
            raise SourceUnreadable(f"{self._name} has a video stream of a codec that is not known")
        return streams[0]

    def _refuse_odd_size(self, picture: DecodedPicture) -> None:
        short, long = sorted((picture.width, picture.height))
        if short < _MIN_SIDE or long > _MAX_ASPECT * short or short * long > _MAX_PIXELS:
            raise SourceUnreadable(
                f"{self._name} has pictures of {picture.width}x{picture.height} pixels; a camera's have "
                f"sides of at least {_MIN_SIDE}, one at most {_MAX_ASPECT} times the other"
            )

    @contextlib.contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            # `from None`: the vendor's exception repeats the URL with its password.
            raise source_error(error, self._name, doing, live=self._live) from None

    def close(self) -> None:
        """Close the container."""
        self._container.close()


def speaks(protocol: str) -> bool:
    """True if this FFmpeg has a network protocol, such as ``srt``; nothing is contacted."""
    try:
        av.open(f"{protocol}://", timeout=0.1).close()
    except av.error.ProtocolNotFoundError:
        return False
    except (av.error.FFmpegError, OSError):
        return True
    return True


class _ReadTimeout:
    """The read time-out of a reader as a number that can change."""

    def __init__(self, reader: VideoReader) -> None:
        self._reader = reader

    def __float__(self) -> float:
        limit = self._reader.read_timeout_s
        return -1.0 if limit is None else float(limit)


def _count_packets(url: str) -> Counter[int]:
    """How many of a file's first packets belong to each stream."""
    found: Counter[int] = Counter()
    with av.open(url, metadata_errors=_METADATA_ERRORS) as container:
        for packet in container.demux(video=tuple(range(len(container.streams.video)))):
            found[packet.stream_index] += 1
            if found.total() >= _PEEK_PACKETS:
                break
    return found
