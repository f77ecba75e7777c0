"""Which segments a camera keeps that records motion or events alone."""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum

from flows.stream.recording.segment_note import SegmentNote
from streetloop.ledger.segments import Stretch

CONTINUOUS, MOTION, EVENTS = "continuous", "motion", "events"

_LATE_S = 30.0  # an event is known so long after it began, or earlier
_REMEMBERED = 1000


class SegmentDecision(Enum):
    """What becomes of a segment."""

    KEEP = "keep"
    DISCARD = "discard"
    WAIT = "wait"
    """What comes after it decides."""


class SegmentChoice:
    """Keeps what is near motion, or near an event; a camera that records all keeps all.

    Args:
        pre_s: Seconds that are kept before motion or an event.
        post_s: Seconds that are kept after it.
        events: Asked for the events of a camera that were on in a period.
    """

    def __init__(
        self, pre_s: float, post_s: float, events: Callable[[str, datetime, datetime], Sequence[Stretch]]
    ) -> None:
        self._pre, self._post = timedelta(seconds=pre_s), timedelta(seconds=post_s)
        self._events = events
        self._moving: defaultdict[str, deque[Stretch]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))

    def note(self, segment: SegmentNote) -> None:
        """Note the motion in a finished segment, before any of its camera is decided on."""
        if segment.motion and segment.ended_at is not None:
            stretch = segment.started_at, segment.ended_at
            if stretch not in self._moving[segment.camera_id]:
                self._moving[segment.camera_id].append(stretch)

    def decide(self, segment: SegmentNote, now: datetime, *, last: bool = False) -> SegmentDecision:
        """What becomes of a finished segment.

        Args:
            segment: The segment.
            now: The time (UTC).
            last: True if nothing comes after it.
        """
        if segment.mode == CONTINUOUS or segment.ended_at is None:
            return SegmentDecision.KEEP
        start, end = segment.started_at - self._post, segment.ended_at + self._pre
        if segment.mode == MOTION:
            near: Sequence[Stretch] = [
                s for s in self._moving[segment.camera_id] if s[0] < end and s[1] > start
            ]
            if near or segment.motion is None:
                return SegmentDecision.KEEP
            # The segment after it is as long as it is, and is finished first.
            decided_at = end + (segment.ended_at - segment.started_at)
        else:
            if self._events(segment.camera_id, start, end):
                return SegmentDecision.KEEP
            decided_at = end + timedelta(seconds=_LATE_S)
        return SegmentDecision.DISCARD if last or now >= decided_at else SegmentDecision.WAIT
