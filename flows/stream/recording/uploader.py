"""Brings segments from the spool to the object store and into the index."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from flows.stream.analysis.faults import UPLOAD_FAILED, Fault, FaultBook
from flows.stream.recording.segment_choice import CONTINUOUS, SegmentChoice, SegmentDecision
from flows.stream.recording.segment_note import SegmentNote, read_note
from flows.stream.recording.spool import Spool
from streetloop.clock import Clock
from streetloop.errors import LedgerError, SourceError, StoreError
from streetloop.host.polling import PollingThread
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import times_of_events
from streetloop.ledger.segments import Segment, Stretch, add_segment, share_of
from streetloop.storage.store import ObjectStore
from streetloop.video import VideoReader, video_length_s

_log = logging.getLogger(__name__)

_EVERY_S = 2.0
_QUIET_S = 30.0
_CLOSE_S = 60.0
_FORMAT = "%Y%m%dT%H%M%S.%fZ"


class SegmentUploader:
    """Uploads finished segments, and those of writers that are gone, on a thread of its own.

    A segment leaves the spool once the store has it and the index names it. What fails is tried
    again; uploading a segment twice stores the same bytes under the same key.

    Args:
        spool: Where the segments are.
        store: Where they go.
        ledger: URL of the ledger; it is opened at the first upload.
        pre_s: See `SegmentChoice`.
        post_s: See `SegmentChoice`.
        clock: Time.
    """

    def __init__(
        self, spool: Spool, store: ObjectStore, ledger: str, pre_s: float, post_s: float, clock: Clock
    ) -> None:
        self._spool, self._store, self._url, self._clock = spool, store, ledger, clock
        self._ledger: Ledger | None = None
        self._choice = SegmentChoice(pre_s, post_s, self._events)
        self._book = FaultBook(clock, _QUIET_S)
        self._thread = PollingThread("the upload of recordings", self.step, _EVERY_S, _log, _log.error)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def faults(self) -> Sequence[Fault]:
        """What fails or failed."""
        return self._book.faults()

    def step(self, *, last: bool = False) -> None:
        """Upload what can be uploaded.

        Args:
            last: True if this spool gets no more segments.
        """
        with self._spool.left_behind() as orphans:
            for video in orphans:
                if not self._try(self._adopt, video):
                    return
        finished = [(video, note) for video in self._spool.videos() if (note := _finished(video))]
        for _, note in finished:
            self._choice.note(note)
        for video, note in finished:
            if not self._try(partial(self._settle, note=note, last=last), video):
                return

    def close(self) -> None:
        """Upload what is finished; what cannot be uploaded now stays for the next start."""
        self._thread.close(_CLOSE_S)
        if not self._thread.is_alive:  # else it hangs in the store
            self.step(last=True)
        if self._ledger is not None:
            self._ledger.close()

    def _try(self, what: Callable[[Path], None], video: Path) -> bool:
        """False, and a fault, if it failed: what comes next would fail, too."""
        try:
            what(video)
        except (StoreError, LedgerError) as error:
            self._fail(f"recordings wait in the spool: {error}", error)
            return False
        except OSError as error:
            self._fail(f"{video} cannot be read: {error.strerror}", error)
        return True

    def _fail(self, text: str, error: Exception) -> None:
        if self._book.note(UPLOAD_FAILED, text):
            _log.error("%s", text, exc_info=error)

    def _adopt(self, video: Path) -> None:
        """Upload a segment whose writer is gone, as far as it was written."""
        note = read_note(video)
        if note is None or note.ended_at is None:
            note = _mended(video, note)
        if note is None:
            _log.warning("%s holds no picture, and is removed", video)
            self._spool.remove(video)
            return
        self._choice.note(note)
        self._settle(video, note, last=True)

    def _settle(self, video: Path, note: SegmentNote, *, last: bool) -> None:
        choice = self._choice.decide(note, self._clock.now(), last=last)
        if choice is SegmentDecision.KEEP:
            self._upload(video, note)
        if choice is not SegmentDecision.WAIT:
            self._spool.remove(video)

    def _upload(self, video: Path, note: SegmentNote) -> None:
        data = video.read_bytes()
        self._store.put(note.key, data)
        assert note.ended_at is not None
        stretch = note.started_at, note.ended_at
        segment = Segment(
            key=note.key,
            camera_id=note.camera_id,
            started_at=note.started_at,
            ended_at=note.ended_at,
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            codec=note.codec,
            width=note.width,
            height=note.height,
            gaps=note.gaps,
            motion=note.motion,
            events=share_of(stretch, self._events(note.camera_id, *stretch)),
            run=note.run,
            frame_id=note.frame_id,
            pts_offset=note.pts_offset,
        )
        add_segment(self._open(), segment)

    def _events(self, camera_id: str, start: datetime, end: datetime) -> Sequence[Stretch]:
        return times_of_events(self._open(), camera_id, start, end)

    def _open(self) -> Ledger:
        if self._ledger is None:
            self._ledger = open_ledger(self._url)
        return self._ledger


def _finished(video: Path) -> SegmentNote | None:
    """The note of a segment that is finished."""
    note = read_note(video)
    return None if note is None or note.ended_at is None else note


def _mended(video: Path, note: SegmentNote | None) -> SegmentNote | None:
    """The note of a segment whose writer died, from what is in it; None if that is no picture."""
    length_s = video_length_s(video)
    if length_s is None:
        return None
    if note is not None:
        return _ended(note, length_s)
    try:
        with VideoReader(str(video), video.name) as reader:
            info = reader.info
        started_at = datetime.strptime(video.stem.rpartition("-")[0], _FORMAT).replace(tzinfo=UTC)
    except (SourceError, ValueError):
        return None
    note = SegmentNote(
        video.stem, video.parent.name, CONTINUOUS, started_at, None, info.codec, info.width, info.height
    )
    return _ended(note, length_s)


def _ended(note: SegmentNote, length_s: float) -> SegmentNote:
    return replace(note, ended_at=note.started_at + timedelta(seconds=max(length_s, 1e-3)))
