"""A folder that clips are dropped into: ``watch:///clips``; each is played once."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from flows.stream.sources.clip import ClipOptions, ClipSource
from flows.stream.sources.media_clock import MediaClock
from flows.stream.sources.source import SourceFrame
from streetloop.clock import Clock
from streetloop.errors import ConfigError, SourceError, SourceUnavailable
from streetloop.secrets import redact
from streetloop.video import VideoInfo

_LOOK_EVERY_S = 1.0
_SUFFIXES = {".mp4", ".mkv", ".mov", ".avi", ".ts", ".m4v", ".webm", ".mpg", ".mpeg"}
_Look = tuple[int, int]  # size and time of the last change

_log = logging.getLogger(__name__)


def parse_watch_uri(uri: str) -> Path:
    """The folder of a ``watch://`` URI.

    >>> parse_watch_uri("watch:///clips/north%20gate").name
    'north gate'

    Raises:
        ConfigError: It names no absolute folder, or has an option.
    """
    parts = urlsplit(uri)
    if parts.netloc or not parts.path.startswith("/"):
        raise ConfigError(f"{redact(uri)}: write a folder as watch:///absolute/path")
    if parse_qsl(parts.query, keep_blank_values=True):
        raise ConfigError(f"{redact(uri)}: takes no options")
    return Path(unquote(parts.path))


class WatchedFolderSource:
    """A `Source` of the clips of a folder, in the order of their names, and of those that come.

    A clip is played as fast as its frames are analysed, once it has not grown for a second. One
    that cannot be played is passed over, and the log says why. What was played is remembered as
    long as this source is there; a clip that is replaced is played again.

    Args:
        uri: See `parse_watch_uri`.
        clock: Paces the looks.

    Raises:
        ConfigError: The URI is malformed.
    """

    live = False

    def __init__(self, uri: str, clock: Clock) -> None:
        self._folder = parse_watch_uri(uri)
        self._clock = clock
        self._played: dict[Path, _Look] = {}
        self.nominal_fps = 0.0

    def probe(self) -> VideoInfo:
        """See `Source.probe`: of the first clip that is there.

        Raises:
            SourceUnavailable: There is none yet, or no folder.
        """
        first = next(iter(self._clips()), None)
        if first is None:
            raise SourceUnavailable(f"{self._folder} holds no clip yet")
        return self._open(first).probe()

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`; ends only after ``stop``."""
        timeline = MediaClock()
        before: dict[Path, _Look] = {}
        while not stop.is_set():
            now = self._clips()
            whole = (path for path, look in now.items() if before.get(path) == look != self._played.get(path))
            ready = next(whole, None)
            if ready is None:
                before = now
                self._clock.wait(stop, _LOOK_EVERY_S)
                continue
            self._played[ready] = now[ready]
            yield from self._play(ready, timeline, stop)

    def is_final(self, error: SourceError) -> bool:  # noqa: ARG002
        """See `Source.is_final`: a folder may come back."""
        return False

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """See `Source.wait_for_return`."""
        self._clock.wait(stop, timeout_s)

    def _play(self, path: Path, timeline: MediaClock, stop: threading.Event) -> Iterator[SourceFrame]:
        clip = self._open(path)
        timeline.reconnected()
        try:
            for frame in clip.read(stop):
                self.nominal_fps = clip.nominal_fps
                yield frame._replace(media_s=timeline.stamp(frame.media_s, 0.0, clip.nominal_fps))
        except SourceError as error:
            _log.warning("a clip is passed over: %s", error)

    def _open(self, path: Path) -> ClipSource:
        return ClipSource(path, ClipOptions(live=False), self._clock)

    def _clips(self) -> dict[Path, _Look]:
        """Size and last change of each clip, by name."""
        try:
            files = sorted(file for file in self._folder.iterdir() if _is_clip(file))
        except OSError as error:
            raise SourceUnavailable(f"{self._folder} cannot be read: {error.strerror}") from error
        looks: dict[Path, _Look] = {}
        for file in files:
            # A link may lead nowhere, and a clip may be taken away right now.
            with contextlib.suppress(OSError):
                status = file.stat()
                looks[file] = status.st_size, status.st_mtime_ns
        return looks


def _is_clip(file: Path) -> bool:
    return file.suffix.lower() in _SUFFIXES and not file.name.startswith(".")
