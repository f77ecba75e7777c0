"""What a segment is made of: a stream's own packets, or pictures that are encoded here."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from flows.stream.sources.media_clock import MediaClock
from streetloop.types import Frame
from streetloop.video import Encoded, EncodedPacket, SegmentWriter, VideoWriter


class Piece(NamedTuple):
    """What is written to a segment at once.

    Attributes:
        time_s: When, in seconds on a time line that only rises.
        can_begin: True if a segment can begin with it.
        packet: The packet; None for a picture.
        frame: The frame that came with it.
        is_sound: True for a packet of sound.
    """

    time_s: float
    can_begin: bool
    packet: EncodedPacket | None
    frame: Frame
    is_sound: bool = False


class Footage(Protocol):
    """Writes the pieces of one connection to the file that is open.

    Attributes:
        codec: FFmpeg's name of what is written.
        size: Width and height of the pictures in pixels.
        must_cut: True if the next segment has to begin as soon as one can.
    """

    codec: str
    size: tuple[int, int]
    must_cut: bool

    def pieces(self, frame: Frame, encoded: Encoded | None, wanted: bool, fps: float) -> Iterator[Piece]:
        """What came with a frame, in its order; see `Recorder.take` for the arguments."""

    def open(self, path: Path, first: Piece) -> None:
        """Begin a file.

        Raises:
            StoreError: It cannot be written.
        """

    def write(self, piece: Piece, at_s: float) -> None:
        """Append a piece to the file, at a second of it.

        Raises:
            StoreError: It cannot be written.
        """

    def placed_s(self, frame: Frame, encoded: Encoded | None) -> float | None:
        """Where a frame is on the time line; None if its stamps do not say."""

    def close(self) -> None:
        """Finish the file, if one is open.

        Raises:
            StoreError: It cannot be written.
        """


class RemuxedFootage:
    """`Footage` of a stream's own packets.

    Args:
        live: False for a source without a pace of its own.
    """

    def __init__(self, *, live: bool = True) -> None:
        self.codec, self.must_cut, self.size = "", False, (0, 0)
        self._timeline = MediaClock() if live else MediaClock(jump_s=math.inf)
        self._shift: float | None = None
        self._headers: bytes | None = None
        self._writer: SegmentWriter | None = None

    def pieces(self, frame: Frame, encoded: Encoded | None, wanted: bool, fps: float) -> Iterator[Piece]:  # noqa: ARG002
        """See `Footage.pieces`; every packet is kept, whatever the rate limit says."""
        for packet in encoded.packets if encoded is not None else ():
            gaps = self._timeline.gaps
            own_s = packet.time_s
            time_s = self._timeline.stamp(own_s, frame.arrived_s, fps)
            # Stamps that leaped no longer say where in the segment a picture is.
            self.must_cut = self.must_cut or self._timeline.gaps > gaps
            self._shift = None if own_s is None else time_s - own_s
            if packet.is_key:
                self._look_at(packet)
            yield Piece(time_s, packet.is_key, packet, frame)
        for packet in encoded.sound if encoded is not None else ():
            if self._shift is not None and packet.time_s is not None:
                yield Piece(packet.time_s + self._shift, False, packet, frame, is_sound=True)

    def open(self, path: Path, first: Piece) -> None:
        """See `Footage.open`."""
        assert first.packet is not None
        size = None if self.size == first.packet.stream_size else self.size
        self._writer = SegmentWriter(path, first.packet, self._headers, size)
        self.codec, self.must_cut = first.packet.codec, False

    def _look_at(self, key: EncodedPacket) -> None:
        """Notice that the pictures of a stream have another size from here on."""
        headers, before = key.headers, self.size
        if before == (0, 0):
            self.size = key.stream_size
        if headers is not None and headers != self._headers:
            self._headers = headers
            self.size = key.size_by(headers) or self.size
        self.must_cut = self.must_cut or (before != (0, 0) and self.size != before)

    def write(self, piece: Piece, at_s: float) -> None:
        """See `Footage.write`."""
        assert self._writer is not None
        assert piece.packet is not None
        if piece.is_sound:
            self._writer.write_sound(piece.packet, at_s)
        else:
            self._writer.write(piece.packet, at_s)

    def placed_s(self, frame: Frame, encoded: Encoded | None) -> float | None:  # noqa: ARG002
        """See `Footage.placed_s`."""
        if encoded is None or encoded.time_s is None or self._shift is None:
            return None
        return encoded.time_s + self._shift

    def close(self) -> None:
        """See `Footage.close`."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


class EncodedFootage:
    """`Footage` of pictures, encoded once; those beyond the camera's rate are left out."""

    def __init__(self) -> None:
        self.codec, self.must_cut, self.size = "h264", False, (0, 0)
        self._writer: VideoWriter | None = None

    def pieces(self, frame: Frame, encoded: Encoded | None, wanted: bool, fps: float) -> Iterator[Piece]:  # noqa: ARG002
        """See `Footage.pieces`."""
        size = frame.picture.width, frame.picture.height
        self.must_cut = self.must_cut or size != self.size
        self.size = size
        if wanted:
            yield Piece(frame.pts, True, None, frame)

    def open(self, path: Path, first: Piece) -> None:  # noqa: ARG002
        """See `Footage.open`."""
        self._writer, self.must_cut = VideoWriter(path, growing=True), False

    def write(self, piece: Piece, at_s: float) -> None:
        """See `Footage.write`."""
        assert self._writer is not None
        self._writer.write(piece.frame.picture.bgr(), at_s)

    def placed_s(self, frame: Frame, encoded: Encoded | None) -> float | None:  # noqa: ARG002
        """See `Footage.placed_s`."""
        return frame.pts

    def close(self) -> None:
        """See `Footage.close`."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
