"""Boxes with labels, drawn on copies of pictures."""

from collections.abc import Sequence

import cv2
import numpy as np

from streetloop.drawing.text import Colour, put_text, text_size
from streetloop.types import Detections, Floats, Image

# Okabe and Ito's palette for colour-blind readers, in BGR.
_COLOURS = (
    (233, 180, 86), (0, 159, 230), (115, 158, 0), (66, 228, 240),
    (178, 114, 0), (0, 94, 213), (167, 121, 204),
)  # fmt: skip
_MIN_LABELED = 0.45  # smallest width of a box that is labeled, in widths of its label
_BLACK = (0, 0, 0)
_MIN_WIDTH = 640  # pixels; narrower pictures are enlarged, or text would cover them


def draw_boxes(
    picture: Image,
    found: Detections,
    names: Sequence[str],
    width: int | None = None,
    *,
    with_confidence: bool = False,
) -> Image:
    """Draw boxes with their class names on a copy of a picture.

    Args:
        picture: (H, W, 3) uint8, BGR.
        found: The boxes, in pixels of the picture.
        names: Class names by class id.
        width: Width of the drawn image in pixels; by default that of the picture, and at least 640.
        with_confidence: Write the confidence behind the name.

    Returns:
        The drawn image, (H, W, 3) uint8, BGR.
    """
    image, scale = canvas_of(picture, width)
    painter = BoxPainter(image)
    for xyxy, confidence, class_id in zip(found.xyxy, found.confidence, found.class_id, strict=True):
        label = f"{names[class_id]} {confidence:.2f}" if with_confidence else names[class_id]
        painter.draw(xyxy * scale, label, colour_of(class_id))
    return image


def colour_of(class_id: int) -> Colour:
    """The colour of a class, blue first; classes of a distance of seven share one."""
    return _COLOURS[class_id % len(_COLOURS)]


def canvas_of(picture: Image, wanted: int | None = None) -> tuple[Image, float]:
    """A copy to draw on, and its pixels per pixel of the picture.

    Args:
        picture: (H, W, 3) uint8, BGR.
        wanted: Width in pixels; by default that of the picture, and at least 640.
    """
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


class BoxPainter:
    """Draws boxes into an image, each with its label where that covers no other label.

    A label stands above its box, else within it, else below. It is left out where none of these
    places is free, or the box is much narrower than the label.

    Args:
        image: (H, W, 3) uint8, BGR.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self._taken: list[tuple[int, int, int, int]] = []

    def draw(self, xyxy: Floats, label: str, colour: Colour) -> None:
        """Draw a box.

        Args:
            xyxy: (4,) left, top, right, bottom in pixels of the image.
            label: One line.
            colour: Blue first.
        """
        x1, y1, x2, y2 = (round(float(v)) for v in xyxy)
        width, height = text_size(label, 0.42)
        place = None
        if x2 - x1 >= width * _MIN_LABELED:  # else its label would hide the neighbours
            place = self._free(x1 - 1, (y1 - height - 6, y1, y2), width + 6, height + 6)
        cv2.rectangle(self._image, (x1, y1), (x2, y2), colour, 1 if place is None else 2, cv2.LINE_AA)
        if place is None:
            return
        left, top, right, bottom = place
        self._taken.append(place)
        cv2.rectangle(self._image, (left, top), (right, bottom), colour, cv2.FILLED)
        put_text(self._image, label, (left + 3, bottom - 4), 0.42, _BLACK)

    def _free(
        self, left: int, tops: Sequence[int], width: int, height: int
    ) -> tuple[int, int, int, int] | None:
        """The first place that is in the picture and that no label has taken."""
        for top in tops:
            right, bottom = left + width, top + height
            is_inside = top >= 0 and bottom <= self._image.shape[0]
            if is_inside and not any(
                left < r and right > x and top < b and bottom > y for x, y, r, b in self._taken
            ):
                return left, top, right, bottom
        return None
