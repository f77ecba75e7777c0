"""One MP4 of several, without encoding anything again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
import av.error

from streetloop.errors import StoreError

_TIME_BASE = Fraction(1, 90_000)
_SOUND_IS_LATE_S = 1  # behind the pictures with which it is heard, in a file
_Streams: TypeAlias = Sequence[Any]  # of pictures, then of sound if it is kept


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a file.

    Attributes:
        path: The file.
        start_s: Its begin in seconds of the file; it begins at the key frame at or before it.
        end_s: Its end; pictures from there on are left out.
    """

    path: Path
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Joined:
    """Where a part is in the joined file.

    Attributes:
        at_s: Where it begins there, in seconds.
        start_s: With which second of its own file it begins.
        end_s: With which it ends.
    """

    at_s: float
    start_s: float
    end_s: float


def can_join(paths: Sequence[Path]) -> bool:
    """True if one decoder can play the packets of all files: same codec, size and headers."""
    kinds = set()
    for path in paths:
        with _opened(path) as container:
            context = container.streams.video[0].codec_context
            kinds.add((context.name, context.width, context.height, bytes(context.extradata or b"")))
    return len(kinds) <= 1


def has_sound(path: Path) -> bool:
    """True if a file has sound beside its pictures."""
    with _opened(path) as container:
        return bool(container.streams.audio)


def join(parts: Sequence[Part], out: Path) -> list[Joined]:
    """Write the parts into one file, each right behind the one before.

    Args:
        parts: At least one; `can_join` of their files is true.
        out: The file.

    Raises:
        StoreError: A part cannot be read, or the file not written.
    """
    try:
        with av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as target:
            joiner = _Joiner(target, _have_like_sound([part.path for part in parts]))
            placed = [joiner.append(part) for part in parts]
    except (av.error.FFmpegError, OSError) as error:
        raise StoreError(f"{out} cannot be written: {error}") from error
    return placed


def _have_like_sound(paths: Sequence[Path]) -> bool:
    """True if all files have sound that one decoder can play."""
    kinds: set[object] = set()
    for path in paths:
        with _opened(path) as container:
            if not container.streams.audio:
                return False
            context = container.streams.audio[0].codec_context
            headers = bytes(context.extradata or b"")
            kinds.add((context.name, context.sample_rate, context.layout.name, headers))
    return len(kinds) == 1


class _Joiner:
    """Appends parts to a file, one behind the other.

    Args:
        target: The file.
        with_sound: Append the sound that is heard with the pictures, too.
    """

    def __init__(self, target: "av.container.OutputContainer", with_sound: bool) -> None:
        self._target, self._with_sound = target, with_sound
        self._streams: _Streams = ()
        self._at = self._heard = Fraction(0)

    def append(self, part: Part) -> Joined:
        """Append a part; where it is."""
        with _opened(part.path) as source:
            own = [source.streams.video[0], *source.streams.audio[: int(self._with_sound)]]
            if not self._streams:
                self._streams = [self._target.add_stream_from_template(one) for one in own]
            return self._append(part, own, source)

    def _append(self, part: Part, own: _Streams, source: "av.container.InputContainer") -> Joined:
        first: Fraction | None = None
        shift = begin = end = Fraction(0)
        for packet in _from_key(part, own, source):
            pts, dts = (packet.pts or 0) * packet.time_base, (packet.dts or 0) * packet.time_base
            if packet.stream_index != own[0].index:
                if first is not None and begin <= pts < part.end_s:
                    self._write_sound(packet, pts + shift)
                continue
            if first is None:
                first, begin = dts, pts
                shift = self._at - dts
            if pts >= part.end_s + _SOUND_IS_LATE_S and packet.is_keyframe:
                break
            if pts >= part.end_s:
                continue
            end = max(end, pts + (packet.duration or 0) * packet.time_base)
            self._write(packet, 0, pts + shift, dts + shift)
        self._at = max(self._at, end + shift)
        return Joined(float(begin + shift), float(begin), float(end))

    def _write_sound(self, packet: "av.Packet[Any]", pts: Fraction) -> None:
        """Write sound, but what a part has beyond its last picture, where the next one begins."""
        if pts >= self._heard:
            self._heard = pts + (packet.duration or 1) * packet.time_base
            self._write(packet, 1, pts, pts)

    def _write(self, packet: "av.Packet[Any]", stream: int, pts: Fraction, dts: Fraction) -> None:
        packet.stream, packet.time_base = self._streams[stream], _TIME_BASE
        packet.pts, packet.dts, packet.duration = round(pts / _TIME_BASE), round(dts / _TIME_BASE), 0
        self._target.mux(packet)


def _from_key(part: Part, own: _Streams, source: "av.container.InputContainer") -> Iterator["av.Packet[Any]"]:
    """Packets from the last key frame at or before the begin of a part."""
    waiting: list[av.Packet[Any]] = []
    began = False
    for packet in source.demux(*own):
        if packet.pts is None or packet.dts is None:
            continue
        if not began:
            is_sound = packet.stream_index != own[0].index
            if is_sound:
                waiting.append(packet)
                continue
            if packet.is_keyframe and packet.pts * packet.time_base <= part.start_s:
                waiting = []
            waiting.append(packet)
            if packet.pts * packet.time_base < part.start_s:
                continue
            began = True
            yield from waiting
            waiting = []
            continue
        yield packet


def _opened(path: Path) -> "av.container.InputContainer":
    try:
        return av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
