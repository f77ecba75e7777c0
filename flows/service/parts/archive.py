"""The archive of recorded video."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from flows.archive.export import export_stretch
from flows.archive.prune import plan_prune, prune, sums_by_class
from flows.archive.storage import by_class, days_left, folder_bytes
from flows.archive.timeline import day_of, seconds_of
from flows.service.parts.footage import FootageService
from flows.stream.recording.recording import spool_of
from streetloop.cameras.camera_file import Camera
from streetloop.control.archive_views import (
    DataRemovalView,
    ExportView,
    GapView,
    PruneView,
    RecordedCameraView,
    RemovalView,
    ReplayView,
    SegmentView,
    StorageClassView,
    StorageView,
    VersionSeenView,
)
from streetloop.drawing.anonymise import anonymised_cameras
from streetloop.errors import ConfigError, NotFound
from streetloop.ledger.history.recorded_hours import HOUR_S, RecordedHour, find_hours
from streetloop.ledger.segments import Segment, find_segments, has_segments
from streetloop.local_time import parse_moment
from streetloop.secrets import SecretUri


class ArchiveService(FootageService):
    """See `streetloop.control.port.Control`."""

    def segments(self, camera_id: str, since: str, until: str | None = None) -> list[SegmentView]:
        """See `Control.segments`."""
        return [_segment_view(one) for one in self._recorded(camera_id, *self._period(since, until))]

    def recorded_cameras(self, since: str, until: str | None = None) -> list[RecordedCameraView]:
        """See `Control.recorded_cameras`."""
        found = find_hours(self._ledger, *self._period(since, until))
        return [_recorded_camera(name, hours) for name, hours in found.items()]

    def export_archive(
        self,
        camera_id: str,
        since: str,
        until: str | None,
        out: Path,
        *,
        boxes: bool,
        most_s: float | None = None,
    ) -> ExportView:
        """See `Control.export_archive`."""
        start, end = self._period(since, until)
        if most_s is not None and (end - start).total_seconds() > most_s:
            raise ConfigError(
                f"the stretch is longer than {most_s / 60:.0f} minutes; "
                "write it with `streetloop archive export`"
            )
        found = self._recorded(camera_id, start, end)
        anonymise = camera_id in anonymised_cameras([self._camera(camera_id)], self._settings)
        exported = export_stretch(self._store, found, start, end, out, boxes=boxes, anonymise=anonymise)
        manifest = exported.manifest
        return ExportView(
            file=str(exported.path),
            manifest=str(exported.path.with_suffix(".json")),
            bytes=manifest["bytes"],
            sha256=manifest["sha256"],
            parts=len(manifest["parts"]),
            encoded_again=manifest["encoded_again"],
            anonymised=manifest["anonymised"],
            sound=manifest["sound"],
        )

    def storage(self) -> StorageView:
        """See `Control.storage`."""
        found = by_class(self._store.objects(), datetime.now(UTC))
        growth = sum(one.day_bytes for one in found)
        url, home = self._settings.store_url, self._settings.home
        folder = self._settings.store if url is None else None if url.startswith("s3://") else Path(url)
        here = [
            ("spool", spool_of(self._settings)),
            ("models", self._settings.models),
            ("registry", home / "mlflow"),
        ]
        classes = [
            *(
                StorageClassView(name=one.name, bytes=one.bytes, objects=one.objects, day_bytes=one.day_bytes)
                for one in found
            ),
            *(StorageClassView(name=name, bytes=folder_bytes(path)) for name, path in here),
        ]
        return StorageView(
            bytes=sum(one.bytes for one in classes),
            day_bytes=growth,
            days_left=days_left(growth, folder),
            classes=[one for one in classes if one.bytes],
        )

    def replay(
        self, camera_id: str, since: str, until: str | None, model: str, workers: int = 1
    ) -> ReplayView:
        """See `Control.replay`."""
        # Not at the top: they load the runtimes of models, which takes seconds.
        from flows.archive.replay import replay
        from train.model.find_model import find_model

        period = self._period(since, until)
        segments = self._recorded(camera_id, *period)
        if not segments:
            raise NotFound("nothing was recorded in this time")
        camera = self._camera(camera_id)
        detect = None
        if workers > 1:
            from flows.archive.ray_replay import detect_on_ray

            detect = partial(detect_on_ray, workers=workers)
        file = find_model(model, self._settings)
        found = replay(self._store, segments, camera, period, file, self._settings, detect)
        return ReplayView(
            frames=found.frames,
            matched=found.matched,
            differing=found.frames - found.matched,
            fps=found.fps,
            versions={
                version: VersionSeenView(
                    detections=seen.detections, tracks=seen.tracks, lines=seen.lines, events=seen.events
                )
                for version, seen in found.versions.items()
            },
        )

    def prune_archive(self, *, dry_run: bool) -> PruneView:
        """See `Control.prune_archive`."""
        # Not at the top: it loads the registry.
        from flows.service.data_retention import plan_data_removal, remove_data

        now = datetime.now(UTC)
        removals = plan_prune(self._ledger, self._settings, self._cameras(), now)
        data = plan_data_removal(self._ledger, self._store, self._settings, now)
        if not dry_run:
            prune(self._ledger, self._store, removals)
            remove_data(self._ledger, self._store, self._settings, data)
        return PruneView(
            data=[
                DataRemovalView(data_class=name, objects=count, bytes=size)
                for name, (count, size) in data.sums().items()
            ],
            events=data.events,
            datasets=list(data.datasets),
            minutes=data.minutes,
            dry_run=dry_run,
            bytes=sum(one.segment.bytes for one in removals),
            by_class=sums_by_class(removals),
            segments=[
                RemovalView(
                    camera_id=one.segment.camera_id,
                    key=one.segment.key,
                    start=one.segment.started_at,
                    end=one.segment.ended_at,
                    bytes=one.segment.bytes,
                    segment_class=one.segment_class,
                    reason=one.reason,
                )
                for one in removals
            ],
        )

    def _camera(self, camera_id: str) -> Camera:
        """The camera; one that was removed is as the settings say."""
        known = {camera.id: camera for camera in self._cameras()}
        return known.get(camera_id) or Camera(id=camera_id, uri=SecretUri("sim://removed/camera"))

    def _period(self, since: str, until: str | None) -> tuple[datetime, datetime]:
        now = datetime.now(UTC)
        start = parse_moment(since, now, self.zone)
        end = now if until is None else parse_moment(until, now, self.zone, future=True)
        if end <= start:
            raise ConfigError(f"the period ends at {end:%Y-%m-%dT%H:%M:%SZ}, and not after it begins")
        return start, end

    def _recorded(self, camera_id: str, start: datetime, end: datetime) -> list[Segment]:
        found = find_segments(self._ledger, camera_id, start, end)
        if not found and not has_segments(self._ledger, camera_id):
            self._require(camera_id, {camera.id: camera for camera in self._cameras()})
        return found


def _recorded_camera(name: str, hours: Sequence[RecordedHour]) -> RecordedCameraView:
    begin, end = (datetime.fromtimestamp(hour * HOUR_S, UTC) for hour in (hours[0].hour, hours[-1].hour + 1))
    day = day_of(hours, begin, end)
    return RecordedCameraView(
        camera_id=name,
        start=begin + timedelta(seconds=day.recorded[0][0]),
        end=begin + timedelta(seconds=day.recorded[-1][1]),
        segments=sum(hour.segments for hour in hours),
        bytes=sum(hour.bytes for hour in hours),
        recorded_s=seconds_of(day.recorded),
        motion_s=seconds_of(day.motion),
        gaps_s=seconds_of(day.gaps),
    )


def _segment_view(segment: Segment) -> SegmentView:
    return SegmentView(
        start=segment.started_at,
        end=segment.ended_at,
        bytes=segment.bytes,
        codec=segment.codec,
        motion=segment.motion,
        events=segment.events,
        key=segment.key,
        gaps=[GapView(start=start, end=end) for start, end in segment.gaps],
    )
