"""The protocol of a camera's source, and who calls it."""

import threading
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from streetloop.errors import SourceError
from streetloop.types import Picture
from streetloop.video import Encoded, VideoInfo


class SourceFrame(NamedTuple):
    """A picture as it left the source.

    Attributes:
        media_s: The source's own time stamp in seconds, from any origin; None if it gives none.
        picture: The picture.
        held_s: Seconds from the arrival of its data to now: the time for which the source and
            the decoder held it back.
        gap: True if something is missing right before it, as far as the source can tell.
        encoded: What it was decoded from; None where pictures come without packets, or where the
            packets' stamps are not the times at which they are shown.
    """

    media_s: float | None
    picture: Picture
    held_s: float = 0.0
    gap: bool = False
    encoded: Encoded | None = None


class Source(Protocol):
    """The pictures of one camera.

    Threads: the camera's `CameraReader` calls `read`, `is_final` and `wait_for_return` from its
    own thread, one at a time. `probe` is called from another thread, and never while `read` runs.
    The constructor opens nothing.

    Reconnects: after a loss the reader calls `wait_for_return` and then `read` again, on the same
    object, until `is_final` says that it cannot help. State that must survive a loss, such as the
    position in a script, is an attribute of the source.

    Closing: a source has no close method. The iterator of `read` owns the connection and closes it
    when it ends, raises or is discarded. To stop a camera, another thread sets ``stop``; `read`
    ends at its next picture, and `wait_for_return` returns at once.

    Ends: the iterator of `read` ends only at the end of a recording or after ``stop``. A stream
    that goes away raises `SourceUnavailable` or `SourceStalled`; refused credentials raise
    `SourceRefused`; data that is no video raises `SourceUnreadable`. A lost stream yields nothing,
    never a blank picture.

    Attributes:
        live: True if pictures come at their own pace, so a slow reader loses some. False makes
            the reader block instead, and nothing is lost.
        nominal_fps: The rate that the source states or was told, in pictures a second; 0 if
            unknown. May change with each `read`.
    """

    live: bool
    nominal_fps: float

    def probe(self) -> VideoInfo:
        """Open the source, decode its first picture and close it again.

        Raises:
            SourceError: As `read`; also if a recording is truncated.
        """

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """Connect and yield pictures until the stream ends, is lost or ``stop`` is set.

        Blocks between pictures. Called again after each loss.

        Args:
            stop: Set by another thread when no more pictures are wanted.

        Raises:
            SourceError: The subclass that fits, from connecting or from reading.
        """

    def is_final(self, error: SourceError) -> bool:
        """True if another attempt after ``error`` cannot succeed; the camera fails then."""

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """Block until another attempt is worthwhile.

        Args:
            stop: Ends the wait at once.
            timeout_s: Longest wait in seconds, from the reader's backoff. A source that can detect
                its return, as `RtspSource` can with a ping, returns earlier.
        """


def waiting_for(source: Source) -> str | None:
    """What a source waits for that is there, but has nothing to give; None for most sources."""
    found: str | None = getattr(source, "waiting_for", None)
    return found
