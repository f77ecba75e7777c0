"""Views of the archive: segments, exports, what goes, replays, and what storage holds."""

from datetime import date, datetime

from pydantic import BaseModel, Field


class GapView(BaseModel):
    """A stretch without pictures within a segment."""

    start: datetime
    end: datetime


class SegmentView(BaseModel):
    """A recorded segment.

    Attributes:
        start: When its first picture was captured.
        end: When its last one ends.
        bytes: Its length.
        codec: FFmpeg's name, such as ``h264``.
        motion: Share of it in which something moved; None if nobody looked.
        events: Share of it in which an event was on, as of its upload; None if unknown.
        key: Its key in the object store.
        gaps: Stretches within it without pictures.
    """

    start: datetime
    end: datetime
    bytes: int
    codec: str
    motion: float | None = None
    events: float | None = None
    key: str
    gaps: list[GapView] = []


class RecordedCameraView(BaseModel):
    """What is recorded of a camera in the hours of UTC that a period touches.

    Attributes:
        camera_id: The camera.
        start: The first picture.
        end: The end of the last one.
        segments: Number of segments that begin in these hours.
        bytes: Their length.
        recorded_s: Seconds with pictures.
        motion_s: Seconds of the segments in which something moved.
        gaps_s: Seconds without a picture between the first and the last.
    """

    camera_id: str
    start: datetime
    end: datetime
    segments: int
    bytes: int
    recorded_s: float
    motion_s: float
    gaps_s: float


class DayEventView(BaseModel):
    """An event of a camera in a day.

    Attributes:
        id: Its number.
        kind: Its kind.
        start: Seconds after the begin of the day; 0 if it began before.
        end: The same, of its end; that of the day if it goes on.
    """

    id: int
    kind: str
    start: float
    end: float


class CameraDayView(BaseModel):
    """What is recorded of a camera in a day, in seconds after its begin.

    Attributes:
        camera_id: The camera.
        recorded: Stretches with pictures.
        motion: Those of segments in which something moved.
        gaps: Stretches without a picture between the first and the last.
        events: What happened.
    """

    camera_id: str
    recorded: list[tuple[float, float]]
    motion: list[tuple[float, float]]
    gaps: list[tuple[float, float]]
    events: list[DayEventView]


class ArchiveDayView(BaseModel):
    """A local day of all cameras.

    Attributes:
        day: Its date.
        zone: Name of the time zone.
        start: Its begin.
        end: Its end; 23, 24 or 25 hours later.
        cameras: Those with recordings of that day, or that record now.
    """

    day: date
    zone: str
    start: datetime
    end: datetime
    cameras: list[CameraDayView]


class FootageView(BaseModel):
    """Where in the recorded video something is.

    Attributes:
        camera_id: The camera.
        at: When it was.
        key: The segment; None if that moment was not recorded, or is no longer kept.
        second: Its second there.
        frame_id: The nearest frame of the run's log that was detected; None if there is none.
    """

    camera_id: str
    at: datetime
    key: str | None = None
    second: float | None = None
    frame_id: int | None = None


class SegmentBoxView(BaseModel):
    """A box that was found when a recorded frame was seen.

    Attributes:
        xyxy: Its corners in pixels of the picture.
        name: Its class.
        confidence: 0 to 1.
        track: Number of its track; None without one.
    """

    xyxy: tuple[float, float, float, float]
    name: str
    confidence: float
    track: int | None


class SegmentFrameView(BaseModel):
    """A frame of a segment that was detected when it was seen.

    Attributes:
        second: Where it is in the segment.
        frame_id: Its number in the run.
        boxes: What was found.
    """

    second: float
    frame_id: int
    boxes: list[SegmentBoxView]


class SegmentFramesView(BaseModel):
    """What was found in a segment when it was seen.

    Attributes:
        width: Of the pictures, in pixels.
        height: Of the pictures, in pixels.
        frames: In order of time.
    """

    width: int
    height: int
    frames: list[SegmentFrameView]


class ExportView(BaseModel):
    """An exported stretch.

    Attributes:
        file: The video.
        manifest: The file that says what it is.
        bytes: Length of the video.
        sha256: SHA-256 of it.
        parts: Number of segments that it is of.
        encoded_again: False if its packets are those of the camera.
        anonymised: ``heads_and_plates`` if those are blurred; None otherwise.
        sound: True if the sound is in it. What is anonymised or encoded again has none.
    """

    file: str
    manifest: str
    bytes: int
    sha256: str
    parts: int
    encoded_again: bool
    anonymised: str | None = None
    sound: bool = False


class RemovalView(BaseModel):
    """A segment that is to go."""

    camera_id: str
    key: str
    start: datetime
    end: datetime
    bytes: int
    segment_class: str = Field(serialization_alias="class", description="continuous, motion or event")
    reason: str = Field(description="age or bytes")


class DataRemovalView(BaseModel):
    """What goes of a class that is not video."""

    data_class: str = Field(serialization_alias="class", description="as in `keep_days`")
    objects: int
    bytes: int


class PruneView(BaseModel):
    """What goes, or would go.

    Attributes:
        dry_run: True if nothing was removed.
        bytes: Bytes of all of it.
        by_class: Bytes by class.
        segments: The segments.
        data: What goes beside video, by class; see ``keep_days``.
        events: Number of events that go.
        datasets: Digests of the datasets that go.
        minutes: Number of minutes of cameras that go, which the charts are drawn from.
    """

    dry_run: bool
    bytes: int
    by_class: dict[str, int]
    segments: list[RemovalView]
    data: list[DataRemovalView] = []
    events: int = 0
    datasets: list[str] = []
    minutes: int = 0


class StorageClassView(BaseModel):
    """What is stored of one class.

    Attributes:
        name: Such as ``archive``, ``detection log``, ``frames`` or ``spool``.
        bytes: Its length.
        objects: Its number of objects; None where they are not counted.
        day_bytes: What came within the last day; None where that is unknown.
    """

    name: str
    bytes: int
    objects: int | None = None
    day_bytes: int | None = None


class StorageView(BaseModel):
    """What is stored, and how fast it grows.

    Attributes:
        bytes: All of it.
        day_bytes: What came into the object store within the last day.
        days_left: Days until the disk of the store is full at that rate; None for a bucket, or
            where nothing came.
        classes: By class.
    """

    bytes: int
    day_bytes: int
    days_left: float | None
    classes: list[StorageClassView]


class VersionSeenView(BaseModel):
    """What one version saw in a stretch.

    Attributes:
        detections: Boxes.
        tracks: Tracks.
        lines: Crossings by line and direction.
        events: Anomalies that began, by kind; all kinds that the camera looks for.
    """

    detections: int = 0
    tracks: int = 0
    lines: dict[str, dict[str, int]] = {}
    events: dict[str, int] = {}


class ReplayView(BaseModel):
    """A stretch, seen by another version, beside what was served.

    Attributes:
        frames: Frames that were detected when they were served, and are in the recording.
        matched: Those with the same boxes within a pixel and the same confidences within 0.01.
        differing: The others.
        fps: Frames that the version answered a second.
        versions: What each version saw in these frames.
    """

    frames: int
    matched: int
    differing: int
    fps: float
    versions: dict[str, VersionSeenView]
