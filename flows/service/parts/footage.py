"""Recorded video for the timeline: a day, a segment, and what was found in it."""

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flows.archive.served_log import ServedFrame, served_frames
from flows.archive.timeline import DayOfCamera, day_of
from flows.service.parts.cameras import CameraService
from streetloop.control.archive_views import (
    ArchiveDayView,
    CameraDayView,
    DayEventView,
    FootageView,
    SegmentBoxView,
    SegmentFramesView,
    SegmentFrameView,
)
from streetloop.errors import ConfigError, NotFound
from streetloop.ledger.events import Event, events_between, find_event
from streetloop.ledger.history.recorded_hours import find_hours
from streetloop.ledger.reviews import find_reviews
from streetloop.ledger.segments import Segment, find_segment, find_segments
from streetloop.local_time import BINS, bin_edges, parse_moment
from streetloop.video import write_h264

_KEPT_VIDEOS = 4  # a browser asks for a segment in several ranges
_H264 = "h264"


class FootageService(CameraService):
    """See `streetloop.control.port.Control`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._videos: OrderedDict[tuple[str, bool], bytes] = OrderedDict()
        self._keeping_videos = threading.Lock()
        self._encoding = threading.Lock()

    def archive_day(self, day: str | None = None) -> ArchiveDayView:
        """See `Control.archive_day`."""
        now = datetime.now(UTC)
        moment = now if day is None else parse_moment(day, now, self.zone)
        edges = bin_edges(moment, moment + timedelta(microseconds=1), BINS["1d"], self.zone)
        start, end = next(edges), next(edges)
        recorded = find_hours(self._ledger, start, end)
        happened: dict[str | None, list[Event]] = {}
        for event in events_between(self._ledger, start, min(end, now)):
            happened.setdefault(event.camera_id, []).append(event)
        wanted = [camera.id for camera in self._cameras() if camera.record != "off" or camera.id in recorded]
        names = [*wanted, *sorted(set(recorded) - set(wanted))]
        return ArchiveDayView(
            day=start.astimezone(self.zone).date(),
            zone=self._settings.timezone,
            start=start,
            end=end,
            cameras=[
                _day_view(
                    name,
                    day_of(recorded.get(name, ()), start, end),
                    _events_of(happened.get(name, ()), start, min(end, now)),
                )
                for name in names
            ],
        )

    def footage_of(self, *, event: int | None = None, frame: str | None = None) -> FootageView:
        """See `Control.footage_of`."""
        if (event is None) == (frame is None):
            raise ConfigError("give an event or a frame")
        camera_id, at = self._moment_of_event(event) if event is not None else self._moment_of_frame(frame)
        around = at - timedelta(microseconds=1), at + timedelta(microseconds=1)
        for segment in reversed(find_segments(self._ledger, camera_id, *around)):
            second = (at - segment.started_at).total_seconds()
            served = [one for one in served_frames(self._store, segment) if one.fate == "detected"]
            nearest = min(served, key=lambda one: abs(one.second - second), default=None)
            return FootageView(
                camera_id=camera_id,
                at=at,
                key=segment.key,
                second=round(max(0.0, second), 3),
                frame_id=None if nearest is None else nearest.frame_id,
            )
        return FootageView(camera_id=camera_id, at=at)

    def _moment_of_event(self, number: int) -> tuple[str, datetime]:
        found = find_event(self._ledger, number)
        if found is None or found.camera_id is None:
            raise NotFound(f"there is no event {number} of a camera")
        return found.camera_id, found.started_at

    def _moment_of_frame(self, digest: str | None) -> tuple[str, datetime]:
        found = find_reviews(self._ledger, [digest or ""])
        if not found:
            raise NotFound(f"there is no frame {(digest or '')[:64]!r}")
        return found[0].camera_id, found[0].captured_at

    def segment_bytes(self, key: str, *, as_h264: bool = False) -> bytes:
        """See `Control.segment_bytes`."""
        with self._keeping_videos:
            if (key, as_h264) in self._videos:
                self._videos.move_to_end((key, as_h264))
                return self._videos[key, as_h264]
        segment = self._segment(key)
        is_foreign = as_h264 and segment.codec != _H264
        data = self._encoded(key) if is_foreign else self._store.get(key)
        with self._keeping_videos:
            self._videos[key, as_h264] = data
            while len(self._videos) > _KEPT_VIDEOS:
                self._videos.popitem(last=False)
        return data

    def segment_frames(self, key: str) -> SegmentFramesView:
        """See `Control.segment_frames`."""
        segment = self._segment(key)
        frames = [_frame_view(one) for one in served_frames(self._store, segment) if one.fate == "detected"]
        return SegmentFramesView(width=segment.width, height=segment.height, frames=frames)

    def _segment(self, key: str) -> Segment:
        found = find_segment(self._ledger, key)
        if found is None:
            raise NotFound(f"there is no recorded segment {key[:300]!r}")
        return found

    def _encoded(self, key: str) -> bytes:
        """A segment as H.264; one at a time, since it takes the cores of the detector."""
        with self._encoding, tempfile.TemporaryDirectory() as name:
            source, out = Path(name) / "segment.mp4", Path(name) / "h264.mp4"
            source.write_bytes(self._store.get(key))
            write_h264(source, out)
            return out.read_bytes()


def _day_view(name: str, day: DayOfCamera, events: list[DayEventView]) -> CameraDayView:
    return CameraDayView(
        camera_id=name, recorded=day.recorded, motion=day.motion, gaps=day.gaps, events=events
    )


def _events_of(events: Sequence[Event], start: datetime, end: datetime) -> list[DayEventView]:
    def second(moment: datetime) -> float:
        return round((min(max(moment, start), end) - start).total_seconds(), 3)

    return [
        DayEventView(id=one.id, kind=one.kind, start=second(one.started_at), end=second(one.ended_at or end))
        for one in events
    ]


def _frame_view(frame: ServedFrame) -> SegmentFrameView:
    boxes = frame.boxes
    rows = zip(boxes.xyxy.tolist(), boxes.class_name, boxes.confidence, boxes.track_id, strict=True)
    return SegmentFrameView(
        second=round(frame.second, 3),
        frame_id=frame.frame_id,
        boxes=[
            SegmentBoxView(
                xyxy=(round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1)),
                name=name,
                confidence=round(float(confidence), 3),
                track=int(track) if track >= 0 else None,
            )
            for (x1, y1, x2, y2), name, confidence, track in rows
        ],
    )
