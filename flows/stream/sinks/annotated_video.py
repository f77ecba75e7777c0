"""Annotated frames and videos: boxes, track ids and counting lines."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from pathlib import Path

import cv2

from flows.stream.analysis.results import Result
from streetloop.cameras.camera_file import Camera
from streetloop.cameras.zones import Line
from streetloop.drawing.anonymise import Anonymiser
from streetloop.drawing.boxes import BoxPainter, canvas_of, colour_of
from streetloop.drawing.text import put_text
from streetloop.types import UNCONFIRMED, ArrayPicture, Image
from streetloop.video import VideoWriter

_WHITE = (255, 255, 255)
_BLACK = (0, 0, 0)
_FADED = 0.45  # opacity of boxes of an earlier frame


def draw(
    result: Result,
    names: tuple[str, ...],
    lines: Mapping[str, Line] = {},
    counts: Mapping[str, Mapping[str, int]] = {},
    confidence: float = 0.25,
    width: int | None = None,
    zone: tzinfo = UTC,
    *,
    faded: bool = False,
) -> Image:
    """Draw a result on a copy of its frame.

    Args:
        result: The result; detections that are not counted are not drawn.
        names: Class names by class id.
        lines: Counting lines by name, in fractions of the image.
        counts: Crossings by line and direction.
        confidence: Boxes below it are left out unless they belong to a confirmed track.
        width: Width of the drawn image in pixels; by default that of the frame, and at least 640.
        zone: The time zone of the time stamp.
        faded: Draw the boxes half transparent: they are of an earlier frame.

    Returns:
        The drawn image, (H, W, 3) uint8, BGR.
    """
    image, scale = canvas_of(result.frame.picture.bgr(), width)
    height, width = image.shape[:2]
    for name, line in lines.items():
        _line(image, name, [(round(x * width), round(y * height)) for x, y in line], counts)
    found = result.tracked.detections
    before = image.copy() if faded else image
    painter = BoxPainter(image)
    for i, track in enumerate(result.tracked.track_id):
        doubtful = track == UNCONFIRMED and found.confidence[i] < confidence
        if doubtful or not result.counted[i]:
            continue
        label = f"{names[found.class_id[i]]} {found.confidence[i]:.2f}"
        label = label if track == UNCONFIRMED else f"#{track} {label}"
        painter.draw(found.xyxy[i] * scale, label, colour_of(found.class_id[i]))
    if faded:
        cv2.addWeighted(image, _FADED, before, 1 - _FADED, 0, dst=image)
    at = result.frame.captured_at.astimezone(zone)
    stamp = f"{result.frame.camera_id}  {at:%Y-%m-%d %H:%M:%S %Z}"
    _text(image, stamp, (6, height - 8), _WHITE)
    return image


def _line(
    image: Image, name: str, ends: list[tuple[int, int]], counts: Mapping[str, Mapping[str, int]]
) -> None:
    cv2.line(image, ends[0], ends[1], _BLACK, 4, cv2.LINE_AA)
    cv2.line(image, ends[0], ends[1], (0, 228, 255), 2, cv2.LINE_AA)
    crossings = counts.get(name, {})
    text = f"{name}  in {crossings.get('in', 0)}  out {crossings.get('out', 0)}"
    _text(image, text, (ends[0][0] + 4, ends[0][1] - 6), (0, 228, 255))


def _text(image: Image, text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    put_text(image, text, at, 0.45, _BLACK, 3)
    put_text(image, text, at, 0.45, colour)


class Annotator:
    """A `Sink` that writes an annotated MP4 of the detected frames of each camera.

    Args:
        folder: Gets one ``<camera id>.mp4`` per camera.
        cameras: The cameras, for their counting lines.
        names: Class names by class id.
        confidence: As in `draw`.
        zone: As in `draw`.
        hide: Blurs what nobody may recognise; None writes pictures as they are.
    """

    def __init__(
        self,
        folder: Path,
        cameras: list[Camera],
        names: tuple[str, ...],
        confidence: float,
        zone: tzinfo = UTC,
        hide: Anonymiser | None = None,
    ) -> None:
        self._folder, self._hide = folder, hide or Anonymiser()
        self._lines = {c.id: {name: line.points for name, line in c.lines.items()} for c in cameras}
        self._names = names
        self._confidence, self._zone = confidence, zone
        self._writers: dict[str, VideoWriter] = {}
        self._counts: dict[str, dict[str, dict[str, int]]] = {camera.id: {} for camera in cameras}

    def take(self, result: Result) -> None:
        """See `Sink.take`."""
        camera = result.frame.camera_id
        counts = self._counts[camera]
        for crossing in result.crossings:
            directions = counts.setdefault(crossing.line, {"in": 0, "out": 0})
            directions[crossing.direction] += 1
        if camera not in self._writers:
            self._writers[camera] = VideoWriter(self._folder / f"{camera}.mp4")
        frame = result.frame
        hidden = self._hide.stored(camera, frame.picture.bgr(), result.tracked.detections)
        result = replace(result, frame=replace(frame, picture=ArrayPicture(hidden)))
        image = draw(result, self._names, self._lines[camera], counts, self._confidence, zone=self._zone)
        self._writers[camera].write(image, result.frame.pts)

    def close(self) -> None:
        """See `Sink.close`."""
        for writer in self._writers.values():
            writer.close()
