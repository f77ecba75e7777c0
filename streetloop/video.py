"""Video in and out: the only adapter of PyAV."""

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.error
import cv2
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from streetloop.errors import (
    SourceError,
    SourceRefused,
    SourceStalled,
    SourceUnavailable,
    SourceUnreadable,
    StoreError,
)
from streetloop.secrets import redact
from streetloop.types import Image

_PLANAR = {"yuv420p", "yuvj420p", "nv12", "yuv422p", "yuvj422p", "yuv444p", "gray"}
TRANSLATED: dict[type[Exception], type[SourceError]] = {
    av.error.HTTPUnauthorizedError: SourceRefused,
    av.error.HTTPForbiddenError: SourceRefused,
    av.error.EOFError: SourceUnreadable,  # the file ends within its header
    av.error.InvalidDataError: SourceUnreadable,
    av.error.DemuxerNotFoundError: SourceUnreadable,
    av.error.DecoderNotFoundError: SourceUnreadable,
    av.error.PatchWelcomeError: SourceUnreadable,
    av.error.IsADirectoryError: SourceUnreadable,
    av.error.ExitError: SourceStalled,  # PyAV's own time-out
    av.error.TimeoutError: SourceStalled,  # the protocol's
    av.error.FFmpegError: SourceUnavailable,
    OSError: SourceUnavailable,
}
"""What PyAV raises while it reads, and what that becomes; the nearest base class counts."""


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


class DecodedPicture:
    """A `streetloop.types.Picture` over a decoder's frame; converted on demand."""

    __slots__ = ("_bgr", "_converter", "_frame")

    def __init__(self, frame: VideoFrame, converter: "_Converter") -> None:
        self._frame = frame
        self._converter = converter
        self._bgr: Image | None = None

    @property
    def width(self) -> int:
        """See `Picture.width`."""
        return self._frame.width

    @property
    def height(self) -> int:
        """See `Picture.height`."""
        return self._frame.height

    def bgr(self) -> Image:
        """See `Picture.bgr`; converted once."""
        if self._bgr is None:
            self._bgr = self._converter.bgr(self._frame)
        return self._bgr

    def luma(self) -> Image:
        """See `Picture.luma`; a view of the decoder's own plane where it has one."""
        if self._frame.format.name not in _PLANAR:
            gray: Image = cv2.cvtColor(self.bgr(), cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
            return gray
        plane = self._frame.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * self.height]
        return rows.reshape(self.height, plane.line_size)[:, : self.width]


