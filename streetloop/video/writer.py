"""H.264 MP4 files, written frame by frame."""

import contextlib
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
from av.video.frame import PictureType, VideoFrame

from streetloop.errors import StoreError
from streetloop.types import Image
from streetloop.video.closing import Closing
from streetloop.video.reader import VideoReader
from streetloop.video.segment import FRAGMENTS

_KEY_EVERY_S = 2.0


class VideoWriter(Closing):
    """Writes an H.264 MP4 whose frames keep their own times.

    The size is that of the first picture; later ones are scaled to it.

    Args:
        path: The file; missing folders are made.
        crf: x264's constant rate factor, 0 to 51; lower looks better and makes a larger file.
        growing: True keeps the file readable while it grows, up to its last two seconds.
    """

    _TIME_BASE = Fraction(1, 90_000)

    def __init__(self, path: Path, crf: int = 26, *, growing: bool = False) -> None:
        self._path = path
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            movie = FRAGMENTS if growing else {"movflags": "+faststart"}
            self._container = av.open(str(path), "w", options=movie)
        options = {"preset": "ultrafast", "crf": str(crf)}
        self._stream = self._container.add_stream("libx264", rate=25, options=options)
        if growing:
            # No picture waits in the encoder, and one of many cameras takes one core.
            self._stream.options = {**options, "tune": "zerolatency"}
            self._stream.codec_context.thread_count = 1
        self._key_every_s = _KEY_EVERY_S if growing else math.inf
        self._next_key_s = -math.inf
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
        if time_s >= self._next_key_s:
            frame.pict_type = PictureType.I
            self._next_key_s = time_s + self._key_every_s
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


def write_h264(source: Path, out: Path) -> None:
    """Encode the pictures of a video anew as H.264, for browsers that do not play its codec.

    Args:
        source: The video.
        out: The file; its pictures keep their times.

    Raises:
        SourceError: The video cannot be read.
        StoreError: The file cannot be written.
    """
    with VideoReader(str(source), source.name) as reader, VideoWriter(out, crf=23) as writer:
        last_s = -math.inf
        for time_s, picture in reader.pictures():
            if time_s is not None and time_s > last_s:
                writer.write(picture.bgr(), time_s)
                last_s = time_s
