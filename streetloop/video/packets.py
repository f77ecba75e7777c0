"""Encoded data of a video stream, as the demultiplexer gave it out."""

from typing import Any, NamedTuple

import av
import av.error
from av.bitstream import BitStreamFilterContext

BROWSER_CODECS = frozenset({"h264", "hevc", "av1", "vp9"})
"""Codecs that are kept as they are: MP4 holds them, and a browser may play them."""

_BY_LENGTH = b"\x01"  # first byte of a stream's headers if packets are parted by lengths, and have none
_HEADERS: Any = "new_extradata"


class EncodedPacket:
    """A packet of a stream. Usable as long as its stream is open.

    Args:
        packet: PyAV's.
        sound: PyAV's stream of the sound that comes with its pictures; None if none is wanted.
    """

    __slots__ = ("_packet", "sound")

    def __init__(self, packet: "av.Packet[Any]", sound: Any = None) -> None:
        self._packet, self.sound = packet, sound

    @property
    def vendor(self) -> "av.Packet[Any]":
        """PyAV's packet, for this adapter alone; writing it to a file changes it."""
        return self._packet

    @property
    def time_s(self) -> float | None:
        """When it is to be decoded, in seconds from any origin; None without a stamp."""
        stamp = self._packet.dts if self._packet.dts is not None else self._packet.pts
        return None if stamp is None else float(stamp * self._packet.time_base)

    @property
    def is_key(self) -> bool:
        """True if decoding can begin here."""
        return bool(self._packet.is_keyframe)

    @property
    def stream_size(self) -> tuple[int, int]:
        """Width and height in pixels with which its stream began."""
        context = self._packet.stream.codec_context
        return context.width, context.height

    @property
    def headers(self) -> bytes | None:
        """The parameter sets that it carries; None if it has none, or the container has them."""
        stream = self._packet.stream
        if (stream.codec_context.extradata or b"").startswith(_BY_LENGTH):
            return None
        copy = av.Packet(bytes(self._packet))  # the filter takes what it is given
        try:
            parted = BitStreamFilterContext("extract_extradata", stream).filter(copy)
            found = [p.get_sidedata(_HEADERS) for p in parted if p.has_sidedata(_HEADERS)]
        except (av.error.FFmpegError, ValueError):
            return None  # of a codec that has none
        return bytes(found[0]) if found else None

    def size_by(self, headers: bytes) -> tuple[int, int] | None:
        """Width and height of a key packet's picture; None if it does not decode."""
        decoder: Any = av.CodecContext.create(self.codec, "r")
        decoder.extradata = headers
        try:
            frames = [*decoder.decode(self._packet), *decoder.decode(None)]
        except av.error.FFmpegError:
            return None
        return (frames[0].width, frames[0].height) if frames else None

    @property
    def codec(self) -> str:
        """FFmpeg's name of the stream's codec, such as ``h264``."""
        return str(self._packet.stream.codec_context.name)


class Encoded(NamedTuple):
    """What a picture was decoded from.

    Attributes:
        time_s: The picture's own stamp in seconds, on the time line of the packets.
        packets: All packets since the picture before, in the order of decoding: often one, and
            none or several where pictures depend on later ones.
        sound: The packets of sound since the picture before; none unless they were asked for.
    """

    time_s: float | None
    packets: tuple[EncodedPacket, ...]
    sound: tuple[EncodedPacket, ...] = ()
