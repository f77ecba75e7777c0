"""How the pictures of an export look: with boxes, and blurred."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from flows.archive.served_log import ServedFrame, served_frames
from streetloop.drawing.anonymise import blur_all, blur_heads_and_plates
from streetloop.drawing.boxes import draw_boxes
from streetloop.ledger.segments import Segment
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections, Floats, Image

_MATCH_S = 0.024  # of a picture of 25 a second: a box is drawn on the picture that it was found in
_SHOWN_S = 2.5  # boxes are shown until the next ones; the gate looks again after two seconds


@dataclass(frozen=True, slots=True)
class ExportLook:
    """What is done to the pictures of an export.

    Attributes:
        store: Has the logs.
        boxes: Draw what was found.
        anonymise: Blur heads and plates.
    """

    store: ObjectStore
    boxes: bool
    anonymise: bool

    def of(self, segment: Segment) -> Callable[[Image, float], Image]:
        """What makes a picture of a second of a segment look so."""
        if not self.boxes and not self.anonymise:
            return lambda image, _: image
        served = served_frames(self.store, segment)
        blur = PictureBlur(served) if self.anonymise else None
        drawn = _BoxesOf(served) if self.boxes else None

        def look(image: Image, second: float) -> Image:
            shown = image if blur is None else blur.on(image, second)
            return shown if drawn is None else drawn.on(shown, second)

        return look


class PictureBlur:
    """Blurs heads and plates between the frames in which they were found.

    A picture between two of them is blurred where they were before and where they are after. One
    that is further than 2.5 s from any is blurred as a whole: nobody knows where people are in it.

    Args:
        frames: The frames of a segment, in order of time.
    """

    def __init__(self, frames: Sequence[ServedFrame]) -> None:
        self._frames, self._seconds = _detected(frames)

    def on(self, image: Image, second: float) -> Image:
        """The picture of a second, blurred."""
        blurred = image.copy()
        after = int(np.searchsorted(self._seconds, second - _MATCH_S))
        near = [
            self._frames[place]
            for place in (after - 1, after)
            if 0 <= place < len(self._frames) and abs(self._seconds[place] - second) <= _SHOWN_S
        ]
        if not near:
            blur_all(blurred)
        for frame in near:
            blur_heads_and_plates(blurred, frame.boxes.xyxy, frame.boxes.class_name)
        return blurred


class _BoxesOf:
    """Draws the boxes of served frames on their pictures; a picture without any shows the last.

    Args:
        frames: The frames of a segment, in order of time.
    """

    def __init__(self, frames: Sequence[ServedFrame]) -> None:
        self._frames, self._seconds = _detected(frames)

    def on(self, image: Image, second: float) -> Image:
        """The picture of a second, with boxes."""
        place = int(np.searchsorted(self._seconds, second + _MATCH_S)) - 1
        if place < 0 or second - self._seconds[place] > _SHOWN_S:
            return image
        boxes = self._frames[place].boxes
        names = sorted(set(boxes.class_name))
        class_id = np.array([names.index(name) for name in boxes.class_name], np.int64)
        return draw_boxes(image, Detections(boxes.xyxy, boxes.confidence, class_id), names)


def _detected(frames: Sequence[ServedFrame]) -> tuple[list[ServedFrame], Floats]:
    """The frames that have boxes, and their seconds."""
    found = [frame for frame in frames if frame.fate == "detected"]
    return found, np.array([frame.second for frame in found])
