"""What a camera's source promises to the flow, whatever is behind it."""

import threading
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from streetloop.errors import SourceError
from streetloop.types import Picture
from streetloop.video import VideoInfo


class SourceFrame(NamedTuple):
    """A picture as it left the source; ``media_s`` is None where the source gives no time."""

    media_s: float | None
    picture: Picture


class Source(Protocol):
    """One camera's pictures.

    The three ends of a stream are three different things: the iterator of `read` ends only at
    the end of a recording; a stream that goes away raises `SourceUnavailable` or `SourceStalled`;
    data that is no video raises `SourceUnreadable`. A lost stream yields nothing, never a blank
    picture.

    Attributes:
        live: True if pictures come at their own pace, so that a late reader loses some.
        nominal_fps: What the source says, or is told, its rate is; 0 if unknown.
    """

    live: bool
    nominal_fps: float

    def probe(self) -> VideoInfo:
        """Open, look and close again.

        Raises:
            SourceError: As `read`; also if a recording is cut short.
        """

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """Connect and give pictures until the stream ends, breaks or ``stop`` is set.

        Raises:
            SourceError: The branch that fits, from opening or from reading.
        """

    def is_final(self, error: SourceError) -> bool:
        """True if trying again cannot help."""

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """Come back after ``timeout_s`` seconds, or earlier if the source is seen to answer."""
