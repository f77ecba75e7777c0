"""Records one camera: decides where a segment begins and ends, and notes what is in it."""

import logging
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from flows.stream.analysis.faults import RECORDING_FAILED, Fault, FaultBook
from flows.stream.ingest.motion_gate import MotionGate
from flows.stream.recording.footage import EncodedFootage, Footage, RemuxedFootage
from flows.stream.recording.segment_note import SegmentNote, write_note
from flows.stream.recording.spool import Spool
from streetloop.clock import Clock
from streetloop.errors import StoreError
from streetloop.types import Frame
from streetloop.video import BROWSER_CODECS, Encoded

_log = logging.getLogger(__name__)

MAX_SEGMENT_S = 3000.0
"""A segment that meets no key frame ends here, and what follows until the next one is left out."""

_GAP_S, _GAP_STEPS = 1.0, 3.0  # a longer step, and one of so many steps before it, is a gap
_REST_S = 5.0  # after a failure
_QUIET_S = 15.0  # a failure that does not come again is over


class Recorder(Protocol):
    """Takes all that a camera's reader reads, on the reader's thread. Raises nothing."""

    def take(
        self, frame: Frame, encoded: Encoded | None, *, wanted: bool, moving: bool | None, fps: float = 0.0
    ) -> None:
        """Take a picture.

        Args:
            frame: The picture.
            encoded: What it was decoded from, see `SourceFrame.encoded`.
            wanted: False for one that the camera's rate limit left out.
            moving: Whether something moves; None if nobody looked.
            fps: Pictures a second that the source states; 0 if unknown.
        """

    def interrupt(self) -> None:
        """The stream was lost, or ends: what follows is another segment."""

    def faults(self) -> list[Fault]:
        """What fails or failed."""


class NoRecorder:
    """A `Recorder` of a camera that is not recorded."""

    def take(
        self, frame: Frame, encoded: Encoded | None, *, wanted: bool, moving: bool | None, fps: float = 0.0
    ) -> None:
        """See `Recorder.take`."""

    def interrupt(self) -> None:
        """See `Recorder.interrupt`."""

    def faults(self) -> list[Fault]:
        """See `Recorder.faults`."""
        return []


class CameraRecorder:
    """A `Recorder` that writes segments into the spool.

    A failure ends the segment that is open, is a fault of the camera, and rests recording for five
    seconds; whoever reads the camera notices nothing.

    Args:
        camera_id: The camera.
        mode: ``continuous``, ``motion`` or ``events``; noted in the segments.
        spool: Where they go.
        run: The run whose log has the frames.
        segment_s: A segment ends at the first key frame after so many seconds. Shorter segments
            reach the store sooner, and are more objects.
        clock: Time.
        live: False for a source without a pace of its own.
    """

    def __init__(
        self,
        camera_id: str,
        mode: str,
        spool: Spool,
        run: str,
        segment_s: float,
        clock: Clock,
        *,
        live: bool = True,
    ) -> None:
        self._camera_id, self._mode, self._spool, self._run = camera_id, mode, spool, run
        self._segment_s, self._clock, self._live = segment_s, clock, live
        self._book = FaultBook(clock, _QUIET_S)
        self._footage: Footage | None = None
        self._open: _OpenSegment | None = None
        self._own_gate: MotionGate | None = None
        self._rests_until_s = 0.0

    def take(
        self, frame: Frame, encoded: Encoded | None, *, wanted: bool, moving: bool | None, fps: float = 0.0
    ) -> None:
        """See `Recorder.take`."""
        if self._clock.monotonic() < self._rests_until_s:
            return
        try:
            if moving is None and self._mode == "motion":
                moving = self._moves(frame, wanted)
            self._take(frame, encoded, wanted, moving, fps)
        except StoreError as error:
            self._fail(str(error), error)
        except Exception as error:  # noqa: BLE001
            # The boundary of recording: whatever fails in it must not stop the camera.
            self._fail(f"recording failed: {type(error).__name__}: {error}", error)

    def interrupt(self) -> None:
        """See `Recorder.interrupt`."""
        try:
            self._end()
        except Exception as error:  # noqa: BLE001
            # As in `take`.
            self._fail(f"recording failed: {type(error).__name__}: {error}", error)
        self._footage = None

    def faults(self) -> list[Fault]:
        """See `Recorder.faults`."""
        return list(self._book.faults())

    def _take(
        self, frame: Frame, encoded: Encoded | None, wanted: bool, moving: bool | None, fps: float
    ) -> None:
        if self._open is not None:
            self._spool.require_room()
        footage = self._footage = self._footage or self._begin(encoded)
        for piece in footage.pieces(frame, encoded, wanted, fps):
            if piece.can_begin and (self._open is None or self._is_due(piece.time_s, footage)):
                self._end()
                path = self._spool.open(self._camera_id, name := self._name())
                footage.open(path, piece)
                self._open = _OpenSegment(path, name, piece.time_s, frame, footage)
                self._note()
            if self._open is not None:
                if piece.time_s - self._open.base_s > MAX_SEGMENT_S:
                    self._end()
                    return
                footage.write(piece, piece.time_s - self._open.base_s)
                if not piece.is_sound:
                    self._open.add_piece(piece.time_s)
        if self._open is not None:
            self._open.add_frame(frame, moving)
            self._anchor(footage, frame, encoded)

    def _begin(self, encoded: Encoded | None) -> Footage:
        kept = encoded is not None and (not encoded.packets or encoded.packets[0].codec in BROWSER_CODECS)
        return RemuxedFootage(live=self._live) if kept else EncodedFootage()

    def _is_due(self, time_s: float, footage: Footage) -> bool:
        assert self._open is not None
        return footage.must_cut or time_s - self._open.base_s >= self._segment_s - 1e-6

    def _name(self) -> str:
        return f"{self._clock.now():%Y%m%dT%H%M%S.%f}Z-{uuid.uuid4().hex[:8]}"

    def _anchor(self, footage: Footage, frame: Frame, encoded: Encoded | None) -> None:
        """Note, once a segment, which second of it a frame is."""
        segment = self._open
        assert segment is not None
        if segment.is_anchored:
            return
        placed_s = footage.placed_s(frame, encoded)
        at_s = 0.0 if placed_s is None else placed_s - segment.base_s
        if at_s < -1e-6:
            return  # it belongs to the segment before: the decoder is behind
        segment.is_anchored = True
        segment.started_at = frame.captured_at - timedelta(seconds=at_s)
        segment.pts_offset, segment.frame_id = frame.pts - at_s, frame.frame_id
        self._note()

    def _note(self, *, ended: bool = False) -> None:
        segment = self._open
        assert segment is not None
        note = segment.note(self._camera_id, self._mode, self._run)
        write_note(segment.path, note if ended else replace(note, ended_at=None))

    def _end(self) -> None:
        if self._open is None:
            return
        footage = self._footage
        assert footage is not None
        try:
            footage.close()
            self._note(ended=True)
        finally:
            self._open = None

    def _moves(self, frame: Frame, wanted: bool) -> bool | None:
        """Look for motion, where no gate does."""
        gate = self._own_gate = self._own_gate or MotionGate()
        if wanted:
            gate.is_open(frame.picture.luma(), frame.pts)
        return gate.moves

    def _fail(self, text: str, error: Exception) -> None:
        if self._book.note(RECORDING_FAILED, text):
            _log.error("camera %s: %s", self._camera_id, text, exc_info=error)
        self._rests_until_s = self._clock.monotonic() + _REST_S
        footage, self._footage, segment, self._open = self._footage, None, self._open, None
        if segment is None or footage is None:
            return
        try:
            footage.close()
        except Exception as again:  # noqa: BLE001
            # As in `take`; what was written until then can still be read.
            _log.warning("camera %s: a segment is not finished: %s", self._camera_id, again)
        try:
            write_note(segment.path, segment.note(self._camera_id, self._mode, self._run))
        except StoreError as again:
            # The uploader takes it for one whose writer died.
            _log.warning("camera %s: %s", self._camera_id, again)


