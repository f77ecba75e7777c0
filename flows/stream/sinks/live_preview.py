"""The live preview: the newest annotated frame of each camera, drawn on request."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

import numpy as np

from flows.stream.analysis.results import Result
from flows.stream.ingest.camera_reader import CameraReader
from flows.stream.sinks.annotated_video import draw
from streetloop.cameras.camera_file import Camera
from streetloop.control.port import DEFAULT_WIDTH
from streetloop.images import encode_jpeg
from streetloop.types import UNCONFIRMED, Detections, Floats, Frame, Tracked

_MAX_EXTRAPOLATION_S = 0.6
_MAX_KEPT_S = 4.0  # twice the longest time that the gate keeps a camera from the detector
_RECENT_S = 0.12
_JPEG_QUALITY = 75


@dataclass(slots=True)
class _LastResults:
    """The last two results of a camera, from which boxes are extrapolated."""

    previous: Result | None
    newest: Result


class LivePreview:
    """A `Sink` that previews every frame of the stream, also those that were not detected.

    Boxes of confirmed tracks are extrapolated from the last two results, by 0.6 s at most. After
    that the last boxes stay where they were, faded, until the next result or for 4 s. Only viewers
    see it; nothing is computed from it.

    Args:
        names: Class names by class id.
        confidence: Boxes below it are left out unless they belong to a confirmed track.
        zone: The time zone of the time stamps.
    """

    def __init__(self, names: tuple[str, ...], confidence: float, zone: tzinfo = UTC) -> None:
        self._names, self._confidence, self._zone = names, confidence, zone
        self._results: dict[str, _LastResults] = {}
        self._lock = threading.Lock()
        self._closed = False

    def take(self, result: Result) -> None:
        """See `Sink.take`."""
        camera = result.frame.camera_id
        with self._lock:
            last = self._results.get(camera)
            self._results[camera] = _LastResults(None if last is None else last.newest, result)

    def close(self) -> None:
        """See `Sink.close`; `pictures` gives nothing any more."""
        self._closed = True

    def pictures(
        self,
        readers: Sequence[CameraReader],
        counts: Mapping[str, Mapping[str, Mapping[str, int]]],
        after: Mapping[str, int],
        width: int = DEFAULT_WIDTH,
    ) -> dict[str, tuple[int, bytes]]:
        """Draw the newest frame of each camera that has a newer one than the viewer.

        Args:
            readers: The cameras' readers.
            counts: Crossings by camera, line and direction.
            after: Number of the viewer's newest frame by camera; none for a new viewer.
            width: Width of each image in pixels; the text keeps its size.

        Returns:
            Frame number and JPEG by camera.
        """

        def picture(camera: Camera, frame: Frame) -> tuple[int, bytes]:
            crossings = counts.get(camera.id, {})
            lines = {name: line.points for name, line in camera.lines.items()}
            shown, is_old = self._result(frame)
            image = draw(
                shown, self._names, lines, crossings, self._confidence, width, self._zone, faded=is_old
            )
            return frame.frame_id, encode_jpeg(image, _JPEG_QUALITY)

        # In sequence: a drawing is a hundred OpenCV calls that each release the interpreter lock,
        # and threads that draw side by side mostly wait for it.
        chosen = [
            (reader.camera, _frame_to_show(reader, after.get(reader.camera.id)))
            for reader in readers
            if not self._closed
        ]
        return {camera.id: picture(camera, frame) for camera, frame in chosen if frame is not None}

    def _result(self, frame: Frame) -> tuple[Result, bool]:
        """What to draw on a frame, and whether it is of an older one."""
        with self._lock:
            last = self._results.get(frame.camera_id)
        nothing = Tracked(Detections.empty(), np.empty(0, np.int64))
        if last is None or abs(frame.pts - last.newest.frame.pts) > _MAX_KEPT_S:
            return Result(frame, nothing, [], "", np.empty(0, np.bool_)), False
        is_old = abs(frame.pts - last.newest.frame.pts) > _MAX_EXTRAPOLATION_S
        tracked = last.newest.tracked if is_old else extrapolated(last.previous, last.newest, frame.pts)
        return replace(last.newest, frame=frame, tracked=tracked), is_old


def _frame_to_show(reader: CameraReader, after: int | None) -> Frame | None:
    """The newest frame, or a slightly older one whose pixels exist already.

    Pixels of gated frames would be converted for the viewer alone; those of frames for the
    detector cost nothing more.
    """
    newest, wanted = reader.newest, reader.wanted
    if newest is None or newest.frame_id == after:
        return None
    if wanted is None or newest.pts - wanted.pts > _RECENT_S:
        return newest
    return newest if after is not None and wanted.frame_id <= after else wanted


def extrapolated(before: Result | None, now: Result, pts: float) -> Tracked:
    """Extrapolate the confirmed tracks of a result to another time, at constant velocity.

    Args:
        before: The result before; None leaves the boxes where they are.
        now: The result to extrapolate.
        pts: Media time in seconds to extrapolate to.
    """
    passed = 0.0 if before is None else now.frame.pts - before.frame.pts
    if before is None or not 0 < passed <= _MAX_EXTRAPOLATION_S:
        return now.tracked
    old = dict(zip(before.tracked.track_id.tolist(), before.tracked.detections.xyxy, strict=True))
    boxes = now.tracked.detections
    xyxy: Floats = boxes.xyxy.copy()
    for row, track in enumerate(now.tracked.track_id.tolist()):
        if track != UNCONFIRMED and track in old:
            # Only the centre: the size of a box is too noisy to extrapolate.
            step = (boxes.xyxy[row] - old[track]) / passed * (pts - now.frame.pts)
            xyxy[row] += np.tile((step[:2] + step[2:]) / 2, 2)
    return Tracked(replace(boxes, xyxy=xyxy), now.tracked.track_id)
