"""The archive of recorded video."""

from pathlib import Path
from typing import Protocol

from streetloop.control import archive_views


class ArchiveControl(Protocol):
    """A part of `streetloop.control.port.Control`, which says what all its calls have in common.

    A ``since`` and an ``until`` are times or durations before now, as
    `streetloop.local_time.parse_moment` reads them; an ``until`` of None is now.
    """

    def segments(
        self, camera_id: str, since: str, until: str | None = None
    ) -> list[archive_views.SegmentView]:
        """The segments of a camera that overlap a period, in order of time.

        Raises:
            ConfigError: A time is wrong, or the period ends before it begins.
            NotFound: There is no such camera, and none was ever recorded.
        """

    def recorded_cameras(
        self, since: str, until: str | None = None
    ) -> list[archive_views.RecordedCameraView]:
        """What is recorded of all cameras in the hours of UTC that a period touches, by camera.

        Raises:
            ConfigError: A time is wrong, or the period ends before it begins.
        """

    def archive_day(self, day: str | None = None) -> archive_views.ArchiveDayView:
        """What is recorded of all cameras in a local day.

        Args:
            day: A date; None for today.

        Raises:
            ConfigError: It is no date, or in the future.
        """

    def footage_of(self, *, event: int | None = None, frame: str | None = None) -> archive_views.FootageView:
        """The segment, and its second, in which an event began or a labeled frame was captured.

        Args:
            event: Number of an event.
            frame: Digest of a frame of the review queue; one of both is given.

        Raises:
            ConfigError: None is given, or both.
            NotFound: There is no such event or frame, or the event is of no camera.
        """

    def segment_bytes(self, key: str, *, as_h264: bool = False) -> bytes:
        """The video of a segment.

        Args:
            key: Of the segment.
            as_h264: Encode what is not H.264 anew, for browsers that do not play it; it takes a
                few seconds for a minute of video.

        Raises:
            NotFound: The index has no segment of that key.
        """

    def segment_frames(self, key: str) -> archive_views.SegmentFramesView:
        """What was found in the frames of a segment when they were seen.

        Raises:
            NotFound: The index has no segment of that key.
        """

    def export_archive(
        self,
        camera_id: str,
        since: str,
        until: str | None,
        out: Path,
        *,
        boxes: bool,
        most_s: float | None = None,
    ) -> archive_views.ExportView:
        """Write a stretch as one MP4 with a manifest beside it.

        Args:
            camera_id: The camera.
            since: Begin of the stretch.
            until: Its end.
            out: The file.
            boxes: Draw the boxes of the detection log.
            most_s: Longest stretch in seconds; None for any.

        Raises:
            ConfigError: A time is wrong, the stretch is too long, or the file cannot be written.
            NotFound: Nothing was recorded in this time.
        """

    def replay(
        self, camera_id: str, since: str, until: str | None, model: str, workers: int = 1
    ) -> archive_views.ReplayView:
        """Run a stretch through a version, and compare with what was served.

        Args:
            camera_id: The camera.
            since: Begin of the stretch.
            until: Its end.
            model: A version of the registry, or a model file.
            workers: Processes that look at segments; more than one needs a running Ray.

        Raises:
            ConfigError: A time is wrong.
            ModelError: The model cannot be used.
            NotFound: Nothing that was recorded then was detected when it was seen.
        """

    def storage(self) -> archive_views.StorageView:
        """What the object store and the home hold, and how fast that grows."""

    def prune_archive(self, *, dry_run: bool) -> archive_views.PruneView:
        """Remove what the rules of retention no longer keep; a dry run only says what would go."""