class _Converter:
    """Converts frames to BGR; keeps the tables of the first, which take a millisecond to make."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reformatter = VideoReformatter()

    def bgr(self, frame: VideoFrame) -> Image:
        with self._lock:
            converted = self._reformatter.reformat(frame, format="bgr24")
        return converted.to_ndarray().astype(np.uint8, copy=False)


class _Closing(ABC):
    """Closes itself at the end of a ``with`` block."""

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()


class VideoReader(_Closing):
    """Reads the first video stream of a file or a URL.

    Args:
        url: What FFmpeg opens; may hold credentials.
        name: Stands for the URL in messages.
        options: FFmpeg's options of the demuxer and protocol.
        open_timeout_s: Longest wait for an answer; None for no limit (files).
        read_timeout_s: Longest wait for data; None for no limit. Shorter reports a dead camera
            sooner, and a slow one as dead.
        live: True for a network stream, whose silence FFmpeg may report as bad data.

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
    ) -> None:
        self._name = name
        self._live = live
        self._converter = _Converter()
        self.corrupt_packets = 0
        with self._translated("cannot be opened"):
            self._container: InputContainer = av.open(
                url, options=options or {}, timeout=(open_timeout_s, read_timeout_s)
            )
        try:
            self._stream: VideoStream = self._container.streams.video[0]
        except IndexError:
            self._container.close()
            raise SourceUnreadable(f"{name} has no video stream") from None
        self._stream.thread_type = "AUTO"

    @property
    def info(self) -> VideoInfo:
        """Codec, size and rate as the container declares them."""
        stream = self._stream
        context = stream.codec_context
        rate = stream.average_rate or stream.guessed_rate
        return VideoInfo(context.name, context.width, context.height, float(rate or 0), stream.frames)

    @property
    def last_byte(self) -> int:
        """End of the last packet in bytes, by the container's index; 0 without an index."""
        entries = self._stream.index_entries
        return max((entry.pos + entry.size for entry in entries), default=0)

    def pictures(self) -> Iterator[tuple[float | None, DecodedPicture]]:
        """Iterate over pictures in display order, each with its time in seconds, if it has one.

        Ends when the container ends; on a live stream that means that the server went away.
        Skips packets that do not decode and counts them in ``corrupt_packets``.

        Raises:
            SourceStalled: Nothing came within the read time-out.
            SourceUnavailable: The connection broke.
            SourceUnreadable: The data is no longer a video.
        """
        with self._translated("broke off"):
            for packet in self._container.demux(self._stream):
                for frame in self._decode(packet):
                    yield frame.time, DecodedPicture(frame, self._converter)

    def _decode(self, packet: "av.Packet[VideoStream]") -> list[VideoFrame]:
        try:
            return list(packet.decode())
        except av.error.InvalidDataError:
            self.corrupt_packets += 1
            return []

    @contextlib.contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            if self._live and isinstance(error, av.error.InvalidDataError):
                raise SourceStalled(f"{self._name} {doing}: it does not answer") from None
            if self._live and isinstance(error, av.error.EOFError):
                raise SourceUnavailable(f"{self._name} {doing}: it hung up") from None
            # `from None`: the vendor's exception repeats the URL with its password.
            raise _source_error(error, self._name, doing) from None

    def close(self) -> None:
        """Close the container."""
        self._container.close()


def _source_error(error: Exception, name: str, doing: str) -> SourceError:
    """The vendor's exception as ours; its text is redacted, for it may repeat the URL."""
    reason = redact(getattr(error, "strerror", None) or str(error))
    kind = next(TRANSLATED[base] for base in type(error).__mro__ if base in TRANSLATED)
    sentences = {
        SourceRefused: f"{name} {doing}: wrong user or password ({reason})",
        SourceUnreadable: f"{name} is not a readable video, or is cut short ({reason})",
        SourceStalled: f"{name} {doing}: no data within the time-out",
        SourceUnavailable: f"{name} {doing}: {reason}",
    }
    return kind(sentences[kind])


class VideoWriter(_Closing):
    """Writes an H.264 MP4 whose frames keep their own times.

    The size is that of the first picture; later ones are scaled to it.

    Args:
        path: The file; missing folders are made.
        crf: x264's constant rate factor, 0 to 51; lower looks better and makes a larger file.
    """

    _TIME_BASE = Fraction(1, 90_000)

    def __init__(self, path: Path, crf: int = 26) -> None:
        self._path = path
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(path), "w", options={"movflags": "+faststart"})
        self._stream = self._container.add_stream(
            "libx264", rate=25, options={"preset": "ultrafast", "crf": str(crf)}
        )
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = self._TIME_BASE
        self._stream.codec_context.time_base = self._TIME_BASE
        self._size: tuple[int, int] | None = None

    def write(self, image: Image, time_s: float) -> None:
        """Append an image.

        Args:
            image: (height, width, 3) uint8, blue first.
            time_s: When it is shown, in seconds; later than the one before.

        Raises:
            StoreError: The file cannot be written.
        """
        if self._size is None:
            height, width = image.shape[:2]
            # H.264 with 4:2:0 colour wants even sides.
            self._size = (max(2, width - width % 2), max(2, height - height % 2))
            self._stream.width, self._stream.height = self._size
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size).astype(np.uint8, copy=False)
        frame = VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts = round(time_s / self._TIME_BASE)
        frame.time_base = self._TIME_BASE
        with self._translated():
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is buffered and finish the file.

        Raises:
            StoreError: The file cannot be written.
        """
        with self._translated():
            if self._size is not None:
                self._container.mux(self._stream.encode(None))
            self._container.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            raise StoreError(f"{self._path} cannot be written: {error}") from error
