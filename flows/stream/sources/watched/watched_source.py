"""Clips that are dropped into a folder or bucket; each is played once."""

import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from flows.stream.sources.clip import ClipOptions, ClipSource
from flows.stream.sources.media_clock import MediaClock
from flows.stream.sources.source import SourceFrame
from flows.stream.sources.watched.played_clips import PlayedClips
from streetloop.clock import Clock
from streetloop.errors import SourceError, SourceUnavailable
from streetloop.video import VideoInfo

_LOOK_EVERY_S = 1.0
_SUFFIXES = {".mp4", ".mkv", ".mov", ".avi", ".ts", ".m4v", ".webm", ".mpg", ".mpeg"}

_log = logging.getLogger(__name__)


class ClipLook(NamedTuple):
    """How a clip looked; one that looks otherwise is another clip.

    Attributes:
        size: In bytes.
        changed: A time or a version of its content.
    """

    size: int
    changed: str


class ClipPlace(Protocol):
    """Where clips are dropped.

    Attributes:
        shown: Its name for people, without secrets.
        settle: False if clips appear whole, so that none has to be seen twice.
    """

    shown: str
    settle: bool

    def clips(self) -> dict[str, ClipLook]:
        """The clips that are there, by name, in the order of their names.

        Raises:
            SourceUnavailable: The place cannot be read now.
        """

    def fetch(self, name: str) -> AbstractContextManager[Path]:
        """A file with the clip, as long as the ``with`` block lasts.

        Raises:
            SourceUnavailable: The clip cannot be fetched now.
        """


class WatchedSource:
    """A `Source` of the clips of a place, in the order of their names, and of those that come.

    A clip is played as fast as its frames are analysed, once it does not grow any more. One that
    cannot be played is passed over, and the log says why. A clip that is replaced is played again.

    Args:
        place: Where clips are dropped.
        clock: Paces the looks.
        played: Remembers what was played, also over a restart. A clip that was not played to its
            end is played again from its start.

    Attributes:
        waiting_for: What it waits for while there is nothing to play; None otherwise.
    """

    live = False

    def __init__(self, place: ClipPlace, clock: Clock, played: PlayedClips) -> None:
        self._place, self._clock, self._played = place, clock, played
        self.nominal_fps = 0.0
        self.waiting_for: str | None = None

    def probe(self) -> VideoInfo:
        """See `Source.probe`: of the first clip that is there.

        Raises:
            SourceUnavailable: There is none yet, or the place cannot be read.
        """
        first = next(iter(self._place.clips()), None)
        if first is None:
            raise SourceUnavailable(self._nothing_yet())
        with self._place.fetch(first) as path:
            return self._open(path).probe()

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`; ends only after ``stop``."""
        timeline = MediaClock()
        before: dict[str, ClipLook] = {}
        while not stop.is_set():
            now = self._place.clips()
            settled = before if self._place.settle else now
            ready = next((name for name, look in now.items() if self._is_due(name, look, settled)), None)
            if ready is None:
                before = now
                self.waiting_for = self._awaited(now)
                self._clock.wait(stop, _LOOK_EVERY_S)
                continue
            self.waiting_for = None
            yield from self._play(ready, timeline, stop)
            if not stop.is_set():
                self._played.note(ready, now[ready])

    def is_final(self, error: SourceError) -> bool:  # noqa: ARG002
        """See `Source.is_final`: a place may come back."""
        return False

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """See `Source.wait_for_return`."""
        self._clock.wait(stop, timeout_s)

    def _is_due(self, name: str, look: ClipLook, settled: dict[str, ClipLook]) -> bool:
        return settled.get(name) == look and self._played.look(name) != look

    def _nothing_yet(self) -> str:
        endings = ", ".join(sorted(_SUFFIXES))
        return f"{self._place.shown} holds no clip yet; a run waits for files that end in {endings}"

    def _awaited(self, now: dict[str, ClipLook]) -> str | None:
        if not now:
            return self._nothing_yet()
        if all(self._played.look(name) == look for name, look in now.items()):
            were = f"all {len(now)} clips" if len(now) > 1 else "the clip"
            return f"{were} of {self._place.shown} played before; a run waits for new ones"
        return None

    def _play(self, name: str, timeline: MediaClock, stop: threading.Event) -> Iterator[SourceFrame]:
        with self._place.fetch(name) as path:
            clip = self._open(path)
            timeline.reconnected()
            try:
                for frame in clip.read(stop):
                    self.nominal_fps = clip.nominal_fps
                    yield frame._replace(media_s=timeline.stamp(frame.media_s, 0.0, clip.nominal_fps))
            except SourceError as error:
                _log.warning("the clip %s of %s is passed over: %s", name, self._place.shown, error)

    def _open(self, path: Path) -> ClipSource:
        return ClipSource(path, ClipOptions(live=False), self._clock)


def is_clip(name: str) -> bool:
    """True if a file of this name is a clip: by its suffix, and not hidden."""
    base = name.rpartition("/")[2]
    return Path(base).suffix.lower() in _SUFFIXES and not base.startswith(".")