class _OpenSegment:
    """What is known of the segment that is being written.

    Args:
        path: Its file.
        name: Its name in the spool.
        base_s: Where it begins on the time line of the footage.
        first: The frame with which it began.
        footage: What it is made of.
    """

    def __init__(self, path: Path, name: str, base_s: float, first: Frame, footage: Footage) -> None:
        self.path, self._name, self.base_s = path, name, base_s
        self.started_at, self.pts_offset, self.frame_id = first.captured_at, first.pts, first.frame_id
        self.is_anchored, self._codec, self._size = False, footage.codec, footage.size
        self._last_s, self._step_s = base_s, 0.0
        self._gaps: list[tuple[float, float]] = []
        self._last_pts: float | None = None
        self._seen_s = self._moving_s = 0.0
        self._is_motion_known = False

    def add_piece(self, time_s: float) -> None:
        """A packet or picture was written."""
        step = time_s - self._last_s
        if step > max(_GAP_S, _GAP_STEPS * self._step_s) and self._step_s:
            self._gaps.append((self._last_s - self.base_s, time_s - self.base_s))
        elif step > 0:
            self._step_s = step
        self._last_s = max(self._last_s, time_s)

    def add_frame(self, frame: Frame, moving: bool | None) -> None:
        """A picture was seen."""
        if self._last_pts is not None and moving is not None:
            step = frame.pts - self._last_pts
            self._seen_s += step
            self._moving_s += step if moving else 0.0
        self._is_motion_known = self._is_motion_known or moving is not None
        self._last_pts = frame.pts

    def note(self, camera_id: str, mode: str, run: str) -> SegmentNote:
        """All of it."""
        length_s = self._last_s - self.base_s + self._step_s
        motion = self._moving_s / self._seen_s if self._seen_s else 0.0
        return SegmentNote(
            name=self._name,
            camera_id=camera_id,
            mode=mode,
            started_at=self.started_at,
            ended_at=self._at(length_s),
            codec=self._codec,
            width=self._size[0],
            height=self._size[1],
            gaps=tuple((self._at(start), self._at(end)) for start, end in self._gaps),
            motion=motion if self._is_motion_known else None,
            run=run,
            frame_id=self.frame_id if self.is_anchored else None,
            pts_offset=self.pts_offset if self.is_anchored else None,
        )

    def _at(self, second: float) -> datetime:
        return self.started_at + timedelta(seconds=second)
