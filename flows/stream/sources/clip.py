"""Recorded clips, played as if they were live cameras.

``file:///clips/a40.mp4?loop=1&fps=25`` with the options

- ``loop=1``: start over at the end; times keep rising;
- ``fps=25``: play at this rate instead of the recorded one;
- ``live=0``: play as fast as the frames are analysed, and lose none;
- ``drop=10:5``: lose the connection at second 10 for 5 seconds;
- ``stall=10:5``: the same, but hang first, as a frozen camera does.
"""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from flows.stream.sources.media_clock import MediaClock
from flows.stream.sources.source import SourceFrame
from streetloop.cameras.camera_file import MAX_FPS, MIN_FPS
from streetloop.clock import Clock
from streetloop.errors import ConfigError, SourceError, SourceStalled, SourceUnavailable, SourceUnreadable
from streetloop.host.paths import PathKind, kind_of
from streetloop.secrets import redact
from streetloop.video import VideoInfo, VideoReader

STALL_S = 2.5
"""Seconds that a stalled source is silent before it counts as lost."""

_JUMP_S = 3.0  # a recorded pause may last so long; what leaps further was joined from two recordings


@dataclass(frozen=True, slots=True)
class ClipOptions:
    """The options of a clip's URI.

    Attributes:
        loop: Start over at the end.
        fps: Pictures a second; None plays at the recorded rate.
        live: Pace the pictures; False reads as fast as they are analysed.
        drop: Scripted loss, (start, length) in seconds since the first `ClipSource.read`.
        stall: Scripted stall, likewise.
    """

    loop: bool = False
    fps: float | None = None
    live: bool = True
    drop: tuple[float, float] | None = None
    stall: tuple[float, float] | None = None


def parse_clip_uri(uri: str) -> tuple[Path, ClipOptions]:
    """Path and options of a ``file://`` URI.

    >>> parse_clip_uri("file:///clips/a.mp4?loop=1&fps=12.5")[1].fps
    12.5

    Raises:
        ConfigError: The URI has a host, no path, or an option that is unknown or malformed.
    """
    shown = redact(uri)
    if "#" in uri:
        raise ConfigError(f"{shown}: write # as %23")
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise ConfigError(f"{shown}: is no valid URI") from None
    if parts.netloc or not parts.path.startswith("/"):
        raise ConfigError(f"{shown}: write a clip as file:///absolute/path.mp4")
    read = {"loop": _flag, "fps": _rate, "live": _flag, "drop": _outage, "stall": _outage}
    options: dict[str, object] = {}
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        if key not in read:
            raise ConfigError(f"{shown}: unknown option {key!r}; known are {', '.join(read)}")
        try:
            options[key] = read[key](value)
        except ValueError:
            raise ConfigError(f"{shown}: {key}={value!r} is not understood") from None
    return Path(unquote(parts.path)), ClipOptions(**options)  # type: ignore[arg-type]


def _flag(text: str) -> bool:
    if text not in {"0", "1"}:
        raise ValueError(text)
    return text == "1"


def _rate(text: str) -> float:
    rate = float(text)
    if not MIN_FPS <= rate <= MAX_FPS:
        raise ValueError(text)
    return rate


def _outage(text: str) -> tuple[float, float]:
    start, length = (float(part) for part in text.split(":"))
    if not (0 <= start < math.inf and 0 < length < math.inf):
        raise ValueError(text)
    return start, length


class ClipSource:
    """A `Source` that reads a video file.

    Args:
        path: The file.
        options: How it is played.
        clock: Paces the pictures.
        sound: See `VideoReader`.
    """

    def __init__(self, path: Path, options: ClipOptions, clock: Clock, *, sound: bool = False) -> None:
        self._sound = sound
        self._path = path
        self._options = options
        self._clock = clock
        self._began: float | None = None
        self.live = options.live
        self.nominal_fps = options.fps or 0.0

    def probe(self) -> VideoInfo:
        """See `Source.probe`."""
        with self._open() as reader:
            size = self._path.stat().st_size
            if reader.last_byte > size:
                raise SourceUnreadable(
                    f"{self._path} is cut short: it has {size} of {reader.last_byte} bytes"
                )
            info = reader.probe()
            if info is None:
                raise SourceUnreadable(f"{self._path} holds no picture")
            return info

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`; the time goes on evenly where stamps of the file leap or restart."""
        began = self._clock.monotonic()
        self._began = began if self._began is None else self._began
        self._refuse_during_outage()
        timeline = MediaClock(_JUMP_S)
        while not stop.is_set():
            with self._open() as reader:
                self.nominal_fps = self._options.fps or reader.info.fps
                timeline.reconnected()
                for time_s, picture in reader.pictures():
                    own = None if self._options.fps else time_s
                    gaps = timeline.gaps
                    media_s = timeline.stamp(own, 0.0, self.nominal_fps)
                    if not self._pace(began + media_s, stop):
                        return
                    encoded = None if self._options.fps else picture.encoded
                    yield SourceFrame(media_s, picture, gap=timeline.gaps > gaps, encoded=encoded)
            if not self._options.loop:
                return

    def is_final(self, error: SourceError) -> bool:
        """See `Source.is_final`: only a scripted outage ends by itself."""
        return not isinstance(error, _ScriptedOutage | SourceStalled)

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """See `Source.wait_for_return`."""
        self._clock.wait(stop, timeout_s)

    def _open(self) -> VideoReader:
        kind = kind_of(self._path, SourceUnreadable)
        if kind is PathKind.NOTHING:
            raise SourceUnreadable(f"{self._path} does not exist")
        if kind is PathKind.FOLDER:
            raise SourceUnreadable(f"{self._path} is a folder, not a video")
        if kind is not PathKind.FILE:
            raise SourceUnreadable(f"{self._path} is a pipe, socket or device, not a file")
        if self._path.stat().st_size == 0:
            raise SourceUnreadable(f"{self._path} is empty")
        return VideoReader(str(self._path), str(self._path), sound=self._sound)

    def _pace(self, due: float, stop: threading.Event) -> bool:
        """Wait until the picture is due; False if ``stop`` was set."""
        if self._options.live:
            wait = due - self._clock.monotonic()
            if wait > 0 and self._clock.wait(stop, wait):
                return False
        self._refuse_during_outage(hang=stop)
        return not stop.is_set()

    def _refuse_during_outage(self, hang: threading.Event | None = None) -> None:
        elapsed = self._clock.monotonic() - (self._began or 0.0)
        if _within(self._options.drop, elapsed):
            raise _ScriptedOutage(f"{self._path}: scripted loss of the stream")
        if _within(self._options.stall, elapsed):
            if hang is not None:
                self._clock.wait(hang, STALL_S)
            raise SourceStalled(f"{self._path}: scripted stall of the stream")


class _ScriptedOutage(SourceUnavailable):
    """The scripted loss of the URI."""


def _within(outage: tuple[float, float] | None, elapsed: float) -> bool:
    return outage is not None and outage[0] <= elapsed < outage[0] + outage[1]
