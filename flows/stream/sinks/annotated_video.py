"""Annotated frames and videos: boxes, track ids and counting lines."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from pathlib import Path

import cv2
import numpy as np

from flows.stream.analysis.results import Result
from flows.stream.sinks.text import put_text, text_size
from streetloop.cameras import Camera, Line
from streetloop.types import UNCONFIRMED, Detections, Floats, Image
from streetloop.video import VideoWriter

# Okabe and Ito's palette for colour-blind readers, in BGR.
_COLOURS = (
    (233, 180, 86), (0, 159, 230), (115, 158, 0), (66, 228, 240),
    (178, 114, 0), (0, 94, 213), (167, 121, 204),
)  # fmt: skip
_MIN_LABELED = 0.45  # smallest width of a box that is labeled, in widths of its label
_WHITE = (255, 255, 255)
_BLACK = (0, 0, 0)
_MIN_WIDTH = 640  # pixels; narrower pictures are enlarged, or text would cover them


def draw(
    result: Result,
    names: tuple[str, ...],
    lines: Mapping[str, Line] = {},
    counts: Mapping[str, Mapping[str, int]] = {},
    confidence: float = 0.25,
    width: int | None = None,
    zone: tzinfo = UTC,
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

    Returns:
        The drawn image, (H, W, 3) uint8, BGR.
    """
    image, scale = _canvas(result.frame.picture.bgr(), width)
    height, width = image.shape[:2]
    for name, line in lines.items():
        _line(image, name, [(round(x * width), round(y * height)) for x, y in line], counts)
    found = result.tracked.detections
    for i, track in enumerate(result.tracked.track_id):
        doubtful = track == UNCONFIRMED and found.confidence[i] < confidence
        if doubtful or not result.counted[i]:
            continue
        label = f"{names[found.class_id[i]]} {found.confidence[i]:.2f}"
        label = label if track == UNCONFIRMED else f"#{track} {label}"
        _box(image, found.xyxy[i] * scale, label, _COLOURS[found.class_id[i] % len(_COLOURS)])
    at = result.frame.captured_at.astimezone(zone)
    stamp = f"{result.frame.camera_id}  {at:%Y-%m-%d %H:%M:%S %Z}"
    _text(image, stamp, (6, height - 8), _WHITE)
    return image


def draw_boxes(picture: Image, found: Detections, names: Sequence[str]) -> Image:
    """Draw boxes with their class names on a copy of a picture.

    Args:
        picture: (H, W, 3) uint8, BGR.
        found: The boxes, in pixels of the picture.
        names: Class names by class id.

    Returns:
        The drawn image, (H, W, 3) uint8, BGR; at least 640 pixels wide.
    """
    image, scale = _canvas(picture)
    for xyxy, class_id in zip(found.xyxy, found.class_id, strict=True):
        _box(image, xyxy * scale, names[class_id], _COLOURS[class_id % len(_COLOURS)])
    return image


def _canvas(picture: Image, wanted: int | None = None) -> tuple[Image, float]:
    """A copy to draw on, and its pixels per pixel of the picture."""
    height, width = picture.shape[:2]
    wanted = max(width, _MIN_WIDTH) if wanted is None else wanted
    if wanted == width:
        return picture.copy(), 1.0
    scale = wanted / width
    # INTER_AREA is exact and three to five times as slow; above half the size it looks the same.
    smaller = cv2.INTER_LINEAR if scale > 0.5 else cv2.INTER_AREA
    interpolation = cv2.INTER_CUBIC if scale > 1 else smaller
    resized = cv2.resize(picture, (wanted, max(1, round(height * scale))), interpolation=interpolation)
    return resized.astype(np.uint8, copy=False), scale


def _box(image: Image, xyxy: Floats, label: str, colour: tuple[int, int, int]) -> None:
    x1, y1, x2, y2 = (round(float(v)) for v in xyxy)
    width, height = text_size(label, 0.42)
    small = x2 - x1 < width * _MIN_LABELED
    cv2.rectangle(image, (x1, y1), (x2, y2), colour, 1 if small else 2, cv2.LINE_AA)
    if small:  # its label would hide the neighbours
        return
    top = max(y1 - height - 6, 0)
    cv2.rectangle(image, (x1 - 1, top), (x1 + width + 5, top + height + 6), colour, cv2.FILLED)
    put_text(image, label, (x1 + 2, top + height + 2), 0.42, _BLACK)


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
    """

    def __init__(
        self,
        folder: Path,
        cameras: list[Camera],
        names: tuple[str, ...],
        confidence: float,
        zone: tzinfo = UTC,
    ) -> None:
        self._folder = folder
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
        image = draw(result, self._names, self._lines[camera], counts, self._confidence, zone=self._zone)
        self._writers[camera].write(image, result.frame.pts)

    def close(self) -> None:
        """See `Sink.close`."""
        for writer in self._writers.values():
            writer.close()
