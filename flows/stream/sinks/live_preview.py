"""A tap for people who look: the newest picture of each camera, drawn only when it is asked for."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from flows.stream.analysis.results import Result
from flows.stream.ingest.reader import CameraReader
from flows.stream.sinks.annotated_video import draw
from streetloop.cameras import Camera
from streetloop.control import USUAL_WIDTH
from streetloop.images import encode_jpeg
from streetloop.types import UNCONFIRMED, Detections, Floats, Frame, Tracked

_LONGEST_GUESS_S = 0.6
_RECENT_S = 0.12
_JPEG_QUALITY = 75


@dataclass(slots=True)
class _Looks:
    """The last two results of a camera: where things are, and where they go."""

    before: Result | None
    now: Result


class LivePreview:
    """Pictures at the pace of the stream, also between the frames that the detector sees.

    Boxes of confirmed tracks move on as they moved between the last two results, for a moment at
    most: what is drawn is a guess about the present, for people; nothing else ever sees it.

    Args:
        names: Class names by class id.
        confidence: Boxes below it are left out unless a track holds them.
    """

    def __init__(self, names: tuple[str, ...], confidence: float) -> None:
        self._names, self._confidence = names, confidence
        self._looks: dict[str, _Looks] = {}
        self._lock = threading.Lock()
        self._closed = False

    def take(self, result: Result) -> None:
        """See `Sink.take`."""
        camera = result.frame.camera_id
        with self._lock:
            known = self._looks.get(camera)
            self._looks[camera] = _Looks(None if known is None else known.now, result)

    def close(self) -> None:
        """See `Sink.close`; there is nothing to be seen any more."""
        self._closed = True

    def pictures(
        self,
        readers: Sequence[CameraReader],
        counts: Mapping[str, Mapping[str, Mapping[str, int]]],
        after: Mapping[str, int],
        width: int = USUAL_WIDTH,
    ) -> dict[str, tuple[int, bytes]]:
        """Number and JPEG by camera, of those that have a newer picture.

        Args:
            readers: The cameras.
            counts: Crossings by camera, line and direction.
            after: Number of the picture that is known, by camera.
            width: Of each, in pixels: what is written on it is as large on a narrow one.
        """

        def picture(camera: Camera, frame: Frame) -> tuple[int, bytes]:
            crossings = counts.get(camera.id, {})
            image = draw(self._result(frame), self._names, camera.lines, crossings, self._confidence, width)
            return frame.frame_id, encode_jpeg(image, _JPEG_QUALITY)

        # One after the other: of a hundred calls to OpenCV each lets go of the interpreter, and
        # threads that draw side by side mostly wait for each other to give it back.
        chosen = [
            (reader.camera, _to_show(reader, after.get(reader.camera.id)))
            for reader in readers
            if not self._closed
        ]
        return {camera.id: picture(camera, frame) for camera, frame in chosen if frame is not None}

    def _result(self, frame: Frame) -> Result:
        with self._lock:
            looks = self._looks.get(frame.camera_id)
        nothing = Tracked(Detections.empty(), np.empty(0, np.int64))
        if looks is None or abs(frame.pts - looks.now.frame.pts) > _LONGEST_GUESS_S:
            return Result(frame, nothing, [], "")
        return replace(looks.now, frame=frame, tracked=moved(looks.before, looks.now, frame.pts))


def _to_show(reader: CameraReader, after: int | None) -> Frame | None:
    """The newest frame, or one a moment older that has its pixels and was not shown yet.

    Pixels of most frames are made for whoever looks, and for nobody else. Those that the detector
    wanted cost nothing more.
    """
    newest, wanted = reader.newest, reader.wanted
    if newest is None or newest.frame_id == after:
        return None
    if wanted is None or newest.pts - wanted.pts > _RECENT_S:
        return newest
    return newest if after is not None and wanted.frame_id <= after else wanted


def moved(before: Result | None, now: Result, pts: float) -> Tracked:
    """Where the tracks of ``now`` are at ``pts`` if they go on as they did since ``before``."""
    passed = 0.0 if before is None else now.frame.pts - before.frame.pts
    if before is None or not 0 < passed <= _LONGEST_GUESS_S:
        return now.tracked
    old = dict(zip(before.tracked.track_id.tolist(), before.tracked.detections.xyxy, strict=True))
    boxes = now.tracked.detections
    xyxy: Floats = boxes.xyxy.copy()
    for row, track in enumerate(now.tracked.track_id.tolist()):
        if track != UNCONFIRMED and track in old:
            # The centre goes on; the size of a box jumps about too much to be carried on.
            step = (boxes.xyxy[row] - old[track]) / passed * (pts - now.frame.pts)
            xyxy[row] += np.tile((step[:2] + step[2:]) / 2, 2)
    return Tracked(replace(boxes, xyxy=xyxy), now.tracked.track_id)
